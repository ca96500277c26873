from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from opensearch_neural_sparse.encode.encoding_settings import (
    FILE,
    EncodingSettings,
    document_dims,
    query_dims,
    read_encoding_settings,
)
from opensearch_neural_sparse.encode.query_encoder import load_query_encoder
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import ModelSpec
from tests.paths import SMALL_MODEL


def settings(folder: Path, **config: object) -> EncodingSettings:
    (folder / FILE).write_text(json.dumps(config))
    return read_encoding_settings(folder)


def test_the_bundled_model_has_no_prompts_and_no_limit():
    assert read_encoding_settings(SMALL_MODEL) == EncodingSettings()


def test_a_folder_without_settings_has_none(tmp_path: Path):
    assert read_encoding_settings(tmp_path) == EncodingSettings()


def test_prompts_and_limit_are_read(tmp_path: Path):
    found = settings(tmp_path, prompts={"query": "q: ", "document": "d: "}, max_active_dims=64)
    assert found == EncodingSettings(query_prompt="q: ", document_prompt="d: ", max_active_dims=64)


def test_a_prompt_that_is_null_is_none(tmp_path: Path):
    assert settings(tmp_path, prompts={"query": None, "document": None}) == EncodingSettings()


def test_an_empty_document_prompt_comes_before_others_as_in_sentence_transformers(tmp_path: Path):
    assert settings(tmp_path, prompts={"passage": "p: "}).document_prompt == ""


def test_settings_that_are_not_json_are_an_error(tmp_path: Path):
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ModelFilesError, match=FILE):
        read_encoding_settings(tmp_path)


def test_the_caller_comes_before_the_catalogue_and_the_catalogue_before_the_files():
    spec = ModelSpec(id="a/b", name="b", mode="bi-encoder", activation="relu", vocabulary_size=500)
    rated = replace(spec, max_active_dims=192, query_max_active_dims=50)
    own, none = EncodingSettings(max_active_dims=64), EncodingSettings()
    cases = ((7, rated), (None, rated), (None, spec))
    assert [document_dims(given, known, own) for given, known in cases] == [7, 192, 64]
    assert [query_dims(given, known, own) for given, known in cases] == [7, 50, 64]
    assert document_dims(None, spec, none) is query_dims(None, spec, none) is None


def test_the_size_of_the_vocabulary_keeps_all_tokens():
    spec = ModelSpec(id="a/b", name="b", mode="bi-encoder", activation="relu", vocabulary_size=500, max_active_dims=192)
    assert document_dims(500, spec, EncodingSettings()) is None
    assert query_dims(500, spec, EncodingSettings(max_active_dims=3)) is None


def test_a_doc_only_models_limit_holds_for_its_queries():
    spec = replace(get_model(SMALL_MODEL), query_max_active_dims=3)
    query = "why does a volcano erupt"
    kept = load_query_encoder(spec).encode_query(query)
    whole = load_query_encoder(spec, max_active_dims=spec.vocabulary_size).encode_query(query)
    assert dict(kept) == dict(whole.top(3))
    assert len(whole) > 3
    assert len(load_query_encoder(spec, max_active_dims=2).encode_queries([query])[0]) == 2
    with pytest.raises(ValueError, match=r"max_active_dims is 0; it must be 1 or more"):
        load_query_encoder(spec, max_active_dims=0)
