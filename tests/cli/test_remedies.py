"""Every message that a command can show has its remedy in the words of the shell."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensearch_neural_sparse.cli import LogLine
from opensearch_neural_sparse.cli.remedies import PATTERNS, PHRASES, shell_words
from tests.paths import ROOT

CORE = ROOT / "integrations" / "opensearch_neural_sparse"
PYTHON = re.compile(r"[a-z_]\w*\(\)|\b[a-z_]{2,}=[^=]|\b[A-Z]\w+\(|\b\w+_\w+\(")
NOT_SHOWN = {
    "cli": "has words of its own",
    "distributed": "no command uses Ray",
    "evaluate/tuning": "writes programs",
    "search/results": "representations and HTML",
    "rerank": "no command reranks",
    "serving": "media types",
    "server_models/archive.py": "names parameters of a pipeline",
    "store/_async": "representations; a copy is in _sync",
    "store/_sync": "representations",
    "store/drivers/client_source.py": "no command pickles a store",
    "transport/blocking_client.py": "no command pickles a client",
    "transport/logins": "representations",
    "index/bulk/updates.py": "no command updates; scripts of the server",
    "store/operations/updates.py": "no command updates",
    "store/bulk/prepare.py": "commands write several documents",
    "index/index_info.py": "a representation",
    "index/analyzers.py": "--languages is checked before",
    "index/documents/vector_fields.py": "documents of files have no vectors",
    "index/mapping.py": "commands set no pipeline",
    "index/semantic_field.py": "commands create no semantic field",
    "index/schema.py": "commands create no semantic field",
    "models/files/layout.py": "the remedy is a program of transformers",
    "models/recommendation.py": "a representation",
    "readers/dataset_rows.py": "datasets are an API of Python",
    "search/fusion/pipelines.py": "names the constant of the server",
    "search/options": "commands have no legs, aggregations and collapsing",
    "search/requests": "commands have neither boosts nor rerankers",
    "store/operations/field_checks": "commands have neither boosts nor dense vectors",
    "store/operations/search.py": "commands search by one query",
    "encode/document_encoder.py": "commands run no code of models",
    "encode/engines/transformer_encoder.py": "no command pickles an encoder",
    "encode/sparse_vector.py": "a representation",
    "encode/workers/devices.py": "commands choose no devices for processes",
    "errors.py": "the class docstring of rerankers, and remedies that are replaced as a whole",
}
"""File or folder -> why its remaining messages in words of Python reach no shell."""


def literals(path: Path) -> Iterator[str]:
    """Yield the texts of a file without docstrings; what is formatted into them is 'x'."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    left_out = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values}
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "'x'" for part in node.values)
            yield text.replace("'x'=True", "sync=True")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


def python_words() -> dict[str, list[str]]:
    """Return file -> its messages that have words of Python in the shell, too."""
    found: dict[str, list[str]] = {}
    for path in sorted(CORE.rglob("*.py")):
        name = path.relative_to(CORE).as_posix()
        messages = [shell_words(text) for text in literals(path) if " " in text]
        if words := [message for message in messages if PYTHON.search(message)]:
            found[name] = words
    return found


def test_messages_that_commands_show_have_no_words_of_python() -> None:
    found = python_words()
    shown = {name: words for name, words in found.items() if not any(map(name.startswith, NOT_SHOWN))}
    assert shown == {}
    assert [name for name in NOT_SHOWN if not any(file.startswith(name) for file in found)] == [], "no longer needed"


def test_each_phrase_and_pattern_is_that_of_a_message() -> None:
    texts = [text for path in CORE.rglob("*.py") if "cli" not in path.parts for text in literals(path)]
    assert [phrase for phrase in PHRASES if not any(phrase in text for text in texts)] == []
    assert [pattern for pattern in PATTERNS if not any(re.search(pattern, text) for text in texts)] == []


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("The ONNX engine has no device='cuda'; use engine='torch'.", "no --device cuda; use --engine torch."),
        ("exactly. Write it as text, or create the index with metadata_fields={'a': {'type': 'long'}}.", "as text."),
        ("says 'text'. Give schema=IndexSchema(text_field='body').", "`index bind` with --text-field 'body' names it."),
        ("Leave inner_hits out, or put the clause into the body of custom_search().", "Leave inner_hits out."),
        ("A gated model needs token=... or HF_TOKEN.", "A gated model needs HF_TOKEN."),
        (
            "got model_id='a' and analyzer='b'; leave one out.",
            "--server-model-id 'a' and --server-analyzer 'b'; leave one out.",
        ),
        ("crashes isolated. Leave workers out unless you want", "Leave --workers out unless you want"),
    ],
)
def test_remedies_are_put_into_words_of_the_shell(python: str, shell: str) -> None:
    assert shell_words(python).endswith(shell)


def test_warnings_of_the_log_are_lines_in_words_of_the_shell() -> None:
    record = logging.LogRecord("any", logging.WARNING, "", 0, "Leave workers out unless %s.", ("it pays",), None)
    assert LogLine().format(record) == "Warning: Leave --workers out unless it pays."
