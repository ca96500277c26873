"""Rankings of several models as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.search.fusion.group_fusion import fuse_groups
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits


def found(index: str, count: int, **about: object) -> SearchHits:
    hits = [SearchHit(id=f"{n}", score=100.0 - n, index=index, model=f"{index}@x") for n in range(count)]
    return SearchHits(hits, total=count, **about)  # type: ignore[arg-type]


def test_ranks_count_and_scores_of_models_do_not() -> None:
    weak = SearchHits([SearchHit(id="weak", score=0.001, index="b")], total=1)
    fused = fuse_groups([found("a", 3), weak], SearchPage(size=3), "2 models")
    assert [(hit.index, hit.id) for hit in fused] == [("a", "0"), ("b", "weak"), ("a", "1")]
    assert fused[0].score == fused[1].score > fused[2].score


def test_one_id_in_two_indices_is_two_hits() -> None:
    assert len(fuse_groups([found("a", 2), found("b", 2)], SearchPage(), "2 models")) == 4


def test_what_is_said_of_parts_is_said_of_the_whole() -> None:
    parts = [
        found("a", 2, took_ms=3, fusion="client rrf", approximate=True, total_is_exact=False),
        found("b", 1, took_ms=5, fusion="client rrf", tokens_left_out=2, failures=[{"shard": 0}]),
    ]
    whole = fuse_groups(parts, SearchPage(), "2 models")
    assert whole.fusion == "client rrf, client rrf of 2 models"
    assert (whole.total, whole.total_is_exact, whole.took_ms) == (3, False, 5)
    assert (whole.approximate, whole.two_phase, whole.tokens_left_out, whole.partial) == (True, False, 2, True)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=4), st.integers(1, 5))
def test_pages_make_up_the_whole_whatever_their_size(counts: list[int], size: int) -> None:
    def asked(depth: int) -> list[SearchHits]:
        return [found(f"index-{n}", min(count, depth)) for n, count in enumerate(counts)]

    whole = fuse_groups(asked(100), SearchPage(size=100), "2 models")
    pages = [SearchPage(size=size, offset=start) for start in range(0, sum(counts) + size, size)]
    assert [hit for page in pages for hit in fuse_groups(asked(page.depth), page, "2 models")] == list(whole)
