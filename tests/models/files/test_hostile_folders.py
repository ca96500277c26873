"""Model folders made to run code, or to read files that are not the model's."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import ModelFilesError, get_model, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.models.files.layout import read_layout
from opensearch_neural_sparse.models.files.resolve import resolve_files
from tests import toy

EVIL = "import pathlib; pathlib.Path({marker!r}).touch()\nclass Router: pass\nclass MLMTransformer: pass\n"
FOREIGN = [
    "evilrouter.Router",
    "attacker/payload--modeling.Router",
    "Router",
    "",
    "sentence_transformersx.Router",
    "sentence_transformers/evil--x.Router",
    "sentence_transformers..Router",
]


@pytest.fixture
def folder(tmp_path: Path, snapshot: Callable[..., Path]) -> Path:
    """A whole model that a test may change."""
    return Path(shutil.copytree(snapshot(), tmp_path / "model"))


def change(path: Path, edit: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("kind", FOREIGN)
def test_module_of_another_package_is_refused(tmp_path: Path, kind: str) -> None:
    toy.write_doc_only(tmp_path)
    change(tmp_path / "modules.json", lambda modules: modules[0].update(type=kind))
    with pytest.raises(ModelFilesError, match=r"modules\.json names the module .* no part of sentence-transformers"):
        read_layout(tmp_path)


@pytest.mark.parametrize("part", ["document_0_MLMTransformer", "document_1_SpladePooling", "unused"])
def test_module_of_another_package_within_a_router_is_refused(tmp_path: Path, part: str) -> None:
    toy.write_doc_only(tmp_path)
    change(tmp_path / "router_config.json", lambda router: router["types"].update({part: "evil.SpladePooling"}))
    with pytest.raises(ModelFilesError, match=r"router_config\.json names the module 'evil\.SpladePooling'"):
        read_layout(tmp_path)


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_code_beside_the_model_does_not_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Any
) -> None:
    marker = tmp_path / "ran"
    for place in (folder, tmp_path):
        (place / "evilrouter.py").write_text(EVIL.format(marker=str(marker)))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    change(folder / "modules.json", lambda modules: modules[0].update(type="evilrouter.Router"))
    with pytest.raises(ModelFilesError, match="evilrouter"):
        load_document_encoder(folder, engine=engine)
    with pytest.raises(ModelFilesError, match="evilrouter"):
        load_query_encoder(folder)
    assert not marker.exists()


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def test_pickled_weights_are_refused_and_never_run(folder: Path, tmp_path: Path) -> None:
    weights, marker = folder / "document_0_MLMTransformer" / "model.safetensors", tmp_path / "ran"
    weights.unlink()
    weights.with_name("pytorch_model.bin").write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(ModelFilesError, match=r"pickled \(pytorch_model\.bin\).*safetensors"):
        load_document_encoder(folder, engine="torch")
    with pytest.raises(ModelFilesError, match="sentence-transformers cannot load"):
        load_document_encoder(folder, engine="torch", trust_remote_code=True)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["../other", "/etc", "document_0_MLMTransformer/../../other"])
def test_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    toy.write_doc_only(tmp_path)
    change(tmp_path / "modules.json", lambda modules: modules[0].update(path=name))
    with pytest.raises(ModelFilesError, match="not in the model's folder"):
        read_layout(tmp_path)


def test_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    model, secret = toy.write_doc_only(tmp_path / "model"), tmp_path / "secret"
    secret.write_text("{}")
    (model / "notes.json").symlink_to(secret)
    with pytest.raises(ModelFilesError, match=r"notes\.json is a link that leaves"):
        resolve_files(get_model(model))


def test_links_within_the_folder_and_within_the_hubs_cache_are_followed(tmp_path: Path) -> None:
    model = toy.write_doc_only(tmp_path / "models--a--b" / "snapshots" / "0123")
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    (model / "idf.json").rename(blobs / "x")
    (model / "idf.json").symlink_to("../../blobs/x")
    (model / "same.json").symlink_to("modules.json")
    assert resolve_files(get_model(model)).idf == model / "idf.json"
