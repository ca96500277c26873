"""Models of installed packages: the bundled model as a wheel, and packages without files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from opensearch_neural_sparse import UnknownModelError, get_model
from opensearch_neural_sparse.models.files.resolve import resolve_files
from tests.paths import ROOT, SMALL_MODEL

ASK = """
import json
from opensearch_neural_sparse import get_model, list_models, load_query_encoder
model = get_model("small-en")
print(json.dumps({
    "name": model.name, "path": str(model.path), "licence": model.licence,
    "listed": [spec.name for spec in list_models()],
    "query": load_query_encoder("small-en").encode_query("river").to_dict(),
}))
"""


def _python(code: str, *places: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (ROOT / "integrations", *places)))
    command, environment = [sys.executable, "-c", code], {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def _package(folder: Path, entry: str) -> Path:
    """Write the metadata of an installed package that names a model."""
    metadata = folder / "broken_model-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.4\nName: broken-model\nVersion: 1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(
        f"[opensearch_neural_sparse.models]\nbroken = {entry}\n", encoding="utf-8"
    )
    return folder


@pytest.mark.slow
def test_the_wheel_of_the_bundled_model_brings_its_files_by_name(small_model_package: Path) -> None:
    done = _python(ASK, small_model_package)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["name"] == "small-en" == found["listed"][-1]
    assert found["licence"] == "Apache-2.0"
    assert found["query"].keys() == {"river"}
    installed, bundled = resolve_files(get_model(Path(found["path"]))), resolve_files(get_model(SMALL_MODEL))
    assert installed.query_sha256 == bundled.query_sha256
    assert installed.weights_sha256 == bundled.weights_sha256


@pytest.mark.parametrize("entry", ["no_such_package", "json", "os.path"])
def test_a_package_without_files_is_named_and_hides_no_other_model(tmp_path: Path, entry: str) -> None:
    place = _package(tmp_path, entry)
    code = "from opensearch_neural_sparse import get_model; print(get_model('doc-v3-gte').name); get_model('broken')"
    done = _python(code, place)
    assert done.stdout == "doc-v3-gte\n"
    assert "ModelFilesError: The package broken-model names a model 'broken', but has no folder 'model'" in done.stderr
    assert "pip install --force-reinstall broken-model" in done.stderr


def test_a_misspelt_name_of_an_installed_model_is_suggested(tmp_path: Path) -> None:
    done = _python("from opensearch_neural_sparse import get_model; get_model('brokem')", _package(tmp_path, "json"))
    assert "broken" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["small-en", "smal-en"])
def test_a_model_of_a_package_that_is_not_installed_names_the_package(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opensearch_neural_sparse.models.registry.installed_models", dict)
    way_out = "pip install opensearch-neural-sparse-small-en$" if name == "small-en" else "Did you mean 'small-en'"
    with pytest.raises(UnknownModelError, match=way_out):
        get_model(name)
