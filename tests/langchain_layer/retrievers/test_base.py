from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.runnables import ConfigurableField
from langchain_core.tools import create_retriever_tool
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run
from pydantic import ValidationError

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse import (
    Bm25Leg,
    DenseLeg,
    FilterSyntaxError,
    HybridOptions,
    IndexNotFoundError,
    IndexSchema,
    SearchHit,
    SearchOptions,
    SparseDocument,
    TwoPhase,
)
from tests.paths import SMALL_MODEL

RETRIEVERS = [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever]
ENGLISH = {"term": {"lang": "en"}}
DOCUMENTS = [
    Document(id=str(number), page_content=text, metadata={"lang": lang, "year": 2020 + number})
    for number, (text, lang) in enumerate([("river", "en"), ("fleuve", "fr"), ("lake", "en"), ("river delta", "en")])
]


class LastRun(BaseTracer):
    def _persist_run(self, run: Run) -> None:
        self.last = run


@pytest.fixture(scope="module")
def index(make_index) -> str:
    return make_index(DOCUMENTS)


@pytest.fixture
def filled(make_store, index: str) -> OpenSearchNeuralSparseVectorStore:
    """An open store to be searched only."""
    vectorstore = make_store(index=index)
    vectorstore.store.open()
    return vectorstore


@pytest.fixture(params=RETRIEVERS)
def retriever_class(request: pytest.FixtureRequest) -> type:
    return request.param


def _ids(documents: list[Document]) -> list[str | None]:
    return [document.id for document in documents]


def test_making_one_connects_to_nothing(retriever_class) -> None:
    nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://user:secret@localhost:9", model="no such model")
    retriever = retriever_class(vectorstore=nowhere, k=2)
    assert retriever.configurable_fields(k=ConfigurableField(id="k")) is not None
    assert "secret" not in repr(retriever)


@pytest.mark.parametrize(("mistake", "hint"), [({"top_k": 3}, "top_k is called k here"), ({"rank_constant": 1}, "")])
def test_unknown_argument_is_named_with_its_name_here(retriever_class, mistake: dict[str, Any], hint: str) -> None:
    nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9")
    asked: list[Callable[[], Any]] = [
        lambda: retriever_class(vectorstore=nowhere, **mistake),
        lambda: nowhere.similarity_search("x", **mistake),
        lambda: nowhere.as_retriever(search_kwargs=mistake).invoke("x"),
        lambda: nowhere.as_retriever(search_type="hybrid", search_kwargs=mistake),
    ]
    for ask in asked:
        with pytest.raises(TypeError, match=f"^Unknown arguments: {next(iter(mistake))}.*{hint}"):
            ask()


def test_name_of_no_leg_is_one_error_with_the_names_that_there_are() -> None:
    nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9")
    with pytest.raises(ValidationError, match=r"A leg is 'bm25', 'sparse', 'dense', or .*, got 'spars'") as caught:
        OpenSearchNeuralSparseHybridRetriever(vectorstore=nowhere, legs=("bm25", "spars"))
    assert caught.value.error_count() == 1


@pytest.mark.parametrize("mistake", [{"k": 0}, {"k": "many"}, {"filter": "lang"}, {"vectorstore": None}])
def test_a_mistaken_field_is_an_error(retriever_class, mistake: dict[str, Any]) -> None:
    nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9")
    with pytest.raises(ValidationError):
        retriever_class(**({"vectorstore": nowhere} | mistake))


async def test_k_and_filter_are_fields_and_words_of_invoke(retriever_class, filled) -> None:
    retriever = retriever_class(vectorstore=filled, k=2, filter=ENGLISH)
    assert len(retriever.invoke("river")) == len(await retriever.ainvoke("river")) == 2
    late = {"range": {"year": {"gte": 2022}}}
    assert set(_ids(retriever.invoke("river", k=4, filter=late))) == {"2", "3"}
    assert set(_ids(await retriever.ainvoke("river", k=4, filter=[late]))) == {"2", "3"}
    free = retriever.model_copy(update={"filter": None})
    assert free.invoke("river", k=4, filter={"lang": "fr"}) == [DOCUMENTS[1]]


