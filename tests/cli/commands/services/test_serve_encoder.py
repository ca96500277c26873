"""Encoders that `serve-encoder` loads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from opensearch_neural_sparse.cli.commands.services.serve_encoder import address_of, load_encoders
from opensearch_neural_sparse.encode.query_encoder import IdfQueryEncoder, NeuralQueryEncoder
from tests.cli.conftest import MODEL


def test_a_doc_only_model_has_its_table_for_queries() -> None:
    documents, queries = load_encoders(MODEL, engine="onnx", max_length=64)
    with closing(documents):
        assert documents.max_length == 64
        assert isinstance(queries, IdfQueryEncoder)


@pytest.mark.parametrize("prompts", [{}, {"query": "search: ", "document": ""}], ids=["same", "unlike"])
def test_a_bi_encoder_is_loaded_once_unless_its_sides_have_unlike_prompts(
    snapshot: Callable[..., Path], tmp_path: Path, prompts: dict[str, str]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(snapshot(mode="bi-encoder"), folder)
    path = folder / "config_sentence_transformers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"prompts": prompts}))
    documents, queries = load_encoders(str(folder), engine="onnx", threads=1)
    with closing(documents):
        assert isinstance(queries, NeuralQueryEncoder)
        assert (queries.engine is documents) is not bool(prompts)
        expected = documents.encode_documents([prompts.get("query", "") + "heart"])[0]
        assert dict(queries.encode_query("heart")) == pytest.approx(dict(expected), abs=1e-5)


def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert address_of("::1", 80) == "http://[::1]:80"
    assert address_of("127.0.0.1", 80) == "http://127.0.0.1:80"
