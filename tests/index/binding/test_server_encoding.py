"""The part of a stamp that says how the server encodes an index."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from tests.index.binding.test_model_binding import BINDING

SERVER = ServerEncoding(model_id="x1", query_model_id="x2", pipeline="p", content_sha256="c", probe={"stone": 1.5})


def test_stamp_keeps_how_the_server_encodes() -> None:
    bound = replace(BINDING, server=SERVER)
    assert ModelBinding.from_meta(bound.to_meta()) == bound
    assert bound.identity == BINDING.identity


def test_stamp_of_an_index_that_clients_encode_is_as_ever() -> None:
    assert "server" not in BINDING.to_meta()
    assert ModelBinding.from_meta(BINDING.to_meta()).server is None


@pytest.mark.parametrize("part", [{}, {"model_id": " "}, {"model_id": "x", "batch_size": 0}, "x1"])
def test_damaged_part_is_refused(part: Any) -> None:
    with pytest.raises(IndexSchemaError, match="stamp of the index is damaged"):
        ModelBinding.from_meta({**BINDING.to_meta(), "server": part})


def test_unknown_keys_are_ignored() -> None:
    assert ServerEncoding.from_meta({**asdict(SERVER), "later": 1}) == SERVER
