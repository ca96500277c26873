"""The messages of the server that docs/troubleshooting.md explains are those that it gives."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    Bm25Leg,
    DenseLeg,
    DocumentEncoder,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    WriteOptions,
    load_document_encoder,
)
from opensearch_neural_sparse.errors import NeuralSparseError
from tests.paths import ROOT, SMALL_MODEL

Provocation = Callable[[NeuralSparseStore], object]
MESSAGE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def _writes(**document: Any) -> Provocation:
    return lambda store: store.write([{"id": "1", "text": "A text."} | document], options=WriteOptions(max_retries=0))


def _asks(body: dict[str, Any]) -> Provocation:
    return lambda store: store.custom_search(body)


def _blocked_by(block: str) -> Provocation:
    def write(store: NeuralSparseStore) -> None:
        store.client().indices.put_settings(index=store.index, body={f"index.blocks.{block}": True})
        _writes()(store)

    return write


def _strict(store: NeuralSparseStore) -> None:
    store.client().indices.put_mapping(index=store.index, body={"dynamic": "strict"})
    _writes(metadata={"new": 1})(store)


def _create_again(store: NeuralSparseStore) -> None:
    store.write([{"id": "there", "text": "Another."}], options=WriteOptions(operation="create"))


def _create_by_a_bad_name(store: NeuralSparseStore) -> None:
    with NeuralSparseStore("Upper Case", client=store.client(), model=SMALL_MODEL) as other:
        other.create()


def _dense_of_another_length(store: NeuralSparseStore) -> None:
    store.hybrid_search("text", options=HybridOptions(legs=(Bm25Leg(), DenseLeg(vector=[1.0]))))


PROVOCATIONS: dict[str, Provocation] = {
    "failed to parse field [year] of type [long]": _writes(metadata={"year": "soon"}),
    "Limit of total fields [1000] has been exceeded": _writes(metadata={f"key{n}": n for n in range(1001)}),
    "mapping set to strict": _strict,
    "unknown field [trem]": lambda store: store.search("text", filter={"trem": {"year": 2020}}),
    "For input string": lambda store: store.search("text", filter={"term": {"year": "soon"}}),
    "No mapping found for [price] in order to sort on": _asks({"query": {"match_all": {}}, "sort": ["price"]}),
    "Text fields are not optimised for operations": _asks({"aggs": {"words": {"terms": {"field": "content"}}}}),
    "Query vector has invalid dimension": _dense_of_another_length,
    "Result window is too large": _asks({"query": {"match_all": {}}, "from": 10_000}),
    "maxClauseCount is set to 1024": _asks(
        {"query": {"bool": {"should": [{"term": {"year": n}} for n in range(1025)]}}}
    ),
    "version conflict, document already exists": _create_again,
    "document missing": lambda store: store.update_metadata({"nowhere": {"year": 2021}}),
    "blocked by: [FORBIDDEN/8/index write (api)]": _blocked_by("write"),
    "disk usage exceeded flood-stage watermark": _blocked_by("read_only_allow_delete"),
    "resource_already_exists_exception": lambda store: store.create(),
    "invalid_index_name_exception": _create_by_a_bad_name,
}


@pytest.fixture(scope="module")
def section() -> str:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    return page.partition("## Messages of the server")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def encoder() -> DocumentEncoder:
    return load_document_encoder(SMALL_MODEL)


@pytest.fixture
def store(server: Any, encoder: DocumentEncoder) -> Iterator[NeuralSparseStore]:
    made_by = {"model": SMALL_MODEL, "document_encoder": encoder, "schema": IndexSchema(embedding_dimension=3)}
    with NeuralSparseStore(f"test-{uuid.uuid4().hex}", url=server.url, **made_by) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        store.write([{"id": "there", "text": "A text.", "metadata": {"year": 2020}}])
        yield store
        store.delete_index()


def test_the_page_explains_what_is_provoked_here(section: str) -> None:
    assert MESSAGE.findall(section) == list(PROVOCATIONS)


@pytest.mark.parametrize("message", PROVOCATIONS)
def test_the_server_gives_the_message(message: str, store: NeuralSparseStore) -> None:
    with pytest.raises(NeuralSparseError, match=re.escape(message)):
        PROVOCATIONS[message](store)
