"""The files of a chosen setting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from opensearch_neural_sparse.evaluate.tuning.tuning_report import Tuning
from opensearch_neural_sparse.evaluate.tuning.winner.haystack_yaml import indexing_yaml, search_yaml
from opensearch_neural_sparse.evaluate.tuning.winner.python_code import langchain_code, python_code

INDEX, URL = "tuned", "http://localhost:9200"
PYTHON, LANGCHAIN = "tuned_search.py", "langchain_search.py"
HAYSTACK_SEARCH, HAYSTACK_INDEXING = "haystack_search.yaml", "haystack_indexing.yaml"


def winner_files(tuning: Tuning, *, index: str = INDEX, url: str = URL) -> dict[str, str]:
    """Return the name and the content of each file.

    Args:
        tuning: What tuning found.
        index: Index of the pipelines; the programs take theirs as an argument.
        url: Server of the pipelines; the programs read theirs from `OPENSEARCH_URL`.
    """
    setting, layout = tuning.winner.setting, tuning.winner.layout.absolute
    searching = [f"Search by the setting that was chosen for {tuning.collection}.", setting.label, tuning.conclusion()]
    filling = [f"Fill the index of the setting that was chosen for {tuning.collection}.", setting.label]
    if layout.more_models:
        searching.append(f"The index has fields of further models; fill it by {PYTHON} or {LANGCHAIN}.")
        searching.append("A program that loads the pipeline calls register_model() for a further model in a folder.")
    searching, filling = _wrapped(searching), _wrapped(filling)
    files = {
        PYTHON: python_code(setting, layout, searching),
        LANGCHAIN: langchain_code(setting, layout, searching),
        HAYSTACK_SEARCH: search_yaml(setting, layout, searching, index=index, url=url),
    }
    if not layout.more_models:  # documents of Haystack have no vectors for further fields
        files[HAYSTACK_INDEXING] = indexing_yaml(layout, filling, index=index, url=url)
    return files


def _wrapped(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in wrap(line, 100)]


def write_winner(tuning: Tuning, folder: Path) -> list[Path]:
    """Write the files to a folder, which is made if it is missing; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, content in winner_files(tuning).items():
        (folder / name).write_text(content, encoding="utf-8")
        paths.append(folder / name)
    return paths
