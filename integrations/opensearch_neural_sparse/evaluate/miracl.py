"""A judged collection as MIRACL publishes it: one language's topics, judgements and passages in one folder."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from opensearch_neural_sparse.evaluate.collection import Collection, full_text

TOPICS = "topics"


def read_miracl(folder: Path, split: str = "dev") -> Collection:
    """Read `topics/topics.miracl-v1.0-<language>-<split>.tsv`, its `qrels` and the `docs-*.jsonl.gz` beside them.

    Args:
        folder: A folder such as `miracl-v1.0-ar` of the repository of topics, with the files of the folder
            `miracl-corpus-v1.0-ar` of that of passages put into it.
        split: Which judgements to read.

    Raises:
        FileNotFoundError: Topics, judgements or passages of that split are missing.
        ValueError: A line is not what the format asks for; names the file.
    """
    topics = _only(folder, f"{TOPICS}/topics.*-{split}.tsv")
    judgements: dict[str, dict[str, int]] = {}
    for query, _, document, relevance in _read_columns(_only(folder, f"qrels/qrels.*-{split}.tsv"), 4):
        judgements.setdefault(query, {})[document] = int(relevance)
    texts = {row[0]: row[1] for row in _read_columns(topics, 2)}
    if unknown := sorted(set(judgements) - set(texts)):
        raise ValueError(f"{topics}: judged queries without a text: {', '.join(unknown[:5])}")
    return Collection(
        name=f"miracl-{topics.name.removesuffix(f'-{split}.tsv').rpartition('-')[2]}",
        documents=dict(_read_passages(folder)),
        queries={query: texts[query] for query in judgements},
        judgements=judgements,
    )


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"{folder} has no {pattern}.")
    return found[0]


def _read_columns(path: Path, count: int) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if len(row) != count:
                raise ValueError(f"{path}, line {number}: needs {count} columns, has {len(row)}")
            yield row


def _read_passages(folder: Path) -> Iterator[tuple[str, str]]:
    _only(folder, "docs-*.jsonl.gz")
    for path in sorted(folder.glob("docs-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                row = json.loads(line)
                if not {"docid", "text"} <= row.keys():
                    raise ValueError(f"{path}, line {number}: needs the keys 'docid' and 'text'")
                yield row["docid"], full_text(row)
