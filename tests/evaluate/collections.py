"""A judged collection of a few sentences, which every way of searching answers within a second."""

from __future__ import annotations

import json
from pathlib import Path

from opensearch_neural_sparse.evaluate.datasets.beir import Collection

DOCUMENTS = {
    "heart": "The heart pumps blood through the body.",
    "stone": "A stone rests on the bed of a river.",
    "river": "Rivers carry water from the mountains to the sea.",
    "arrest": "Cardiac arrest is common in old patients.",
    "planet": "Mars is the fourth planet of the sun.",
    "engine": "An engine burns fuel and turns a wheel.",
}
QUERIES = {
    "q1": "heart blood",
    "q2": "water of rivers",
    "q3": "which planet is red",
    "q4": "cardiac patients",
    "q5": "wheel of an engine",
    "q6": "a stone in a river",
}
JUDGEMENTS = {
    "q1": {"heart": 2, "arrest": 1},
    "q2": {"river": 1},
    "q3": {"planet": 1},
    "q4": {"arrest": 1, "heart": 0},
    "q5": {"engine": 1},
    "q6": {"stone": 1},
}
SENTENCES = Collection(name="sentences", documents=DOCUMENTS, queries=QUERIES, judgements=JUDGEMENTS)


def write_collection(folder: Path) -> Path:
    """Write the collection in BEIR's format."""
    (folder / "qrels").mkdir(parents=True)
    for name, texts in (("corpus", DOCUMENTS), ("queries", QUERIES)):
        rows = [json.dumps({"_id": key, "text": text}) for key, text in texts.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    lines = [f"{query}\t{key}\t{value}" for query, row in JUDGEMENTS.items() for key, value in row.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]), encoding="utf-8")
    return folder
