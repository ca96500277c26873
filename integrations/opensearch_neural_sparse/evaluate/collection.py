"""A judged collection in BEIR's format: documents, queries, relevance judgements."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGE_CODE = 2
"""Letters of a language's code."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Documents and the queries judged against them.

    Attributes:
        name: Name of the folder it was read from; where that is a language, such as `en`, its parent's stands before.
        documents: Document id -> text; a title stands before the text, parted by a blank.
        queries: Query id -> text; only queries that have a judgement.
        judgements: Query id -> document id -> relevance, 0 is not relevant.
    """

    name: str
    documents: Mapping[str, str]
    queries: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, int]]


def read_collection(folder: Path, split: str = "test") -> Collection:
    """Read a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`.

    Args:
        folder: The collection's folder, as BEIR publishes it.
        split: Which judgements to read.

    Raises:
        FileNotFoundError: One of the three files is missing.
        ValueError: A line is not what BEIR's format asks for; names file and line.
    """
    judgements = _read_judgements(folder / "qrels" / f"{split}.tsv")
    queries = {row["_id"]: row["text"] for row in _read_rows(folder / "queries.jsonl")}
    if unknown := sorted(set(judgements) - set(queries)):
        raise ValueError(f"{folder}: judged queries without a text: {', '.join(unknown[:5])}")
    return Collection(
        name=name_of(folder),
        documents={row["_id"]: full_text(row) for row in _read_rows(folder / "corpus.jsonl")},
        queries={query: queries[query] for query in judgements},
        judgements=judgements,
    )


def name_of(folder: Path) -> str:
    """Return what the collection in a folder is called."""
    folder = folder.resolve()
    return f"{folder.parent.name}-{folder.name}" if len(folder.name) == LANGUAGE_CODE else folder.name


def full_text(row: Mapping[str, Any]) -> str:
    """Return a document's title and text, parted by a blank."""
    return f"{row.get('title') or ''} {row['text']}".strip()


def _read_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: not JSON ({error.msg})") from None
            if not isinstance(row, dict) or not {"_id", "text"} <= row.keys():
                raise ValueError(f"{path}, line {number}: needs the keys '_id' and 'text'")
            yield row


def _read_judgements(path: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t"), 1):
            if number == 1 and row[-1:] == ["score"]:
                continue
            try:
                query, document, relevance = row
                judgements.setdefault(query, {})[document] = int(relevance)
            except ValueError:
                raise ValueError(f"{path}, line {number}: needs query-id, corpus-id and a whole score") from None
    return judgements