async def test_words_of_invoke_are_the_same_in_sync_and_async_and_others_are_refused(retriever_class, filled) -> None:
    sync = inspect.signature(retriever_class._get_relevant_documents).parameters
    twin = inspect.signature(retriever_class._aget_relevant_documents).parameters
    hybrid = retriever_class is OpenSearchNeuralSparseHybridRetriever
    own = ["weights", "language", "rerank"] if hybrid else ["options", "rerank"]
    assert list(sync) == list(twin) == ["self", "query", "run_manager", "k", "filter", *own]
    retriever = retriever_class(vectorstore=filled)
    with pytest.raises(TypeError, match="fitler"):
        retriever.invoke("river", fitler=ENGLISH)
    with pytest.raises(TypeError, match="fitler"):
        await retriever.ainvoke("river", fitler=ENGLISH)
    with pytest.raises(FilterSyntaxError):
        retriever.invoke("river", filter={"lang": {"$is": "en"}})
    with pytest.raises(ValueError, match="k lies between 1 and 10000, got 0"):
        retriever.invoke("river", k=0)


def test_a_missing_index_is_named(retriever_class, make_store) -> None:
    with pytest.raises(IndexNotFoundError, match=make_store().store.index):
        retriever_class(vectorstore=make_store()).invoke("river")


def test_scores_are_the_core_s_and_in_metadata_on_demand_alone(retriever_class, filled) -> None:
    hybrid = retriever_class is OpenSearchNeuralSparseHybridRetriever
    hits = (filled.store.hybrid_search if hybrid else filled.store.search)("river", size=4)
    plain = retriever_class(vectorstore=filled).invoke("river")
    scored = retriever_class(vectorstore=filled, include_scores=True).invoke("river")
    assert plain == [Document(id=hit.id, page_content=hit.text, metadata=hit.metadata) for hit in hits]
    assert [document.metadata.pop("_score") for document in scored] == [hit.score for hit in hits]
    assert scored == plain


def test_fields_can_be_configured_at_run_time(retriever_class, filled) -> None:
    fields = {"k": ConfigurableField(id="k"), "filter": ConfigurableField(id="filter")}
    retriever = retriever_class(vectorstore=filled, k=1).configurable_fields(**fields)
    assert len(retriever.invoke("river")) == 1
    assert len(retriever.invoke("river", config={"configurable": {"k": 3, "filter": ENGLISH}})) == 3


async def test_batches_and_tools_work(retriever_class, filled) -> None:
    retriever = retriever_class(vectorstore=filled, k=1)
    queries = ["lake", "fleuve"]
    assert retriever.batch(queries) == await retriever.abatch(queries)
    assert [_ids(found) for found in retriever.batch(queries)] == [["2"], ["1"]]
    tool = create_retriever_tool(retriever, "search", "Find passages.")
    assert tool.invoke({"query": "lake"}) == "lake"


def test_a_trace_names_provider_model_and_index(retriever_class, filled) -> None:
    tracer = LastRun()
    retriever = retriever_class(vectorstore=filled)
    retriever.invoke("river", config={"callbacks": [tracer]})
    known = tracer.last.extra["metadata"]
    assert known["ls_vector_store_provider"] == "OpenSearch"
    assert known["ls_embedding_model"] == "small-en"
    assert known["opensearch_index"] == filled.stores.index
    assert known["ls_retriever_name"] == retriever_class.__name__.removesuffix("Retriever").lower()


def test_a_trace_names_the_model_before_the_index_is_open() -> None:
    for model, known in [("doc-v1", "opensearch-project/opensearch-neural-sparse-encoding-doc-v1"), (None, None)]:
        nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9", model=model)
        assert OpenSearchNeuralSparseRetriever(vectorstore=nowhere)._get_ls_params()["ls_embedding_model"] == known


def test_a_folder_is_read_once_for_the_name_of_its_model(monkeypatch) -> None:
    nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9", model=SMALL_MODEL)
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=nowhere)
    names = [retriever._get_ls_params()["ls_embedding_model"]]
    monkeypatch.setattr("opensearch_neural_sparse.store.encoders.get_model", pytest.fail)
    names.append(retriever._get_ls_params()["ls_embedding_model"])
    assert names == ["small-en", "small-en"]


def test_hybrid_options_reach_the_core(filled) -> None:
    options = HybridOptions(rank_constant=7, pagination_depth=4)
    hits = filled.store.hybrid_search("river", size=4, options=options)
    retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, include_scores=True, options=options)
    assert [one.metadata["_score"] for one in retriever.invoke("river")] == [hit.score for hit in hits]
    weighted = OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, weights=(1, 0), k=2)
    assert set(_ids(weighted.invoke("river"))) == {"0", "3"}


