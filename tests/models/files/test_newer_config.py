from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import CrossEncoderReranker, ModelFilesError, load_document_encoder
from opensearch_neural_sparse.models.files import newer_config
from opensearch_neural_sparse.models.files.json_file import JsonObject
from opensearch_neural_sparse.models.files.newer_config import check_transformers_reads
from tests.rerank.cross_encoders import write_cross_encoder

ROTARY = {"rope_parameters": {"rope_type": "default", "rope_theta": 7000.0}}
LAYERS = {"model_type": "modernbert", "layer_types": ["full_attention"]}


def config(entries: dict[str, Any]) -> JsonObject:
    return JsonObject(Path("model/config.json"), entries)


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        (ROTARY, "has rope_parameters, which"),
        (LAYERS, "has layer_types, which"),
        ({**LAYERS, **ROTARY}, "has rope_parameters and layer_types, which"),
    ],
)
def test_entries_that_transformers_4_leaves_unread_are_refused(entries: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelFilesError, match=rf"{named} transformers 4\.57\.6 does not read.*'transformers>=5'"):
        check_transformers_reads(config(entries), "4.57.6")
    check_transformers_reads(config(entries), "5.0.0")


@pytest.mark.parametrize(
    "entries",
    [
        {"model_type": "bert"},
        {"model_type": "modernbert", "global_rope_theta": 7000.0},
        {"rope_parameters": None},
        {"model_type": "gemma2", "layer_types": ["sliding_attention"]},
    ],
)
def test_entries_that_every_version_reads_pass(entries: dict[str, Any]) -> None:
    check_transformers_reads(config(entries), "4.53.3")


def encode(folder: Path) -> None:
    load_document_encoder(folder, engine="torch").encode_documents(["rain"])


def rerank(folder: Path) -> None:
    CrossEncoderReranker(folder).score("rain", ["rain"])


@pytest.mark.parametrize(
    ("model", "run"),
    [("encoder", encode), ("scalar", encode), ("cross-encoder", rerank)],
    ids=["a masked language model", "a scalar model", "a cross-encoder"],
)
def test_torch_runs_no_network_that_transformers_would_read_in_part(
    model: str,
    run: Callable[[Path], None],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pytest.importorskip("sentence_transformers", reason="the encode extra is not installed")
    folder = write_model(model, request, tmp_path)
    run(folder)
    (file,) = (path for path in folder.rglob("config.json") if "model_type" in path.read_text())
    file.write_text(json.dumps({**json.loads(file.read_text()), **ROTARY}))
    monkeypatch.setattr(newer_config, "version", lambda name: "4.57.6")
    with pytest.raises(ModelFilesError, match="has rope_parameters"):
        run(folder)


def write_model(model: str, request: pytest.FixtureRequest, target: Path) -> Path:
    """Write a model of a kind; a folder that tests share is copied."""
    match model:
        case "encoder":
            folder = request.getfixturevalue("snapshot")()
        case "scalar":
            folder = request.getfixturevalue("scalar_snapshot")("bge-m3")
        case _:
            folder = write_cross_encoder(target / "original")
    return Path(shutil.copytree(folder, target / "model"))
