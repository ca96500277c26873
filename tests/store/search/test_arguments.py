"""What is asked wrongly is refused in one line that names what is allowed, by both stores."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    BulkWriteError,
    DenseLeg,
    HybridOptions,
    IndexNotFoundError,
    IndexSchema,
    IndexSchemaError,
    InvalidRequestError,
    NeuralSparseStore,
    RequestOptions,
    SearchOptions,
    SparseDocument,
    SparseLeg,
    get_model,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

pytestmark = pytest.mark.newest_server

VECTOR = [0.25, 0.5, 1.0]
Call = Callable[..., Any]


@pytest.fixture
def dense(make_store: MakeStore) -> NeuralSparseStore:
    store = make_store(schema=IndexSchema(embedding_dimension=3))
    store.create(settings={"number_of_shards": 1})
    store.write([{"id": "1", "text": "red mars", "embedding": VECTOR}])
    return store


@pytest.fixture(params=["blocking", "awaited"])
def call(request: pytest.FixtureRequest, server: RunningServer, index_name: str, encoder: WordEncoder) -> Call:
    """Call a method of either store: `call("search", "red")`."""
    options: dict[str, Any] = {"url": server.url, "query_encoder": encoder, "document_encoder": encoder}

    async def call_awaited(method: str, *arguments: Any, **keywords: Any) -> Any:
        async with AsyncNeuralSparseStore(index_name, **options) as store:
            result = getattr(store, method)(*arguments, **keywords)
            return await result if inspect.isawaitable(result) else [row async for row in result]

    def call_it(method: str, *arguments: Any, **keywords: Any) -> Any:
        if request.param == "awaited":
            return asyncio.run(call_awaited(method, *arguments, **keywords))
        with NeuralSparseStore(index_name, **options) as store:
            return getattr(store, method)(*arguments, **keywords)

    return call_it


SEARCHES: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("search", (["red"],), {}, "A query is one text, or a mapping of token to weight, got list."),
    ("search", (None,), {}, "A query is one text, or a mapping of token to weight, got NoneType."),
    ("search", (b"red",), {}, "A query is one text, or a mapping of token to weight, got bytes."),
    ("search_many", ("red",), {}, "search_many() takes several queries, got one; put it into a list."),
    ("search_many", ([None],), {}, "A query is one text, or a mapping of token to weight, got NoneType."),
    ("match_search", (None,), {}, "A BM25 query is one text, got NoneType."),
    ("hybrid_search", (["red"],), {}, "A BM25 query is one text, got list."),
    ("hybrid_search", ("red",), {"vector": [1.0]}, "vector is a mapping of token to weight, got list."),
    ("hybrid_search", ("red",), {"options": SearchOptions()}, "options is a HybridOptions, got SearchOptions."),
    ("search", ("red",), {"options": HybridOptions()}, "options is a SearchOptions, got HybridOptions."),
    ("search", ("red",), {"options": None}, "options is a SearchOptions, got NoneType."),
    ("match_search", ("red",), {"request": SearchOptions()}, "request is a RequestOptions, got SearchOptions."),
    ("custom_search", ("red",), {}, "The body of a search is a mapping, got str."),
    (
        "custom_search",
        ({"query": "$sparse"},),
        {"query": 5},
        "A query is one text, or a mapping of token to weight, got int.",
    ),
    ("write", ("red",), {}, "write() takes several documents, got one str; put it into a list."),
    ("write", (None,), {}, "write() takes several documents, as a list, got NoneType."),
    ("get", ("1",), {}, "Several ids are taken, got the one string '1'; put it into a list."),
    ("get", (None,), {}, "Several ids are taken, as a list of texts, got NoneType."),
    ("delete", (5,), {}, "Several ids are taken, as a list of texts, got int."),
]


@pytest.mark.parametrize(("method", "arguments", "keywords", "message"), SEARCHES)
def test_argument_of_another_type_is_named(
    dense: NeuralSparseStore,
    call: Call,
    method: str,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(TypeError) as error:
        call(method, *arguments, **keywords)
    assert str(error.value) == message


@pytest.mark.parametrize("size", [0, -1, "10", 10_001, 1.5, True, None])
def test_size_out_of_range_is_named(dense: NeuralSparseStore, call: Call, size: Any) -> None:
    for method in ("search", "match_search", "hybrid_search"):
        with pytest.raises(ValueError, match=f"size lies between 1 and 10000, got {size!r}"):
            call(method, "red", size=size)
        with pytest.raises(ValueError, match="offset lies between 0 and 10000 less size"):
            call(method, "red", offset=-1)


def test_half_of_a_surrogate_pair_is_refused_where_words_are_searched(dense: NeuralSparseStore, call: Call) -> None:
    for method, arguments, keywords in (
        ("match_search", ("red \ud83d",), {}),
        ("hybrid_search", ("red \ud83d",), {}),
        ("custom_search", ({"query": {"match": {"content": "$text"}}},), {"query": "red \ud83d"}),
    ):
        with pytest.raises(ValueError, match="half of a surrogate pair, which is not a character; leave it out"):
            call(method, *arguments, **keywords)
    legs = [Bm25Leg(text="\ud83d"), SparseLeg()]
    with pytest.raises(ValueError, match="half of a surrogate pair"):
        call("hybrid_search", "red", options=HybridOptions(legs=legs))
    assert [hit.id for hit in dense.match_search("red")] == ["1"]


@pytest.mark.parametrize(
    ("leg", "message"),
    [
        (SparseLeg(field="titles", name="titles"), "Leg 'titles' searches field 'titles', which index"),
        (Bm25Leg(field="contents", name="words"), "does not have. Did you mean 'content'?"),
        (DenseLeg(field="vectors", vector=VECTOR), "Leg 'dense' searches field 'vectors', which index"),
    ],
)
def test_leg_on_a_field_that_is_not_there_is_refused(
    dense: NeuralSparseStore, call: Call, leg: Any, message: str
) -> None:
    with pytest.raises(IndexSchemaError) as error:
        call("hybrid_search", "red", options=HybridOptions(legs=[SparseLeg(), leg]))
    assert message in str(error.value)


def test_leg_on_a_field_that_was_mapped_since_is_searched(dense: NeuralSparseStore, make_store: MakeStore) -> None:
    assert dense.search("red")
    make_store().write([{"id": "2", "text": "blue", "metadata": {"title": "mars"}}])
    options = HybridOptions(legs=[Bm25Leg(field="title"), SparseLeg()])
    assert {hit.id for hit in dense.hybrid_search("mars", options=options)} == {"1", "2"}


def test_dense_leg_without_a_dimension_in_the_index_says_what_is_missing(store: NeuralSparseStore, call: Call) -> None:
    store.write(["red mars"])
    options = HybridOptions(legs=[SparseLeg(), DenseLeg(vector=VECTOR)])
    with pytest.raises(IndexSchemaError, match=r"Dense vectors need IndexSchema\(embedding_dimension=...\) when"):
        call("hybrid_search", "red", options=options)


def arrays() -> list[Any]:
    torch = pytest.importorskip("torch")
    return [
        np.array(VECTOR, dtype=np.float32),
        np.array(VECTOR, dtype=np.float16),
        np.array(VECTOR),
        torch.tensor(VECTOR),
        torch.tensor(VECTOR, requires_grad=True),
        torch.tensor(VECTOR, dtype=torch.bfloat16),
        tuple(VECTOR),
        [np.float32(number) for number in VECTOR],
        list(torch.tensor(VECTOR)),
    ]


@pytest.mark.parametrize("place", range(9))
def test_arrays_are_dense_vectors_wherever_one_is_taken(dense: NeuralSparseStore, call: Call, place: int) -> None:
    array = arrays()[place]
    call("write", [{"id": "2", "text": "blue", "embedding": array}, SparseDocument(id="3", embedding=array)])
    for document in dense.get(["2", "3"]):
        assert document.embedding == VECTOR
    assert SparseDocument(id="3", embedding=array) == SparseDocument(id="3", embedding=array)
    for leg in (DenseLeg(vector=array), DenseLeg(embedder=lambda _: array)):
        hits = call("hybrid_search", "blue", options=HybridOptions(legs=[SparseLeg(), leg]))
        assert {hit.id for hit in hits} == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("vector", "found"),
    [
        (np.ones((1, 3)), "an array of shape [1, 3]"),
        ([[1.0, 2.0]], "a list of list"),
        ("0.1", "str"),
        (5, "int"),
        ([None], "a list of NoneType"),
    ],
)
def test_what_is_no_dense_vector_is_named(dense: NeuralSparseStore, vector: Any, found: str) -> None:
    with pytest.raises(ValueError, match="Leg 'dense': one dense vector is a list of numbers") as leg:
        DenseLeg(vector=vector)
    assert found in str(leg.value)
    with pytest.raises(Exception, match="its embedding: one dense vector") as document:
        dense.write([{"id": "2", "embedding": vector}])
    assert found in str(document.value)
    with pytest.raises(ValueError, match="finite"):
        DenseLeg(vector=[float("nan")])


async def embed(_: str) -> Any:
    return np.array(VECTOR)


def test_awaited_embedder_is_for_the_awaited_store(
    dense: NeuralSparseStore, server: RunningServer, encoder: Any
) -> None:
    options = HybridOptions(legs=[SparseLeg(), DenseLeg(embedder=embed)])
    with pytest.raises(TypeError, match="Leg 'dense': its embedder is asynchronous"):
        dense.hybrid_search("red", options=options)

    async def ask() -> list[str]:
        async with AsyncNeuralSparseStore(dense.index, url=server.url, query_encoder=encoder) as store:
            return [hit.id for hit in await store.hybrid_search("red", options=options)]

    assert asyncio.run(ask()) == ["1"]
    with pytest.raises(TypeError, match="an embedder is called with a text, got int"):
        DenseLeg(embedder=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalization": "minmax"}, "Normalization is one of 'min_max', 'l2', 'z_score', got 'minmax'."),
        ({"combination": "mean"}, "Combination is one of 'arithmetic_mean', 'geometric_mean', 'harmonic_mean', got"),
        ({"fusion": "me"}, "Fusion is one of 'auto', 'server', 'client', got 'me'."),
        ({"weights": [1.0]}, "weights has one for each of the 2 legs, got 1."),
        ({"weights": [0.5, float("nan")]}, "Weights lie between 0 and 1 and sum to 1"),
        ({"weights": 0.5}, "Weights are a list of numbers, one for each leg, got 0.5."),
        ({"weights": ["a", "b"]}, "Weights are a list of numbers, one for each leg"),
        ({"rank_constant": 0}, "rank_constant lies between 1 and 10000, got 0."),
        ({"rank_constant": "60"}, "rank_constant is an integer, got '60'."),
        ({"pagination_depth": "100"}, "pagination_depth is a whole number (int) or None, got str."),
        ({"min_score": float("nan")}, "min_score is a finite number, got nan."),
        ({"legs": "bm25"}, "Legs are a list of Bm25Leg, SparseLeg and DenseLeg, got str."),
        ({"legs": ["bm25", "sparse"]}, "A leg is a Bm25Leg, SparseLeg or DenseLeg, got str."),
        (
            {"normalization": "min_max", "lower_bounds": [{"mode": "clip"}] * 2},
            "lower_bounds is a list of Bound",
        ),
    ],
)
def test_option_that_is_none_says_what_there_is(options: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as error:
        HybridOptions(**options)
    assert message in str(error.value)


def test_words_that_are_none_say_what_there_is() -> None:
    with pytest.raises(ValueError, match="Partial is one of 'raise', 'warn', got 'ignore'"):
        RequestOptions(partial="ignore")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="FieldType is one of 'rank_features', 'sparse_vector', got 'dense'"):
        IndexSchema(field_type="dense")  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [["a", "b"], None, 5, "", " "])
def test_name_of_an_index_is_one_text(index: Any) -> None:
    for store in (NeuralSparseStore, AsyncNeuralSparseStore):
        with pytest.raises((TypeError, ValueError), match="index is "):
            store(index, url="http://localhost:9200")


@pytest.mark.parametrize("name", ["my.sparse", " sparse", "sparse."])
@pytest.mark.parametrize("field", ["text_field", "sparse_field", "model_field", "embedding_field"])
def test_own_field_with_a_dot_is_refused_before_there_is_an_index(field: str, name: str) -> None:
    with pytest.raises(IndexSchemaError, match="has a dot or blanks"):
        IndexSchema(**{field: name})  # type: ignore[arg-type]


def test_model_of_another_type_is_named() -> None:
    with pytest.raises(TypeError, match="A model is its name, hub id or folder, or a ModelSpec, got int"):
        get_model(5)  # type: ignore[arg-type]


def test_index_that_is_there_names_the_way_to_open_it(store: NeuralSparseStore, call: Call) -> None:
    with pytest.raises(Exception, match=r"resource_already_exists_exception: .*exist_ok=True opens it instead"):
        call("create")
    call("create", exist_ok=True)
    assert store.count() == 0


def test_missing_index_names_no_class_of_the_core(make_store: MakeStore) -> None:
    with pytest.raises(IndexNotFoundError, match=r"does not exist\. Check its name, or create it first\.$"):
        make_store().search("word")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"en"}, r"query\.terms\.lang is of type set"),
        (b"en", r"query\.terms\.lang is of type bytes"),
        ((each for each in ("en",)), r"query\.terms\.lang is of type generator"),
        (["en", object()], r"query\.terms\.lang\[1\] is of type object"),
    ],
)
def test_value_without_json_is_named_by_its_place(
    dense: NeuralSparseStore,
    call: Call,
    value: Any,
    found: str,
) -> None:
    with pytest.raises(InvalidRequestError, match=f"The request was not sent, since it has no JSON: {found}"):
        call("custom_search", {"query": {"terms": {"lang": value}}})


def test_settings_without_json_are_named(make_store: MakeStore) -> None:
    with pytest.raises(InvalidRequestError, match=r"settings\.index\.sort\.field is of type set"):
        make_store().create(settings={"index": {"sort": {"field": {"year"}}}})


def test_half_of_a_surrogate_pair_in_a_document_is_named_by_its_field(dense: NeuralSparseStore, call: Call) -> None:
    documents = [{"id": "2", "text": "red \ud83d"}, {"id": "3", "text": "blue", "metadata": {"title": ["\ud83d"]}}]
    with pytest.raises(BulkWriteError) as error:
        call("write", [*documents, {"id": "4", "text": "green"}])
    assert {failure.id: failure.reason for failure in error.value.report.failed} == {
        "2": "content holds half of a surrogate pair, which is not a character",
        "3": "title[0] holds half of a surrogate pair, which is not a character",
    }
    assert [document.id for document in dense.get(["2", "3", "4"])] == ["4"]


@pytest.mark.parametrize(
    ("method", "argument"),
    [("write", ["red"]), ("update_metadata", {"1": {"a": 1}}), ("update_text", {"1": "blue"})],
)
def test_write_options_as_a_mapping_are_refused(
    dense: NeuralSparseStore, call: Call, method: str, argument: Any
) -> None:
    with pytest.raises(TypeError, match=r"^options is a WriteOptions, got dict\.$"):
        call(method, argument, options={"batch_sze": 3})
    assert [document.text for document in dense.get(["1"])] == ["red mars"]


@pytest.mark.parametrize("options", [SearchOptions, HybridOptions])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("request", "RequestOptions"), ("two_phase", "TwoPhase"), ("prune", "Prune"), ("seismic", "SeismicSearch")],
)
def test_part_of_options_as_a_mapping_is_refused(options: Any, name: str, kind: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name} is a {kind}( or None)?, got dict\.$"):
        options(**{name: {"tmeout": 1}})


@pytest.mark.parametrize("store_class", [NeuralSparseStore, AsyncNeuralSparseStore])
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("schema", {"sparse_fild": "x"}, "schema is an IndexSchema or None, got dict"),
        ("prune", "max_ratio:0.1", "prune is a Prune or None, got str"),
    ],
)
def test_property_of_an_index_of_another_type_is_refused(store_class: Any, name: str, value: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        store_class("articles", url="http://localhost:1", **{name: value})
