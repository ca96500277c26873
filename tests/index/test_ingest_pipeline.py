"""The ingest pipeline of an index that the server encodes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from opensearch_neural_sparse import IndexSchema, Prune, ServerChunking, ServerEncoding
from opensearch_neural_sparse.index.ingest_pipeline import is_replaceable, pipeline_body, pipeline_difference

ENCODING, SCHEMA = ServerEncoding(model_id="m-1", batch_size=5), IndexSchema()
PRUNE = {"type": "top_k", "ratio": 5}
BODY = pipeline_body(ENCODING, SCHEMA, PRUNE, owner="articles")


def test_body_names_model_fields_and_pruning() -> None:
    assert BODY == {
        "description": "opensearch-neural-sparse encodes content of articles into sparse_vector",
        "processors": [
            {
                "sparse_encoding": {
                    "model_id": "m-1",
                    "field_map": {"content": "sparse_vector"},
                    "batch_size": 5,
                    "prune_type": "top_k",
                    "prune_ratio": 5,
                }
            }
        ],
    }


@pytest.mark.parametrize("rule", [None, Prune(type="none").to_dict()])
def test_whole_vectors_need_no_ratio(rule: dict[str, Any] | None) -> None:
    (step,) = pipeline_body(ENCODING, SCHEMA, rule, owner="articles")["processors"]
    assert "prune_ratio" not in step["sparse_encoding"]


def test_a_pipeline_is_like_its_own_body() -> None:
    assert pipeline_difference(BODY, ENCODING, SCHEMA, PRUNE) is None


def test_batches_and_further_processors_are_left_to_whoever_runs_the_server() -> None:
    found = deepcopy(BODY)
    found["processors"][0]["sparse_encoding"]["batch_size"] = 50
    found["processors"].insert(0, {"set": {"field": "lang", "value": "en"}})
    assert pipeline_difference(found, ENCODING, SCHEMA, PRUNE) is None


@pytest.mark.parametrize(
    ("name", "value"), [("model_id", "m-2"), ("field_map", {"title": "sparse_vector"}), ("prune_ratio", 6)]
)
def test_another_setting_is_named(name: str, value: object) -> None:
    found = deepcopy(BODY)
    found["processors"][0]["sparse_encoding"][name] = value
    assert f"its {name} is {value!r}, not" in str(pipeline_difference(found, ENCODING, SCHEMA, PRUNE))


def test_a_pipeline_that_fills_another_field_is_another_one() -> None:
    assert "no processor 'sparse_encoding'" in str(pipeline_difference({"processors": []}, ENCODING, SCHEMA, PRUNE))
    other = pipeline_body(ENCODING, IndexSchema(sparse_field="other"), PRUNE, owner="articles")
    assert "that fills field 'sparse_vector'" in str(pipeline_difference(other, ENCODING, SCHEMA, PRUNE))


def test_only_a_pipeline_of_the_same_index_is_replaced() -> None:
    assert is_replaceable(pipeline_body(ServerEncoding(model_id="m-2"), SCHEMA, None, owner="articles"), BODY)
    assert not is_replaceable(pipeline_body(ENCODING, SCHEMA, PRUNE, owner="others"), BODY)
    assert not is_replaceable({"processors": []}, BODY)


def test_texts_are_cut_before_they_are_encoded() -> None:
    rule = ServerChunking(token_limit=200, overlap_rate=0.1, max_chunk_limit=20)
    encoding, schema = ServerEncoding(model_id="m-1", chunking=rule), IndexSchema(server_chunking=rule)
    body = pipeline_body(encoding, schema, None, owner="articles")
    cut, encoded = (next(iter(step.values())) for step in body["processors"])
    assert cut["algorithm"]["fixed_token_length"]["max_chunk_limit"] == 20
    assert (cut["field_map"], encoded["field_map"]) == ({"content": "passages"}, {"passages": "chunks"})
    assert pipeline_difference(body, encoding, schema, None) is None
    other = ServerEncoding(model_id="m-1", chunking="fixed_token_length:100")
    assert "its algorithm is" in str(pipeline_difference(body, other, schema, None))
    whole = ServerEncoding(model_id="m-1")
    assert "that fills field 'sparse_vector'" in str(pipeline_difference(body, whole, SCHEMA, None))
