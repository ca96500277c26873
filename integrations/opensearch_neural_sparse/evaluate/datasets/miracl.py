"""Read a judged collection in MIRACL's format: topics, judgements and passages of one language."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from opensearch_neural_sparse.evaluate.datasets.beir import Collection, full_text, judged_queries
from opensearch_neural_sparse.evaluate.datasets.files import find_files, read_objects

TOPICS = "topics"
DEV_SPLIT = "dev"


def read_miracl(folder: Path, split: str = DEV_SPLIT, *, passages: Path | None = None) -> Collection:
    """Read `topics/topics.miracl-v1.0-<language>-<split>.tsv`, its `qrels` and the `docs-*.jsonl.gz` of the passages.

    Args:
        folder: A folder such as `miracl-v1.0-ar` of the repository of topics.
        split: Split of the judgements.
        passages: A folder such as `miracl-corpus-v1.0-ar` of the repository of passages, if its files lie there.

    Raises:
        FileNotFoundError: Topics, judgements or passages of that split are missing.
        ValueError: A line does not have MIRACL's format; names file and line.
    """
    (topics, *_) = find_files(folder, f"{TOPICS}/topics.*-{split}.tsv")
    (judged, *_) = find_files(folder, f"qrels/qrels.*-{split}.tsv")
    judgements: dict[str, dict[str, int]] = {}
    for query, _, document, relevance in _read_columns(judged, 4):
        judgements.setdefault(query, {})[document] = int(relevance)
    texts = {row[0]: row[1] for row in _read_columns(topics, 2)}
    rows = read_objects(find_files(passages or folder, "docs-*.jsonl.gz"), "docid", "text")
    return Collection(
        name=f"miracl-{topics.name.removesuffix(f'-{split}.tsv').rpartition('-')[2]}",
        documents={row["docid"]: full_text(row) for row in rows},
        queries=judged_queries(texts, judgements, topics),
        judgements=judgements,
    )


def _read_columns(path: Path, count: int) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if len(row) != count:
                raise ValueError(f"{path}:{number}: it needs {count} columns, and has {len(row)}")
            yield row
