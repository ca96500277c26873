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
        (("search", "INDEX", "word"), "Check its name, or create it: opensearch-neural-sparse index create."),
        (("index", "delete", "INDEX", "--yes"), "Check its name: `index info '*'` shows those of the server."),
        (
            ("ingest-status", "no-such.journal"),
            "A load creates it: opensearch-neural-sparse ingest ... --journal FILE.",
        ),
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


def test_similar_names_are_named_where_an_index_is_missing(filled: str, cli: Run) -> None:
    for command in (("search", f"{filled}s", "heart"), ("index", "delete", f"{filled}s"), ("doctor", f"{filled}s")):
        done = cli(*command)
        assert done.status == 1
        assert f"Did you mean {filled!r}" in done.words
        assert "Check its name" in done.words
    assert "Did you mean" not in cli("search", "something-entirely-else", "heart").err


def test_wrong_values_are_refused_in_words_of_the_shell(filled: str, cli: Run) -> None:
    done = cli("ingest", filled, "-", "--model", MODEL, "--restart", stdin=b"{}")
    assert (done.status, "--restart needs a journal: --journal FILE." in done.words) == (2, True)
    done = cli("models", "recommend", "--language", "en", "--max-params", "1")
    assert (done.status, "--max-params 1, --min-context None" in done.words) == (2, True)


def test_remedies_of_python_do_not_reach_the_shell() -> None:
    assert in_shell_words(IndexNotBoundError("a", "b")).endswith("--model MODEL; or search by --server-model-id ID.")
    assert in_shell_words(OSError(Remedy.NAME_MODEL)) == Remedy.NAME_MODEL
    for remedy in Remedy:
        words = SHELL.get(remedy, remedy)
        assert not any(sign in words for sign in ("()", "=", "True")), words
