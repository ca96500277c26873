from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensearch_neural_sparse.encode.encoding_settings import FILE, EncodingSettings, read_encoding_settings
from opensearch_neural_sparse.errors import ModelFilesError
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
