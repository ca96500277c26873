"""What a load shows of its progress, on a terminal and elsewhere."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from opensearch_neural_sparse import LoadProgress
from opensearch_neural_sparse.cli.load_progress import shown_load


def terminal() -> Console:
    return Console(file=StringIO(), force_terminal=True, width=100, color_system=None, legacy_windows=False)


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def halfway(**counts: Any) -> LoadProgress:
    return LoadProgress(**{"read": 1_200, "unchanged": 100, "written": 880, "refused": 20, "seconds": 8.0} | counts)


def test_terminal_has_a_bar_with_what_is_left_where_the_rows_are_known() -> None:
    console = terminal()
    with shown_load(lambda: 2_000, console=console) as show:
        show(halfway())
    text = printed(console)
    assert "1000/2000" in text
    assert "remaining" in text
    assert "1,200 read, 880 written (110/s), 100 unchanged, 20 refused, 200 under way" in text


def test_terminal_promises_no_time_where_the_rows_are_not_known() -> None:
    console = terminal()
    with shown_load(lambda: None, console=console) as show:
        show(halfway())
    text = printed(console)
    assert "880 written (110/s)" in text
    assert "0:00:0" in text  # the elapsed time
    assert "remaining" not in text


def test_lines_come_every_so_often_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def count() -> int:
        raise AssertionError("rows are counted for a bar alone")

    with shown_load(count, console=Console(file=StringIO(), force_terminal=False), every=0.5) as show:
        for seconds in (0.1, 0.4, 0.6, 0.9, 1.0, 1.2, 1.4):
            show(halfway(seconds=seconds))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"1,200 read, 880 written ({rate}/s), 100 unchanged, 20 refused, 200 under way" for rate in ("1,467", "733")
    ]
