"""Folders of models of one weight for each token: how they are recognised, and that reading them runs no code."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import Family, ModelFilesError, get_model, load_document_encoder, resolve_files
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.models.files.scalar.families import find_family
from opensearch_neural_sparse.models.files.scalar.pickled import pickled_names, read_pickled
from tests.toy import write_bi_encoder, write_doc_only, write_json, write_safetensors, write_tokenizer

Snapshot = Callable[..., Path]


class RunsCode:
    """Pickled as a call of `os.mkdir`, which unpickling runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def write_archive(path: Path, content: Any) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("spelled", ["tok_proj", "coil_encoder.tok_proj", "impact_score_encoder.0"])
def test_tensor_names_tell_the_family(tmp_path: Path, spelled: str) -> None:
    write_json(tmp_path / "config.json", {"model_type": "bert", "architectures": ["BertModel"]})
    write_safetensors(tmp_path / "model.safetensors", {f"{spelled}.weight": [0.5], f"{spelled}.bias": [0.5]})
    assert find_family(tmp_path) is (Family.DEEP_IMPACT if "impact" in spelled else Family.UNICOIL)


def test_models_of_sentence_transformers_are_splade(tmp_path: Path) -> None:
    assert find_family(write_doc_only(tmp_path / "one")) is Family.SPLADE
    assert find_family(write_bi_encoder(tmp_path / "other")) is Family.SPLADE


def test_minicoil_is_refused_with_the_reason(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"model_type": "minicoil", "architectures": []})
    with pytest.raises(ModelFilesError, match="half of them negative"):
        get_model(tmp_path)


def test_a_model_of_another_mode_is_refused(scalar_snapshot: Snapshot, tmp_path: Path) -> None:
    spec = get_model(scalar_snapshot("unicoil"))
    with pytest.raises(ModelFilesError, match="unicoil model, which is bi-encoder"):
        resolve_files(replace(spec, mode="doc-only"))


@pytest.mark.parametrize("name", ["sparse_linear.pt", "pytorch_model.bin"])
def test_pickles_run_no_code(scalar_snapshot: Snapshot, tmp_path: Path, name: str) -> None:
    folder, trap = tmp_path / "model", tmp_path / "trap"
    family = "bge-m3" if name.startswith("sparse") else "unicoil"
    shutil.copytree(scalar_snapshot(family, pickled=True), folder)
    write_archive(folder / name, {"weight": RunsCode(trap), "coil_encoder.tok_proj.weight": RunsCode(trap)})
    with pytest.raises(ModelFilesError, match="reading it could run code"):
        load_document_encoder(folder)
    assert not trap.exists()


def test_pickles_of_the_body_run_no_code(scalar_snapshot: Snapshot, tmp_path: Path) -> None:
    folder, trap = tmp_path / "model", tmp_path / "trap"
    shutil.copytree(scalar_snapshot("bge-m3", pickled=True), folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(RunsCode(trap)))
    with pytest.raises(ModelFilesError, match="no zip archive of PyTorch"):
        load_document_encoder(folder)
    write_archive(folder / "pytorch_model.bin", RunsCode(trap))
    with pytest.raises(ModelFilesError, match="reading it could run code"):
        load_document_encoder(folder)
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_damaged_heads_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sparse_linear.pt").write_bytes(content)
    for read in (pickled_names, read_pickled):
        with pytest.raises(ModelFilesError, match="no zip archive"):
            read(tmp_path / "sparse_linear.pt")


def test_pickled_tensors_are_those_of_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    whole = torch.arange(12.0).reshape(3, 4)
    tensors = {"part": whole[1:2], "half": whole.half(), "brain": whole.bfloat16(), "bias": torch.tensor([0.5])}
    torch.save(tensors, tmp_path / "head.pt")
    assert pickled_names(tmp_path / "head.pt") == [*tensors]
    for name, tensor in read_pickled(tmp_path / "head.pt").items():
        assert tensor.tolist() == tensors[name].float().tolist()
    torch.save({"turned": whole.T}, tmp_path / "turned.pt")
    with pytest.raises(ModelFilesError, match="row by row"):
        read_pickled(tmp_path / "turned.pt")


def test_the_head_counts_in_the_fingerprint(scalar_snapshot: Snapshot, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    folder = tmp_path / "bge-m3-toy"
    shutil.copytree(scalar_snapshot("bge-m3"), folder)
    before = resolve_files(get_model(folder)).weights_sha256
    head = torch.load(folder / "sparse_linear.pt", weights_only=True)
    torch.save({**head, "bias": head["bias"] + 1}, folder / "sparse_linear.pt")
    after = resolve_files(get_model(folder))
    assert before != after.weights_sha256
    assert after.query_sha256 == after.weights_sha256


def test_the_query_side_of_deep_impact_is_how_words_are_found(tmp_path: Path) -> None:
    query_sides = set()
    for name, extra in (("a", {}), ("b", {}), ("c", {"normalizer": None})):
        folder = tmp_path / name
        write_json(
            folder / "config.json",
            {"model_type": "bert", "architectures": ["DeepImpact"], "vocab_size": 12, "max_position_embeddings": 64},
        )
        write_tokenizer(folder, **extra)
        weights = {"impact_score_encoder.0.weight": [float(len(name + str(extra)))]}
        write_safetensors(folder / "model.safetensors", weights)
        query_sides.add(resolve_files(get_model(folder), side=Side.QUERY).query_sha256)
    assert len(query_sides) == 2, "weights do not count, the normaliser does"


def test_a_head_of_another_shape_is_refused(scalar_snapshot: Snapshot, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    folder = tmp_path / "model"
    shutil.copytree(scalar_snapshot("bge-m3"), folder)
    torch.save({"weight": torch.zeros(2, 32), "bias": torch.zeros(2)}, folder / "sparse_linear.pt")
    for engine in ("torch", "onnx"):
        with pytest.raises(ModelFilesError, match="no head of one output"):
            load_document_encoder(folder, engine=engine)


def test_missing_tensors_are_named(scalar_snapshot: Snapshot, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(scalar_snapshot("unicoil"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(ModelFilesError, match=r"lacks .* tensors"):
        load_document_encoder(folder, engine="torch")
