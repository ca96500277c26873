"""Load a judged collection from a folder, a file or the hub, by its format."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from opensearch_neural_sparse.evaluate.datasets.beir import TEST_SPLIT, Collection, read_collection
from opensearch_neural_sparse.evaluate.datasets.miracl import DEV_SPLIT, TOPICS, read_miracl
from opensearch_neural_sparse.evaluate.datasets.squad import PARQUET, read_squad
from opensearch_neural_sparse.models.files.hub import HubOptions, read_snapshot
from opensearch_neural_sparse.readers.documents import is_readable

HUB_ID = re.compile(r"([\w.-]+/[\w.-]+)(?::(\w+))?")
SQUAD = ".json"
BRANCH = "main"
BEIR = "BeIR/"
MIRACL, MIRACL_PASSAGES, XQUAD = "miracl/miracl", "miracl/miracl-corpus", "google/xquad"
BEIR_FILES = ("corpus*", "queries*", "qrels/*", "data/*")


def read_source(name: str, split: str | None = None, *, cache_dir: str | Path | None = None) -> Collection:
    """Read a collection by its folder, its file or its hub id.

    Args:
        name: A folder in the format of BEIR, MIRACL or SQuAD; a JSON file in SQuAD's; or a hub id such as
            `BeIR/scifact`, `mteb/scifact`, `miracl/miracl:sw` or `google/xquad:en`.
        split: Split of the judgements; by default the test split, or MIRACL's development split.
        cache_dir: Cache of the hub; None is that of `HF_HUB_CACHE` or `HF_HOME`.

    Raises:
        ValueError: The name is no collection, or the format is not supported.
        FileNotFoundError: A file of the collection is missing in the folder.
        ModelFilesError: The files are not on the hub, or the hub cannot be reached.
        MissingDependencyError: A file is Parquet, and pyarrow is not installed.
    """
    path = Path(name)
    if path.is_dir():
        return _read_folder(path, split)
    if path.is_file():
        return read_squad(path)
    return _read_repository(*parse_hub_id(name), split, HubOptions(cache_dir=cache_dir))


def check_source(name: str) -> None:
    """Check that a name is an existing path or a hub id, before anything is read or downloaded.

    Raises:
        ValueError: The name is neither.
    """
    if not Path(name).exists():
        parse_hub_id(name)


def is_collection(name: str) -> bool:
    """Return whether a name is a judged collection (by its folder's files or as a hub id) rather than plain files."""
    path = Path(name)
    if path.is_dir():
        return (path / TOPICS).is_dir() or any(path.glob(BEIR_FILES[0]))
    return path.suffix == SQUAD or not (path.exists() or _is_file_name(name) or HUB_ID.fullmatch(name) is None)


def parse_hub_id(name: str) -> tuple[str, str | None]:
    """Parse the repository and the language of a name such as `google/xquad:en`.

    Raises:
        ValueError: The name is no hub id, or lacks its language.
    """
    match = None if _is_file_name(name) else HUB_ID.fullmatch(name)
    if match is None:
        raise ValueError(
            f"{name!r} is no existing folder or file, and no hub id. Give a path, or a hub id such as BeIR/scifact."
        )
    repo, language = match.groups()
    if (language is None) == (repo in (MIRACL, XQUAD)):
        example = f"Give {MIRACL}:sw and {XQUAD}:en with a language, every other without."
        raise ValueError(f"{name!r} is no hub id of a collection: its language is missing or unexpected. {example}")
    return repo, language


def _is_file_name(name: str) -> bool:
    return Path(name).suffix == SQUAD or is_readable(Path(name))


def _read_folder(folder: Path, split: str | None) -> Collection:
    if (folder / TOPICS).is_dir():
        return read_miracl(folder, split or DEV_SPLIT)
    if any(folder.glob(PARQUET)):
        return read_squad(folder)
    return read_collection(folder, split or TEST_SPLIT)


def _read_repository(repo: str, language: str | None, split: str | None, options: HubOptions) -> Collection:
    def folder_of(name: str, *patterns: str) -> Path:
        return read_snapshot(name, BRANCH, [patterns], lambda root: root, options, kind="dataset")

    if repo == XQUAD:
        return read_squad(folder_of(repo, f"xquad.{language}/*") / f"xquad.{language}")
    if repo == MIRACL:
        topics, passages = f"miracl-v1.0-{language}", f"miracl-corpus-v1.0-{language}"
        folder = folder_of(repo, f"{topics}/*") / topics
        return read_miracl(folder, split or DEV_SPLIT, passages=folder_of(MIRACL_PASSAGES, f"{passages}/*") / passages)
    split = split or TEST_SPLIT
    judged_in = folder_of(f"{repo}-qrels", f"{split}.tsv") if repo.startswith(BEIR) else None
    collection = read_collection(folder_of(repo, *BEIR_FILES), split, judged_in=judged_in)
    return replace(collection, name=repo.partition("/")[2])
