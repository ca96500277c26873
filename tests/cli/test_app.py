from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from opensearch_neural_sparse.cli.app import app, usage_message
from tests.cli.conftest import MODEL, Run
from tests.conftest import RunningServer
from tests.evaluate.collections import write_collection

pytestmark = pytest.mark.newest_server

HEAVY = ("torch", "transformers", "sentence_transformers", "onnxruntime", "opensearchpy", "huggingface_hub", "pyarrow")
MAIN = "from opensearch_neural_sparse.cli import main; main()"


def _commands(command: object = None, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    children = getattr(command or get_command(app), "commands", {})
    return [path, *(row for name, child in children.items() for row in _commands(child, (*path, name)))]


def _start(*arguments: str, code: str = MAIN, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("path", _commands(), ids=" ".join)
def test_help_says_what_each_option_is_for_within_80_columns(run: Run, path: tuple[str, ...]) -> None:
    shown = run(*path, "--help")
    assert shown.status == 0
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "…" not in shown.out


COMMANDS_WITH_HELP = (
    *("models", "index", "ingest", "search", "doctor", "evaluate", "bench"),
    *("server-model", "serve-encoder", "mcp", "devserver"),
)


def test_every_parameter_of_the_commands_over_an_index_is_explained() -> None:
    def parameters(command: object) -> list[object]:
        children = getattr(command, "commands", {}).values()
        own = getattr(command, "params", [])
        return [*own, *(parameter for child in children for parameter in parameters(child))]

    commands = get_command(app).commands  # type: ignore[attr-defined]
    rows = [row for name in COMMANDS_WITH_HELP for row in parameters(commands[name])]
    assert len(rows) > 60
    assert [row.name for row in rows if not row.help] == []  # type: ignore[attr-defined]


def test_every_command_prints_json_on_request_but_the_one_whose_output_is_a_protocol() -> None:
    def leaves(command: object) -> list[object]:
        children = getattr(command, "commands", {}).values()
        return [leaf for child in children for leaf in leaves(child)] or [command]

    commands = leaves(get_command(app))
    assert len(commands) == 29
    without = [row.name for row in commands if "--json" not in {name for option in row.params for name in option.opts}]
    assert without == ["mcp"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("frobnicate",), "No such command 'frobnicate'. See: opensearch-neural-sparse --help"),
        (("index", "create"), "Missing argument 'INDEX'. See: opensearch-neural-sparse index create --help"),
        (("models", "list", "--mode", "x"), "Invalid value for '--mode': "),
        (("search", "i", "q", "--filter", "x"), """It is not JSON, as {"term": {"lang": "en"}} is: """),
        (("models", "list", "--modle", "x"), "No such option: --modle"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_where_to_read_on(run: Run, arguments: tuple[str, ...], line: str) -> None:
    done = run(*arguments)
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert done.err.startswith("Error: ")
    assert line in done.err
    assert done.err.endswith(" --help\n")


@pytest.mark.parametrize("group", [(), ("models",), ("index",), ("server-model",), ("devserver",)])
def test_a_group_alone_shows_its_commands(run: Run, group: tuple[str, ...]) -> None:
    done = run(*group)
    assert (done.status, "Error" in done.words) == (2, False)
    assert "Commands" in done.words


def test_what_the_system_refuses_is_told_without_a_traceback(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    collection = str(write_collection(tmp_path / "sentences"))
    done = run("evaluate", collection, "--model", MODEL, "--output", str(tmp_path / "file"))
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert done.err.startswith("Error: ")
    assert "File exists" in done.err


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom opensearch_neural_sparse.cli import main\n"
        "try:\n    main(['--help'])\nfinally:\n"
        f"    sys.stderr.write(' '.join(name for name in {HEAVY} if name in sys.modules))"
    )
    done = _start(code=code)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: opensearch-neural-sparse " in done.stdout


def test_the_shell_completes_commands_and_models() -> None:
    def complete(line: str) -> list[str]:
        words = line.split(" ")
        variables = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        done = _start(_OPENSEARCH_NEURAL_SPARSE_COMPLETE="complete_bash", **variables)
        return done.stdout.split()

    assert complete("opensearch-neural-sparse mod") == ["models"]
    assert complete("opensearch-neural-sparse models show doc-v3") == ["doc-v3-distill", "doc-v3-gte"]


def test_a_warning_is_one_line() -> None:
    code = (
        "import warnings\nfrom opensearch_neural_sparse.models import registry\n"
        "registry.get_model = lambda model: warnings.warn('beware') or registry.CATALOGUE[0]\n" + MAIN
    )
    command = [sys.executable, "-c", code, "models", "show", "v1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "Warning: beware\n")


def test_the_whole_way_in_processes_of_their_own(server: RunningServer, index_name: str) -> None:
    here = {"OPENSEARCH_URL": server.url}
    made = _start("index", "create", index_name, "--model", MODEL, "--replicas", "0", **here)
    assert (made.returncode, made.stdout, made.stderr) == (0, f"{index_name} is bound to small-en.\n", "")
    row = json.dumps({"id": "1", "text": "The heart pumps blood."})
    written = _start("ingest", index_name, "-", "--model", MODEL, "--json", stdin=row, **here)
    assert (written.returncode, written.stderr) == (0, "")
    assert json.loads(written.stdout)["written"] == 1
    found = _start("search", index_name, "heart", "--model", MODEL, "--json", **here)
    assert (found.returncode, found.stderr) == (0, "")
    assert [hit["id"] for hit in json.loads(found.stdout)["hits"]] == ["1"]
    wrong = _start("search", index_name, "heart", "--url", "http://localhost:1")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [("--size", "0"), ("--size", "10001"), ("--size", "many"), ("--normalization", "rrf"), ("--bogus",)],
)
def test_wrong_options_are_refused_in_plain_words(run: Run, arguments: tuple[str, ...]) -> None:
    done = run("search", "articles", "heart", *arguments)
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert arguments[0] in done.err
    assert done.err.endswith(". See: opensearch-neural-sparse search --help\n")
    assert "Input" not in done.err
    assert "Value error" not in done.err


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("for '--n': Input should be greater than or equal to 1", "for '--n': it is 1 or more."),
        ("for '--n': Input should be less than or equal to 9.5", "for '--n': it is 9.5 or less."),
        ("for '--n': Input should be a valid integer, unable to parse string as an integer", "it is a whole number."),
        ("for '--n': Value error, 'a' is not one of 'b'.", "for '--n': 'a' is not one of 'b'."),
        ("No such option: --a\n(Possible options: --b)", "No such option: --a (Possible options: --b)."),
        ("Missing argument 'QUERY'.", "Missing argument 'QUERY'."),
    ],
)
def test_words_of_the_library_that_checks_options_become_plain(words: str, plain: str) -> None:
    class RefusedError(Exception):
        def format_message(self) -> str:
            return words

    assert usage_message(RefusedError()).endswith(plain)
