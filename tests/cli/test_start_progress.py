"""What the start of a local server shows of its progress, on a terminal and elsewhere."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from opensearch_neural_sparse.cli.start_progress import shown_start
from opensearch_neural_sparse.devserver import Progress, Step

STEPS = (
    Progress(step=Step.DOWNLOAD, version="3.6.0", done=0, total=108_000_000),
    Progress(step=Step.DOWNLOAD, version="3.6.0", done=27_000_000, total=108_000_000),
    Progress(step=Step.DOWNLOAD, version="3.6.0", done=107_000_000, total=108_000_000),
    Progress(step=Step.ASSEMBLE, version="3.6.0"),
    Progress(step=Step.DOWNLOAD, version="3.6.0", subject="the native libraries", total=400_000),
    Progress(step=Step.START, version="3.6.0"),
)


def test_each_phase_is_a_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_start(Console(file=StringIO(), force_terminal=False)) as show:
        for step in STEPS:
            show(step)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Downloading OpenSearch 3.6.0 (108 MB) ...",
        "Assembling OpenSearch 3.6.0 ...",
        "Downloading the native libraries (0.4 MB) ...",
        "Starting OpenSearch 3.6.0 ...",
        "Ready after 0 s.",
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_is_said_where_nothing_had_to_be_started(terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(file=StringIO(), force_terminal=terminal, color_system=None, width=100)
    with shown_start(console):
        pass
    assert capsys.readouterr() == ("", "")
    assert "OpenSearch" not in console.file.getvalue()  # type: ignore[attr-defined]  a StringIO


def test_terminal_has_percentage_and_size_and_a_bar_ends_with_its_phase() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=100, color_system=None, legacy_windows=False)

    def frame() -> list[str]:
        """Return the bars as they are now, each a line without what fills the width."""
        paper = Console(file=StringIO(), width=100, color_system=None)
        paper.print(bars._bars.get_renderable())  # type: ignore[attr-defined]
        return [" ".join(line.split()) for line in paper.file.getvalue().splitlines()]  # type: ignore[attr-defined]

    with shown_start(console) as bars:
        for step in STEPS[:2]:
            bars(step)
        assert frame()[0].startswith("Downloading OpenSearch 3.6.0 ")
        assert frame()[0].endswith("25 %, 27 of 108 MB")
        for step in STEPS[2:4]:
            bars(step)
        assert frame()[0].endswith("100 %, 108 of 108 MB"), "its bar is full although its last bytes were not told"
        assert [task.finished for task in bars._bars.tasks] == [True, False]  # type: ignore[attr-defined]
        assert frame()[1].startswith("Assembling OpenSearch 3.6.0 ")
        assert frame()[1].endswith(" 0 s")
