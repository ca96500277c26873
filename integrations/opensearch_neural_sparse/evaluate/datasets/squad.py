"""Read a judged collection in the format of SQuAD and XQuAD: questions and the paragraphs that answer them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.datasets.files import find_files, read_objects

PARQUET = "*.parquet"
_Entry = tuple[str, str, str]
"""A paragraph, the id of a question that it answers, and the question."""


def read_squad(path: Path) -> Collection:
    """Read distinct paragraphs as documents, and answerable questions as queries with one relevant document each.

    Args:
        path: A JSON file such as `xquad.en.json`, or a folder such as `xquad.en` of Parquet files, as on the hub.

    Raises:
        FileNotFoundError: The folder has no Parquet file.
        ValueError: The file has another format.
        MissingDependencyError: A file is Parquet, and pyarrow is not installed.
    """
    entries = _read_parquet(path) if path.is_dir() else _read_json(path)
    numbers: dict[str, str] = {}
    queries, judgements = {}, {}
    for paragraph, query, question in entries:
        document = numbers.setdefault(paragraph, str(len(numbers)))
        queries[query], judgements[query] = question, {document: 1}
    documents = {number: paragraph for paragraph, number in numbers.items()}
    name = path.resolve().name.removesuffix(".json").replace(".", "-")
    return Collection(name=name, documents=documents, queries=queries, judgements=judgements)


def _read_json(path: Path) -> Iterator[_Entry]:
    try:
        articles = json.loads(path.read_bytes())["data"]
        for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
            for question in paragraph["qas"]:
                if not question.get("is_impossible"):
                    yield paragraph["context"], str(question["id"]), question["question"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not of SQuAD's format ({type(error).__name__}: {error}). Give a file such as xquad.en.json."
        ) from None


def _read_parquet(folder: Path) -> Iterator[_Entry]:
    for row in read_objects(find_files(folder, PARQUET), "id", "context", "question", "answers"):
        if row["answers"]["text"]:
            yield row["context"], str(row["id"]), row["question"]
