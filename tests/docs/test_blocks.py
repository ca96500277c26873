"""Every fenced block of the pages is run by a test, or its commands are held against what there is."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator

import pytest
import typer

from opensearch_neural_sparse.cli.app import app
from tests.docs.test_outputs import WITH_OUTPUTS
from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\S+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHELL = {"bash", "sh", "shell"}
ELSEWHERE = {
    ("docs/cli.md", "bash"): "tests/cli/test_page.py runs it",
    ("docs/install.md", "text"): "tests/cli/test_page.py compares it with what `doctor` prints",
    ("docs/agents.md", "json"): "tests/mcp_server/test_page.py reads it as a client does",
    **{(page, "text"): "tests/docs/test_outputs.py compares it with what the snippet prints" for page in WITH_OUTPUTS},
    ("docs/security.md", "text"): "tests/secured/test_roles.py compares it with what is raised",
    ("docs/troubleshooting.md", "text"): "tests/docs/test_messages.py compares it with what is raised",
}
EVERYWHERE = {
    "python": "tests/docs/test_snippets.py runs it",
    "{eval-rst}": "Sphinx reads it",
    "{toctree}": "Sphinx reads it",
    "{include}": "Sphinx reads it",
}
NOT_RUN = {
    "pip install": "it would install the released package; the extras are checked",
    "make": "demo and tests have tests of their own; the targets are checked",
    "opensearch-neural-sparse": "it needs a server of its own or a corpus; the options are checked, tests/cli runs it",
    "python -m": "hours, or a corpus that is not here; the options are checked, the module has tests of its own",
    "python -m venv": "it is Python's own",
    "hf download": "it needs the hub",
    "export": "it keeps an address",
    "unset": "it is the shell's own",
    "source": "it is the shell's own",
    "cd": "it is the shell's own",
    "curl": "it needs a server, which tests/devserver and tests/serving start",
}
"""How a command begins -> why no test runs it as it stands."""
COMMANDS = typer.main.get_command(app)
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def _blocks() -> Iterator[tuple[str, str, str]]:
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield name, language, text


def _commands() -> list[str]:
    """Return the shell commands that no test runs, each in one line."""
    texts = [text for page, language, text in _blocks() if language in SHELL and (page, language) not in ELSEWHERE]
    lines = "".join(texts).replace("\\\n", " ").splitlines()
    inner = [command for line in lines for command in re.findall(r"\$\(([^)]+)\)", line) if not line.startswith("curl")]
    return sorted({*filter(None, lines), *inner})


def _options_of(words: list[str]) -> set[str]:
    command = COMMANDS
    for word in words:
        if not word.startswith("-"):
            command = getattr(command, "commands", {word: command})[word]
    return {option for parameter in command.params for option in parameter.opts}


def _source_of(module: str) -> str:
    place = ROOT / module.replace(".", "/")
    files = place.glob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    return "".join(file.read_text(encoding="utf-8") for file in files)


def test_every_block_has_a_test() -> None:
    unknown = {
        (page, language)
        for page, language, _ in _blocks()
        if (page, language) not in ELSEWHERE and language not in EVERYWHERE.keys() | SHELL
    }
    assert unknown == set()


@pytest.mark.parametrize("command", _commands())
def test_a_command_that_is_not_run_is_listed_and_names_what_there_is(command: str) -> None:
    words = shlex.split(command, comments=True)
    assert any(command.startswith(f"{beginning} ") for beginning in NOT_RUN)
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    match words:
        case ["pip", "install", *packages]:
            wanted = re.findall(r"\[([\w,]+)\]", " ".join(name for name in packages if "sentence" not in name))
            assert {extra for extras in wanted for extra in extras.split(",")} <= EXTRAS.keys()
        case ["make", target, *_]:
            assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
        case ["opensearch-neural-sparse", *rest]:
            assert given <= _options_of(rest)
        case ["python", "-m", module, *_] if module != "venv":
            source = _source_of(module)
            assert [option for option in given if f'"{option}"' not in source] == []


def test_no_reason_is_left_over() -> None:
    assert [beginning for beginning in NOT_RUN if not any(c.startswith(f"{beginning} ") for c in _commands())] == []
