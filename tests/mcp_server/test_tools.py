"""The tools over a real server, without the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from opensearch_neural_sparse import NeuralSparseStore, register_model
from opensearch_neural_sparse.errors import FilterSyntaxError, IndexNotFoundError, IndexSchemaError
from opensearch_neural_sparse.mcp_server.access import Access
from opensearch_neural_sparse.mcp_server.stamped_indices import opened_indices
from opensearch_neural_sparse.mcp_server.tools import Mode, SearchTools
from opensearch_neural_sparse.models import registry
from tests.conftest import RunningServer
from tests.mcp_server.conftest import FENCE
from tests.paths import SMALL_MODEL

Tools = Callable[..., SearchTools]


@pytest.fixture
def tools(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tools]:
    """Make tools: `tools("articles", fence={...})`."""
    monkeypatch.setattr(registry, "_registered", {})
    register_model(SMALL_MODEL, name="small-en-of-a-folder")
    with ExitStack() as stack:

        def made(*indices: str, fence: Any = FENCE, size_limit: int = 5) -> SearchTools:
            access = Access(indices=indices, fence=fence, size_limit=size_limit)
            return SearchTools(stack.enter_context(opened_indices(client, access)), access)

        yield made


@pytest.mark.parametrize("mode", ["sparse", "hybrid", "bm25"])
def test_each_mode_finds_documents_within_the_fence_alone(tools: Tools, articles: str, mode: Mode) -> None:
    answer = tools(articles).search(articles, "heart", mode=mode)
    assert [hit.id for hit in answer.hits] == ["heart"]
    hit = answer.hits[0]
    assert (hit.text, hit.metadata) == ("The heart pumps blood.", {"public": True, "year": 2020})
    assert (hit.matches, hit.legs, answer.notes) == (None, None, [])
    assert {each.id for each in tools(articles, fence=None).search(articles, "heart", mode=mode).hits} >= {
        "heart",
        "hidden",
    }


@pytest.mark.parametrize(
    "filter_",
    [
        {"term": {"public": False}},
        {"bool": {"should": [{"match_all": {}}, {"term": {"public": False}}]}},
        {"bool": {"must_not": [FENCE]}},
        {"ids": {"values": ["hidden"]}},
        [],
    ],
)
def test_no_filter_lifts_the_fence(tools: Tools, articles: str, filter_: Any) -> None:
    for mode in ("sparse", "hybrid", "bm25"):
        answer = tools(articles).search(articles, "secret heart", mode=mode, filter=filter_)
        assert "hidden" not in [hit.id for hit in answer.hits]


def test_an_explanation_has_tokens_and_the_scores_of_each_query(tools: Tools, articles: str) -> None:
    made = tools(articles)
    (sparse,) = made.search(articles, "heart", mode="sparse", explain=True).hits
    assert sparse.matches is not None
    assert sparse.matches[0].token == "heart"
    assert sum(match.score for match in sparse.matches) == pytest.approx(sparse.score, rel=0.01)
    (hybrid,) = made.search(articles, "heart", mode="hybrid", explain=True).hits
    assert hybrid.legs is not None
    assert {leg.rank for leg in hybrid.legs.values()} == {1}
    words = made.search(articles, "heart", mode="bm25", explain=True)
    assert words.notes == ["A search by words has no explanation by tokens."]


def test_a_filter_on_a_field_that_no_document_has_is_noted(tools: Tools, articles: str) -> None:
    answer = tools(articles).search(articles, "heart", filter={"term": {"colour": "red"}})
    assert answer.hits == []
    assert len(answer.notes) == 1
    assert "colour" in answer.notes[0]


def test_documents_are_returned_by_id_within_the_fence_alone(tools: Tools, articles: str) -> None:
    answer = tools(articles).get(articles, ["stone", "hidden", "heart", "none"])
    assert [row.id for row in answer.documents] == ["stone", "heart"]
    assert answer.missing == ["hidden", "none"]
    assert answer.documents[1].metadata == {"public": True, "year": 2020}


def test_a_fence_on_a_field_that_no_document_has_is_noted(tools: Tools, articles: str) -> None:
    answer = tools(articles, fence={"term": {"colour": "red"}}).get(articles, ["heart"])
    assert (answer.documents, answer.missing) == ([], ["heart"])
    assert "colour" in answer.notes[0]


def test_sizes_and_ids_beyond_the_limit_are_refused(tools: Tools, articles: str) -> None:
    made = tools(articles, size_limit=2)
    assert len(made.search(articles, "the heart of a stone").hits) == 2
    with pytest.raises(ValueError, match="size is 3; this server allows 1 to 2"):
        made.search(articles, "heart", size=3)
    with pytest.raises(ValueError, match="The number of ids is 3; this server allows 1 to 2"):
        made.get(articles, ["a", "b", "c"])
    with pytest.raises(ValueError, match="The number of ids is 0"):
        made.get(articles, [])
    with pytest.raises(IndexSchemaError):
        made.get(articles, [""])


def test_stamped_indices_that_are_permitted_are_listed_with_what_the_fence_lets_through(
    tools: Tools, articles: str
) -> None:
    listed = tools(articles).list_indices()
    assert [(row.name, row.documents) for row in listed.indices] == [(articles, 2)]
    assert listed.indices[0].models == ["small-en"]
    matching = tools(f"{articles}*", fence=None).list_indices()
    assert [(row.name, row.documents) for row in matching.indices] == [(articles, 3), (f"{articles}-x", 3)]
    assert tools(f"{articles}-none", f"{articles}-none-*").list_indices().indices == []


@pytest.mark.parametrize("suffix", ["-x", "-bare", "-none", ",*", "*"])
def test_other_unstamped_and_missing_indices_are_refused_alike(tools: Tools, articles: str, suffix: str) -> None:
    made = tools(articles, f"{articles}-b*", f"{articles}-none")
    for call in (lambda name: made.search(name, "heart"), lambda name: made.get(name, ["heart"])):
        with pytest.raises(IndexNotFoundError, match="list_indices names those that can be searched"):
            call(articles + suffix)


def test_an_alias_that_a_pattern_fits_opens_no_other_index(tools: Tools, articles: str, client: Any) -> None:
    client.indices.put_alias(index=f"{articles}-x", name=f"{articles}-alias")
    with pytest.raises(IndexNotFoundError):
        tools(f"{articles}-a*").search(f"{articles}-alias", "heart")
    found = tools(f"{articles}-alias").search(f"{articles}-alias", "heart")
    assert [hit.id for hit in found.hits] == ["heart"]
    assert [row.name for row in tools(f"{articles}-alias").list_indices().indices] == [f"{articles}-alias"]


def test_a_lookup_in_another_index_is_refused(tools: Tools, articles: str) -> None:
    lookup = {"terms": {"id": {"index": f"{articles}-x", "id": "hidden", "path": "id"}}}
    with pytest.raises(FilterSyntaxError, match="another document, which is not allowed here"):
        tools(articles).search(articles, "heart", filter=lookup)


def test_an_index_that_is_made_again_is_opened_again(
    tools: Tools, articles: str, client: Any, server: RunningServer
) -> None:
    made = tools(articles, fence=None)
    assert made.search(articles, "heart").hits
    client.indices.delete(index=articles)
    with pytest.raises(IndexNotFoundError):
        made.search(articles, "heart")
    with NeuralSparseStore(articles, url=server.url, model=SMALL_MODEL) as store:
        store.create()
        store.write([{"id": "new", "text": "A new heart."}])
    assert [hit.id for hit in made.search(articles, "heart").hits] == ["new"]


def test_a_mode_that_is_none_is_refused(tools: Tools, articles: str) -> None:
    with pytest.raises(ValueError, match="mode is 'dense'; it is one of sparse, hybrid, bm25"):
        tools(articles).search(articles, "heart", mode="dense")  # type: ignore[arg-type]
