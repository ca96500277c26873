"""The wheel, installed into clean environments, with and without its extras."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.slow

UV = str(Path(sys.executable).with_name("uv"))
PACKAGES = {
    "haystack": [
        "haystack_integrations.document_stores.opensearch_neural_sparse",
        "haystack_integrations.components.embedders.opensearch_neural_sparse",
        "haystack_integrations.components.preprocessors.opensearch_neural_sparse",
        "haystack_integrations.components.retrievers.opensearch_neural_sparse",
        "haystack_integrations.components.super_components.opensearch_neural_sparse",
    ],
    "langchain": ["langchain_opensearch_neural_sparse"],
}
SHARED_LEVELS = [
    "haystack_integrations",
    "haystack_integrations/components",
    "haystack_integrations/components/embedders",
    "haystack_integrations/components/preprocessors",
    "haystack_integrations/components/retrievers",
    "haystack_integrations/components/super_components",
    "haystack_integrations/document_stores",
]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(sys.executable).parent)


def _checked(*command: str) -> str:
    done = _run(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    _checked(UV, "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def make_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory):
    def make(extra: str = "") -> str:
        folder = tmp_path_factory.mktemp(extra or "plain")
        _checked(UV, "venv", "--quiet", "--python", sys.executable, str(folder))
        python = str(folder / "bin" / "python")
        _checked(UV, "pip", "install", "--quiet", "--python", python, f"{wheel}[{extra}]" if extra else str(wheel))
        return python

    return make


def test_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"opensearch_neural_sparse", "haystack_integrations", "langchain_opensearch_neural_sparse"}
    assert {name for name in names if name.endswith("py.typed")} == {
        "opensearch_neural_sparse/py.typed",
        "langchain_opensearch_neural_sparse/py.typed",
        *(f"{package.replace('.', '/')}/py.typed" for package in PACKAGES["haystack"]),
    }
    assert not [name for name in names if name.endswith((".safetensors", ".pyc"))]


@pytest.mark.parametrize("level", SHARED_LEVELS)
def test_levels_shared_with_other_distributions_hold_no_file_of_ours(level: str) -> None:
    folder = ROOT / "integrations" / level
    assert folder.is_dir()
    assert [path.name for path in folder.iterdir() if path.is_file()] == []


def test_core_imports_in_a_plain_environment_and_the_layers_name_their_extra(make_environment) -> None:
    python = make_environment()
    _checked(
        python, "-W", "error", "-c", "import opensearch_neural_sparse as core; [getattr(core, n) for n in core.__all__]"
    )
    for extra, packages in PACKAGES.items():
        for package in packages:
            done = _run(python, "-c", f"import {package}")
            assert done.returncode == 1
            assert done.stderr.splitlines()[-1].startswith("opensearch_neural_sparse.errors.MissingDependencyError")
            assert f"pip install 'opensearch-neural-sparse[{extra}]'" in done.stderr


def test_command_line_without_its_extra_says_how_to_get_it(make_environment) -> None:
    done = _run(str(Path(make_environment()).with_name("opensearch-neural-sparse")), "--version")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "pip install 'opensearch-neural-sparse[cli]'" in done.stderr


@pytest.mark.parametrize("extra", PACKAGES)
def test_layer_imports_where_its_extra_is_installed(make_environment, extra: str) -> None:
    python = make_environment(extra)
    for package in PACKAGES[extra]:
        _checked(python, "-c", f"import {package} as layer; [getattr(layer, n) for n in layer.__all__]")
