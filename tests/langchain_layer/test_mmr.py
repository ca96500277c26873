"""Cosines: relevance between 0 and 1, a threshold on it, and hits that differ from one another."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings
from langchain_opensearch_neural_sparse.mmr import cosine, diverse
from opensearch_neural_sparse import ChunkOptions, IndexNotFoundWarning, IndexSchema, SparseVector
from tests.encoders import WordEncoder, word_vector
from tests.paths import SMALL_MODEL

TEXTS = {
    "rivers": "rivers carry water to the sea",
    "twin": "rivers carry water to the sea today",
    "lakes": "lakes hold water",
    "banks": "banks lend money",
}
VECTORS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 100), max_size=6).map(SparseVector)


@pytest.fixture
def filled(make_store, small_files):
    encoder = WordEncoder(small_files)
    vectorstore = make_store(query_encoder=encoder, document_encoder=encoder)
    vectorstore.add_documents([Document(id=key, page_content=text) for key, text in TEXTS.items()])
    return vectorstore


@given(VECTORS, VECTORS)
def test_the_cosine_lies_between_0_and_1_and_is_1_of_a_vector_and_itself(one, other) -> None:
    assert 0 <= cosine(one, other) <= 1
    assert cosine(one, other) == cosine(other, one)
    if one:
        assert cosine(one, one) == pytest.approx(1)


@given(VECTORS, st.lists(VECTORS, max_size=6), st.integers(1, 8))
def test_likeness_alone_is_the_order_of_cosines(query, vectors, k: int) -> None:
    chosen = diverse(query, vectors, k=k, lambda_mult=1)
    assert chosen == sorted(range(len(vectors)), key=lambda place: -cosine(query, vectors[place]))[:k]


@given(VECTORS, st.lists(VECTORS, min_size=2, max_size=6), st.floats(0, 1))
def test_every_choice_is_the_best_of_what_is_left(query, vectors, lambda_mult: float) -> None:
    chosen = diverse(query, vectors, k=len(vectors), lambda_mult=lambda_mult)
    assert sorted(chosen) == list(range(len(vectors)))

    def worth(place: int, before: list[int]) -> float:
        like = max((cosine(vectors[place], vectors[other]) for other in before), default=0.0)
        return lambda_mult * cosine(query, vectors[place]) - (1 - lambda_mult) * like

    for turn, place in enumerate(chosen):
        assert worth(place, chosen[:turn]) == max(worth(other, chosen[:turn]) for other in chosen[turn:])


async def test_relevance_is_the_cosine_of_the_stored_vectors(filled) -> None:
    found = filled.similarity_search_with_relevance_scores("rivers and water", k=4)
    query = word_vector("rivers and water")
    assert [document.id for document, _ in found] == ["rivers", "twin", "lakes"]
    for document, share in found:
        assert share == pytest.approx(cosine(query, word_vector(document.page_content)), rel=2**-8)
    assert await filled.asimilarity_search_with_relevance_scores("rivers and water", k=4) == found
    same = filled.similarity_search_with_relevance_scores(TEXTS["lakes"], k=1)
    assert [(document.id, math.isclose(share, 1, rel_tol=2**-8)) for document, share in same] == [("lakes", True)]


async def test_a_threshold_holds_back_what_is_less_relevant(filled) -> None:
    keywords = {"k": 4, "score_threshold": 0.8}
    retriever = filled.as_retriever(search_type="similarity_score_threshold", search_kwargs=keywords)
    assert {document.id for document in retriever.invoke(TEXTS["rivers"])} == {"rivers", "twin"}
    assert {document.id for document in await retriever.ainvoke(TEXTS["rivers"])} == {"rivers", "twin"}


async def test_marginal_relevance_passes_over_what_says_the_same_again(filled) -> None:
    query = "rivers carry water to the sea"
    assert [document.id for document in filled.similarity_search(query, k=2)] == ["rivers", "twin"]
    found = filled.max_marginal_relevance_search(query, k=2, lambda_mult=0.3)
    assert [document.id for document in found] == ["rivers", "lakes"]
    assert await filled.amax_marginal_relevance_search(query, k=2, lambda_mult=0.3) == found
    retriever = filled.as_retriever(search_type="mmr", search_kwargs={"k": 2, "lambda_mult": 0.3})
    assert retriever.invoke(query) == await retriever.ainvoke(query) == found
    [only] = filled.max_marginal_relevance_search(query, k=2, filter={"ids": {"values": ["lakes"]}})
    assert only.id == "lakes"
    with pytest.raises(ValueError, match="lambda_mult"):
        filled.max_marginal_relevance_search(query, lambda_mult=2)


def test_a_document_of_chunks_is_as_relevant_as_its_best_chunk(make_store) -> None:
    schema = IndexSchema(chunking=ChunkOptions(tokens=8, overlap=0))
    vectorstore = make_store(model=SMALL_MODEL, query_encoder=None, document_encoder=None, schema=schema)
    heart = "The heart pumps blood through the body."
    vectorstore.add_texts([f"{heart} Rivers carry water to the sea.", "A bank lends money."], ids=["both", "bank"])
    [(found, share)] = vectorstore.similarity_search_with_relevance_scores("cardiac function")
    encoder = NeuralSparseEmbeddings(SMALL_MODEL)
    [chunk] = map(SparseVector, encoder.embed_documents([heart]))
    assert found.id == "both"
    assert share == pytest.approx(cosine(SparseVector(encoder.embed_query("cardiac function")), chunk), rel=2**-8)
    [first, second] = vectorstore.max_marginal_relevance_search("cardiac money", k=2)
    assert {first.id, second.id} == {"both", "bank"}
    [explained] = vectorstore.as_retriever(search_type="sparse", search_kwargs={"k": 1, "explain": True}).invoke(
        "cardiac function"
    )
    assert explained.metadata["_chunk"]["text"] == heart


async def test_where_no_index_is_nothing_is_relevant(vectorstore) -> None:
    with pytest.warns(IndexNotFoundWarning):
        assert vectorstore.max_marginal_relevance_search("rivers") == []
    assert await vectorstore.amax_marginal_relevance_search("rivers") == []
    assert vectorstore.similarity_search_with_relevance_scores("rivers") == []
    assert await vectorstore.asimilarity_search_with_relevance_scores("rivers") == []


async def test_token_weights_are_searched_for_as_they_are(filled) -> None:
    weights = {"money": 2.0, "banks": 0.5}
    [found] = filled.similarity_search_by_sparse_vector(weights)
    assert found.id == "banks"
    assert await filled.asimilarity_search_by_sparse_vector(weights) == [found]
    assert filled.similarity_search_by_sparse_vector(weights, filter={"ids": {"values": ["lakes"]}}) == []
    assert filled.similarity_search_by_sparse_vector({}) == []