@pytest.mark.parametrize(
    "mistake",
    [{"legs": ("sparse", "images")}, {"legs": ("bm25", "dense")}, {"weights": (0.2, 0.3, 0.5)}],
)
def test_mistaken_hybrid_fields_are_errors(mistake: dict[str, Any]) -> None:
    nowhere = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9")
    with pytest.raises(ValidationError):
        OpenSearchNeuralSparseHybridRetriever(vectorstore=nowhere, **mistake)


def test_an_open_index_s_model_is_not_read_again_for_every_trace(filled, monkeypatch) -> None:
    read = []
    monkeypatch.setattr("opensearch_neural_sparse.store.encoders.get_model", read.append)
    OpenSearchNeuralSparseRetriever(vectorstore=filled).invoke("river")
    assert read == []


class WordCounts(Embeddings):
    """Dense vectors of length and lakes."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [len(text) / 10, float("lake" in text), 1.0]


DENSE: dict[str, Any] = {"embedding": WordCounts(), "schema": IndexSchema(embedding_dimension=3)}


@pytest.fixture(scope="module")
def dense_index(make_index) -> str:
    return make_index(DOCUMENTS, **DENSE)


@pytest.fixture
def dense(make_store, dense_index: str) -> OpenSearchNeuralSparseVectorStore:
    """A store to be searched only."""
    return make_store(index=dense_index, **DENSE)


LEGS = ["bm25", "sparse", "dense"]
SUBSETS = [legs for count in (1, 2, 3) for legs in combinations(LEGS, count)]


@pytest.mark.parametrize("legs", SUBSETS, ids="+".join)
async def test_any_subset_of_legs_finds_filters_and_explains(dense, legs: tuple[str, ...]) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=dense, legs=legs, explain=True, include_scores=True)
    found = retriever.invoke("lake")
    assert found[0].id == "2"
    if len(legs) > 1:
        assert set(found[0].metadata["_legs"]) <= set(legs)
        assert found[0].metadata["_legs"][legs[0]]["rank"] == 1
    assert await retriever.ainvoke("lake") == found
    french = retriever.invoke("lake fleuve", k=4, filter={"lang": "fr"})
    assert _ids(french) == ["1"]
    assert await retriever.ainvoke("lake fleuve", k=4, filter={"lang": "fr"}) == french


async def test_weights_and_legs_of_invoke_fields_and_options_are_one_thing(dense) -> None:
    nearest = OpenSearchNeuralSparseHybridRetriever(vectorstore=dense, legs=("bm25", "dense"), include_scores=True)
    fixed = nearest.model_copy(update={"weights": (0.1, 0.9)})
    in_options = HybridOptions(legs=(Bm25Leg(), DenseLeg(embedder=WordCounts().embed_query)), weights=(0.1, 0.9))
    chosen = OpenSearchNeuralSparseHybridRetriever(vectorstore=dense, options=in_options, include_scores=True)
    found = nearest.invoke("lake", weights=(0.1, 0.9))
    assert found == fixed.invoke("lake") == chosen.invoke("lake")
    assert found == await nearest.ainvoke("lake", weights=(0.1, 0.9)) == await chosen.ainvoke("lake")
    assert found != nearest.invoke("lake", weights=(0.9, 0.1))
    configurable = nearest.configurable_fields(weights=ConfigurableField(id="weights"))
    assert configurable.invoke("lake", config={"configurable": {"weights": (0.1, 0.9)}}) == found
    with pytest.raises(ValueError, match="weights"):
        nearest.invoke("lake", weights=(1.0,))


async def test_dense_vectors_are_written_in_either_way_and_stay_out_of_metadata(make_store) -> None:
    dense = make_store(**DENSE)
    dense.add_documents(DOCUMENTS)
    await dense.aadd_texts(["a lake that is far away"], ids=["far"])
    dense.add_texts((text for text in ["a lake nearby"]), batch_size=1)
    vectors = {one.id: one.embedding for one in dense.store.scan()}
    assert vectors["far"] == pytest.approx(WordCounts().embed_query("a lake that is far away"))
    assert len(vectors) == 6
    assert all(vectors.values())
    assert dense.get_by_ids(["far"])[0].metadata == {}


async def test_a_search_of_ones_own_takes_its_place(filled) -> None:
    body = {
        "query": {"bool": {"must": ["$sparse"], "filter": ["$filters"]}},
        "sort": [{"year": "desc"}],
        "track_scores": True,
    }
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=filled, body=body, k=2)
    assert _ids(retriever.invoke("river")) == _ids(await retriever.ainvoke("river")) == ["3", "2"]
    assert _ids(retriever.invoke("river", k=4, filter={"lang": "fr"})) == ["1"]


async def test_options_of_a_search_reach_the_core_and_those_of_invoke_precede(filled) -> None:
    collapsed = SearchOptions(collapse="lang")
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=filled, options=collapsed)
    assert len(retriever.invoke("river")) == len(await retriever.ainvoke("river")) == 2
    assert len(retriever.invoke("river", options=SearchOptions())) == 4
    assert len(await retriever.ainvoke("river", options=SearchOptions())) == 4


async def test_matched_tokens_explain_the_score(retriever_class, filled) -> None:
    retriever = retriever_class(vectorstore=filled, k=1, explain=True, include_scores=True)
    [found] = retriever.invoke("river")
    assert [found] == await retriever.ainvoke("river")
    gave = sum(match["score"] for match in found.metadata["_matches"])
    legs = found.metadata.get("_legs", {"sparse": {"score": found.metadata["_score"]}})
    assert gave == pytest.approx(legs["sparse"]["score"], rel=1e-3)


async def test_a_vector_store_gives_retrievers_of_every_kind(filled) -> None:
    keywords = {"k": 1, "filter": {"lang": "fr"}}
    for search_type in ("similarity", "mmr", "sparse", "hybrid"):
        retriever = filled.as_retriever(search_type=search_type, search_kwargs=keywords, tags=["mine"])
        assert retriever.tags[0] == "mine"
        assert _ids(retriever.invoke("river")) == _ids(await retriever.ainvoke("river")) == ["1"]
    assert isinstance(filled.as_retriever(search_type="hybrid"), OpenSearchNeuralSparseHybridRetriever)
    with pytest.raises(ValueError, match="mmr, sparse, hybrid; got 'nearest'"):
        filled.as_retriever(search_type="nearest")


async def test_search_finds_what_the_retriever_of_its_type_finds(filled) -> None:
    for search_type, more in (
        ("similarity", {}),
        ("mmr", {"fetch_k": 4}),
        ("similarity_score_threshold", {"score_threshold": 0.1}),
        ("sparse", {"options": SearchOptions(two_phase=TwoPhase())}),
        ("hybrid", {"weights": (0.3, 0.7), "options": HybridOptions(rank_constant=20)}),
    ):
        keywords = {"k": 2, "filter": {"lang": "en"}, **more}
        expected = filled.as_retriever(search_type=search_type, search_kwargs=keywords).invoke("river")
        assert _ids(expected)[0] == "0"
        assert filled.search("river", search_type, **keywords) == expected
        assert await filled.asearch("river", search_type, **keywords) == expected
    scored = filled.search("river", "hybrid", k=1, explain=True, include_scores=True)[0]
    assert {"_score", "_legs", "_matches"} <= scored.metadata.keys()
    with pytest.raises(ValueError, match="mmr, sparse, hybrid; got 'nearest'"):
        filled.search("river", "nearest")
    with pytest.raises(ValueError, match="mmr, sparse, hybrid; got 'nearest'"):
        await filled.asearch("river", "nearest")
    with pytest.raises(TypeError, match="size is called k here"):
        filled.search("river", "hybrid", size=2)


async def test_documents_are_made_by_the_mapper(make_store) -> None:
    def title_first(found: SearchHit | SparseDocument) -> Document:
        return Document(id=found.id, page_content=f"{found.metadata['title']}: {found.text}")

    vectorstore = make_store(document_mapper=title_first)
    vectorstore.add_texts(["rivers"], [{"title": "Water"}], ids=["1"])
    expected = [Document(id="1", page_content="Water: rivers")]
    assert vectorstore.similarity_search("rivers") == vectorstore.get_by_ids(["1"]) == expected
    assert OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore).invoke("rivers") == expected
    [scored] = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, include_scores=True).invoke("rivers")
    assert list(scored.metadata) == ["_score"]
