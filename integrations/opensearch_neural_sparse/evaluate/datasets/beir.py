"""Read a judged collection in BEIR's format: documents, queries, relevance judgements."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.evaluate.datasets.files import find_files, read_objects

LANGUAGE_CODE = 2
"""Length of a language code."""
TEST_SPLIT = "test"
_JUDGEMENT = ("query-id", "corpus-id", "score")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Documents and the queries judged against them.

    Attributes:
        name: Name of its folder; for a language such as `en`, with that of the parent before it.
        documents: Document id -> title and text, separated by a blank.
        queries: Query id -> text; only queries with a judgement.
        judgements: Query id -> document id -> relevance; 0 is not relevant.
    """

    name: str
    documents: Mapping[str, str]
    queries: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, int]]


def read_collection(folder: Path, split: str = TEST_SPLIT, *, judged_in: Path | None = None) -> Collection:
    """Read a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`, as BEIR publishes it.

    The two may be compressed (`.jsonl.gz`), or folders `corpus` and `queries` of Parquet files, as on the hub.

    Args:
        folder: The collection's folder.
        split: Split of the judgements.
        judged_in: Folder of `<split>.tsv`, if it is another one.

    Raises:
        FileNotFoundError: One of the three is missing.
        ValueError: A line does not have BEIR's format; names file and line.
        MissingDependencyError: A file is Parquet, and pyarrow is not installed.
    """
    judgements = _read_judgements(judged_in or folder, split)
    queries = {str(row["_id"]): row["text"] for row in _read_texts(folder, "queries")}
    return Collection(
        name=name_of(folder),
        documents={str(row["_id"]): full_text(row) for row in _read_texts(folder, "corpus")},
        queries=judged_queries(queries, judgements, folder),
        judgements=judgements,
    )


def name_of(folder: Path) -> str:
    """Return the name of the collection in a folder."""
    folder = folder.resolve()
    return f"{folder.parent.name}-{folder.name}" if len(folder.name) == LANGUAGE_CODE else folder.name


def full_text(row: Mapping[str, Any]) -> str:
    """Join a document's title and text by a blank."""
    return f"{row.get('title') or ''} {row['text']}".strip()


def judged_queries(texts: Mapping[str, str], judgements: Mapping[str, Any], place: Path) -> dict[str, str]:
    """Return the texts of the judged queries.

    Raises:
        ValueError: A judged query has no text; the message has `place`.
    """
    if unknown := sorted(set(judgements) - set(texts)):
        raise ValueError(f"{place}: judged queries without a text: {', '.join(unknown[:_SHOWN])}")
    return {query: texts[query] for query in judgements}


def _read_texts(folder: Path, name: str) -> Iterator[Mapping[str, Any]]:
    return read_objects(find_files(folder, f"{name}.jsonl", f"{name}.jsonl.gz", f"{name}/*.parquet"), "_id", "text")


def _read_judgements(folder: Path, split: str) -> dict[str, dict[str, int]]:
    paths = find_files(
        folder, f"qrels/{split}.tsv", f"{split}.tsv", f"qrels/{split}*.parquet", f"data/{split}*.parquet"
    )
    rows = _read_columns(paths[0]) if paths[0].suffix == ".tsv" else _read_judgement_objects(paths)
    judgements: dict[str, dict[str, int]] = {}
    for query, document, relevance in rows:
        judgements.setdefault(query, {})[document] = relevance
    return judgements


def _read_judgement_objects(paths: list[Path]) -> Iterator[tuple[str, str, int]]:
    for row in read_objects(paths, *_JUDGEMENT):
        query, document, relevance = (row[key] for key in _JUDGEMENT)
        yield str(query), str(document), int(relevance)


def _read_columns(path: Path) -> Iterator[tuple[str, str, int]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t"), 1):
            if number == 1 and row[-1:] == ["score"]:
                continue
            try:
                query, document, relevance = row
                yield query, document, int(relevance)
            except ValueError:
                raise ValueError(f"{path}:{number}: it needs query-id, corpus-id and a whole score") from None
