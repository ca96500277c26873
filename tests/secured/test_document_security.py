"""A login that may see some documents alone, by document-level security of a real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    BulkWriteError,
    Collapse,
    FieldBoost,
    Fusion,
    HybridOptions,
    LimitedRightsWarning,
    NeuralSparseStore,
    Normalization,
    SearchHits,
    SearchOptions,
    ServerRequestError,
    TwoPhase,
    UnsupportedServerError,
)
from tests.paths import SMALL_MODEL
from tests.secured.cluster import EVERYTHING, ONE_SHARD, SecuredCluster

INDEX, USER, TWICE = "fenced", "test-fenced", "test-fenced-twice"
SEEN, HIDDEN = {"a1", "a2"}, {"b1", "b2"}
QUERY = "secret planet"
FENCE = {"term": {"tenant": "a"}}
CLUSTER = ("cluster:monitor/main", "indices:data/read/msearch", "indices:data/read/mget", "indices:data/write/bulk")


def fence(clause: dict[str, Any]) -> dict[str, Any]:
    return {"index_patterns": [f"{INDEX}*"], "allowed_actions": EVERYTHING, "dls": json.dumps(clause)}


@pytest.fixture(scope="module")
def fenced(cluster: SecuredCluster) -> Iterator[SecuredCluster]:
    """An index of one shard, half of it hidden from a user."""
    cluster.give_role(USER, CLUSTER, fence(FENCE))
    cluster.give_role(TWICE, CLUSTER, fence({"term": {"number": 1}}))
    cluster.put("rolesmapping", USER, {"users": [USER, TWICE]})
    owner = cluster.owner(INDEX)
    owner.create(settings=ONE_SHARD)
    owner.write(
        {"id": name, "text": f"{word} planet", "metadata": {"tenant": name[0], "number": int(name[1])}}
        for name, word in (("a1", "red"), ("a2", "blue"), ("b1", "secret"), ("b2", "secret"))
    )
    yield cluster
    owner.delete_index()


@pytest.fixture
def store(fenced: SecuredCluster) -> Iterator[NeuralSparseStore]:
    with fenced.store(USER, INDEX) as store:
        yield store


def scores(hits: SearchHits) -> dict[str, Any]:
    return {hit.id: pytest.approx(hit.score, abs=1e-5) for hit in hits.ungrouped}


async def test_hybrid_search_is_fused_by_the_client_where_documents_are_hidden(
    fenced: SecuredCluster, store: NeuralSparseStore
) -> None:
    for _ in range(2):
        found = store.hybrid_search(QUERY, explain=True)
        assert ({hit.id for hit in found}, found.fusion) == (SEEN, "client rrf")
    async with fenced.several(USER, INDEX) as several:
        awaited = await several.hybrid_search(QUERY, explain=True)
        assert [(hit.id, hit.score, hit.legs) for hit in awaited] == [(hit.id, hit.score, hit.legs) for hit in found]


@pytest.mark.parametrize(
    ("options", "way_out"),
    [
        (HybridOptions(fusion=Fusion.SERVER), r"HybridOptions\(fusion='auto'\)"),
        (HybridOptions(normalization=Normalization.MIN_MAX), "without normalization='min_max'"),
        (HybridOptions(normalization=Normalization.L2), "without normalization='l2'"),
    ],
)
def test_fusion_that_only_the_server_does_names_document_level_security(
    store: NeuralSparseStore, options: HybridOptions, way_out: str
) -> None:
    for _ in range(2):
        with pytest.raises(UnsupportedServerError, match=f"document-level security on index 'fenced'.*{way_out}"):
            store.hybrid_search(QUERY, options=options)


SCORED: dict[str, Callable[[NeuralSparseStore], SearchHits]] = {
    "sparse": lambda store: store.search(QUERY, filter=FENCE),
    "two-phase": lambda store: store.search(QUERY, filter=FENCE, options=SearchOptions(two_phase=TwoPhase())),
    "groups": lambda store: store.search(
        QUERY, filter=FENCE, options=SearchOptions(collapse=Collapse("tenant", size=3))
    ),
    "boosts": lambda store: store.search(
        QUERY, filter=FENCE, options=SearchOptions(boosts=[FieldBoost(field="number")])
    ),
    "words": lambda store: store.match_search(QUERY, filter=FENCE),
    "several": lambda store: store.search_many([QUERY, "blue"], filter=FENCE)[0],
}


@pytest.mark.parametrize("search", SCORED.values(), ids=SCORED)
def test_scores_are_those_of_a_login_that_sees_everything(
    fenced: SecuredCluster, store: NeuralSparseStore, search: Callable[[NeuralSparseStore], SearchHits]
) -> None:
    assert scores(search(store)) == {hit.id: hit.score for hit in search(fenced.owner(INDEX)).ungrouped}


def test_explanations_sum_to_the_score_and_legs_have_their_own(
    fenced: SecuredCluster, store: NeuralSparseStore
) -> None:
    for hit in store.search(QUERY, explain=True):
        assert sum(match.score for match in hit.matches or ()) == pytest.approx(hit.score, abs=1e-5)
    hybrid = HybridOptions(fusion=Fusion.CLIENT)
    expected = fenced.owner(INDEX).hybrid_search(QUERY, filter=FENCE, options=hybrid, explain=True)
    for hit, other in zip(store.hybrid_search(QUERY, explain=True), expected, strict=True):
        assert hit.legs is not None
        assert other.legs is not None
        assert {name: leg.score for name, leg in hit.legs.items()} == pytest.approx(
            {name: leg.score for name, leg in other.legs.items()}, abs=1e-5
        )


def test_a_search_body_of_the_callers_keeps_the_scores_of_the_server(
    fenced: SecuredCluster, store: NeuralSparseStore
) -> None:
    body: dict[str, Any] = {"query": {"match_all": {}}}
    assert {hit.score for hit in fenced.owner(INDEX).custom_search(body)} == {1.0}
    assert {hit.score for hit in store.custom_search(body)} == {2.0}


def test_several_fences_that_change_the_order_are_warned_of_and_not_guessed_at(fenced: SecuredCluster) -> None:
    with fenced.store(TWICE, INDEX) as store:
        with pytest.warns(LimitedRightsWarning, match=r"adds 1 to the scores of some documents .* and 2 to others"):
            found = store.search("planet")
        plain = fenced.owner(INDEX).search("planet", filter={"terms": {"_id": ["a1", "a2", "b1"]}})
        added = {hit.id: round(hit.score - plain[0].score) for hit in found}
        assert added == {"a1": 2, "a2": 1, "b1": 1}


def test_hidden_documents_are_on_no_way_of_reading(store: NeuralSparseStore) -> None:
    assert {hit.id for hit in store.search(QUERY, explain=True)} == SEEN
    assert {hit.id for hit in store.match_search(QUERY)} == SEEN
    assert all({hit.id for hit in hits} <= SEEN for hits in store.search_many([QUERY, "secret"]))
    assert {document.id for document in store.get([*SEEN, *HIDDEN])} == SEEN
    assert {document.id for document in store.scan()} == SEEN
    assert store.count() == len(SEEN)


BACKGROUND: dict[str, Any] = {"odd": {"significant_terms": {"field": "tenant", "min_doc_count": 1}}}
COUNTED: dict[str, Callable[[NeuralSparseStore], SearchHits]] = {
    "sparse": lambda store: store.search(QUERY, options=SearchOptions(aggregations=BACKGROUND)),
    "hybrid": lambda store: store.hybrid_search(QUERY, options=HybridOptions(aggregations=BACKGROUND)),
    "words": lambda store: store.match_search(QUERY, aggregations=BACKGROUND),
    "several": lambda store: store.search_many([QUERY], options=SearchOptions(aggregations=BACKGROUND))[0],
    "body": lambda store: store.custom_search({"aggs": BACKGROUND}),
    "everything": lambda store: store.custom_search({"aggregations": {"all": {"global": {}}}}),
}


@pytest.mark.parametrize("search", COUNTED.values(), ids=COUNTED)
def test_aggregations_that_count_hidden_documents_are_refused(
    fenced: SecuredCluster, store: NeuralSparseStore, search: Callable[[NeuralSparseStore], SearchHits]
) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="looks at documents that document-level security hides from the login"):
            search(store)
    assert search(fenced.owner(INDEX)).aggregations


def test_the_server_alone_counts_hidden_documents(fenced: SecuredCluster, store: NeuralSparseStore) -> None:
    body = {"query": {"match_all": {}}, "aggs": BACKGROUND}
    found = store.client().search(index=INDEX, body=body)["aggregations"]["odd"]
    assert found["doc_count"] == len(SEEN)
    assert found["bg_count"] > len(SEEN)


async def test_updates_of_a_login_with_hidden_documents_are_refused_and_not_of_unknown_outcome(
    fenced: SecuredCluster, store: NeuralSparseStore
) -> None:
    refusal = r"0 written, 1 failed, 0 of unknown outcome.*hidden updates nothing, so nothing was changed"
    with pytest.raises(BulkWriteError, match=refusal) as caught:
        store.update_metadata({"a1": {"number": 5}})
    assert caught.value.report.failed[0].status == 500
    async with fenced.several(USER, INDEX) as several:
        with pytest.raises(BulkWriteError, match=refusal):
            await several.update_text({"a1": "another planet"})
    assert fenced.owner(INDEX).get(["a1"])[0].metadata["number"] == 1


def test_a_copy_that_would_lack_hidden_documents_is_refused(fenced: SecuredCluster, store: NeuralSparseStore) -> None:
    encoder = fenced.encoders["document_encoder"]
    for change in (
        lambda: store.reindex_with_model("fenced-copy", document_encoder=encoder),
        lambda: store.add_field("sparse_other", model=SMALL_MODEL),
    ):
        with pytest.raises(ServerRequestError, match=r"security hides a part of index 'fenced'.*use a login that sees"):
            change()
    assert not fenced.admin.indices.exists(index="fenced-copy")
