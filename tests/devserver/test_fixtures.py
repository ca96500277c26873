"""The fixtures of the whole suite: without a server its tests must not look as if they had passed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.paths import ROOT

NEEDS_A_SERVER = "tests/devserver/test_server.py::test_both_lines_score_as_published"


def run_pytest(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    unreachable = {"OPENSEARCH_TEST_URLS": "http://user:secret@127.0.0.1:1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NEEDS_A_SERVER]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**environment, **unreachable, **variables}
    )


@pytest.mark.parametrize(
    ("variables", "status", "word"), [({}, 0, "SKIPPED"), ({"CI": "1"}, 1, "ERROR")], ids=["at a desk", "in CI"]
)
def test_without_a_server_a_test_is_skipped_at_a_desk_and_fails_in_ci(
    variables: dict[str, str], status: int, word: str
):
    done = run_pytest(**variables)
    assert done.returncode == status, done.stdout
    assert word in done.stdout
    assert "OPENSEARCH_TEST_URLS names http://127.0.0.1:1, which does not answer" in done.stdout
    assert "secret" not in done.stdout
