from __future__ import annotations

import pytest
from rich.console import Console

from opensearch_neural_sparse.cli import output


def _show(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> None:
    monkeypatch.setattr(output, "Console", lambda **options: Console(force_terminal=terminal, width=80, **options))
    with output.shown_bar() as show:
        for done in (1, 2):
            show("encoding", done, 2)
        show("searching", 3, 4)


def test_a_bar_tells_what_is_done_and_how_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _show(monkeypatch, terminal=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert all(news in printed.err for news in ("searching", "3/4"))


def test_there_is_no_bar_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _show(monkeypatch, terminal=False)
    assert "encoding" not in "".join(capsys.readouterr())
