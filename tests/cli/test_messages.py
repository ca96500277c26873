"""Errors are one line, in the words of the shell."""

from __future__ import annotations

import pytest

from opensearch_neural_sparse.cli.remedies import SHELL, in_shell_words
from opensearch_neural_sparse.errors import IndexNotBoundError, Remedy
from tests.cli.conftest import MODEL, Run

pytestmark = pytest.mark.newest_server


@pytest.mark.parametrize(
    ("arguments", "wayout"),
    [
        (
            ("index", "create", "INDEX", "--model", "./models/x"),
            "`opensearch-neural-sparse models list` shows the known models",
        ),
        (("index", "create", "INDEX", "--model", "doc-v3-destill"), "A folder with a model's files does as well."),
        (("search", "INDEX", "word"), "Create it: opensearch-neural-sparse index create."),
        (("search", "INDEX", "word", "--ca-certs", __file__), "--ca-certs names a PEM file."),
    ],
)
def test_way_out_is_one_of_the_shell(cli: Run, index_name: str, arguments: tuple[str, ...], wayout: str) -> None:
    done = cli(*(index_name if word == "INDEX" else word for word in arguments))
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert wayout in done.err
    assert "()" not in done.err


def test_index_that_is_there_names_the_option(cli: Run, index_name: str) -> None:
    assert cli("index", "create", index_name, "--model", MODEL).status == 0
    done = cli("index", "create", index_name, "--model", MODEL)
    assert done.status == 1
    assert done.err.endswith("--exist-ok passes if it is of this model.\n")
    assert cli("index", "create", index_name, "--model", MODEL, "--exist-ok").status == 0


def test_remedies_of_python_do_not_reach_the_shell() -> None:
    assert in_shell_words(IndexNotBoundError("a", "b")).endswith("--model MODEL; or search by --server-model-id ID.")
    assert in_shell_words(ValueError(Remedy.NAME_MODEL)) == Remedy.NAME_MODEL
    for remedy in Remedy:
        words = SHELL.get(remedy, remedy)
        assert not any(sign in words for sign in ("()", "=", "True")), words
