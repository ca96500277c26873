"""What the search benchmarks compute of what they measure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.pruning import equal_share, mean_length, prune_all, same_ranking
from benchmarks.report import percentile
from benchmarks.scaling_plot import draw, sizes_of
from benchmarks.search_scaling import lines
from benchmarks.search_ways import asked, mean_recalls, milliseconds, recall
from opensearch_neural_sparse import Prune, PruneType, SearchHits, SparseVector
from opensearch_neural_sparse.search.results.hits import SearchHit


@pytest.mark.parametrize(
    ("found", "expected", "share"),
    [("abc", "abc", 1.0), ("cba", "abc", 1.0), ("abx", "abcd", 0.5), ("", "ab", 0.0), ("x", "", 1.0)],
)
def test_recall_is_the_share_of_what_was_expected(found, expected, share):
    assert recall(found, expected) == share


def test_mean_recall_is_of_what_exact_search_finds():
    def finds(ids):
        return lambda query: SearchHits(SearchHit(id=key, score=1.0) for key in ids[query["q"]])

    ways = {"exact": finds(["ab", "cd"]), "other": finds(["ab", "cx"])}
    assert mean_recalls(ways, [{"q": 0}, {"q": 1}]) == {"exact": 1.0, "other": 0.75}


def test_queries_begin_anew_after_the_last():
    call = asked(str, [1, 2])
    assert [call() for _ in range(5)] == ["1", "2", "1", "2", "1"]


def test_seconds_become_milliseconds_at_three_percentiles():
    seconds = [number / 1000 for number in range(1, 101)]
    assert milliseconds(seconds) == {"p10_ms": 11.0, "p50_ms": 50.5, "p99_ms": 100.0}
    assert percentile(seconds, 0.5) == 0.051


def test_lines_hold_a_document_each_as_json():
    first, second = lines([([0, 2], [125, 7]), ([1], [300])], ['"a"', '"b"', '"\\""'])
    assert list(map(json.loads, first.splitlines())) == [
        {"index": {"_id": "0"}},
        {"id": "0", "number": 0, "sparse_vector": {"a": 1.25, '"': 0.07}},
    ]
    assert json.loads(second.splitlines()[1])["sparse_vector"] == {"b": 3}


def test_vectors_are_pruned_and_their_tokens_counted():
    vectors = {"1": SparseVector({"a": 2.0, "b": 0.1}), "2": SparseVector({"a": 1.0, "b": 0.5, "c": 0.4, "d": 0.3})}
    pruned = prune_all(vectors, Prune(type=PruneType.MAX_RATIO, ratio=0.1))
    assert (mean_length(vectors), mean_length(pruned)) == (3.0, 2.5)


def test_rankings_are_compared_by_query():
    one = {"way": {"q1": [("a", 2.0)], "q2": [("b", 1.0)]}}
    other = {"way": {"q1": [("a", 2.0)], "q2": [("b", 1.5)]}}
    assert (equal_share(one, one), equal_share(one, other)) == (1.0, 0.5)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ([("a", 3.0), ("c", 2.0), ("b", 2.0), ("d", 1.0)], True),
        ([("a", 3.0), ("b", 2.0), ("c", 2.0), ("x", 1.0)], True),
        ([("a", 3.0), ("b", 2.0), ("x", 2.0), ("d", 1.0)], False),
        ([("a", 3.0), ("b", 2.0), ("c", 1.9), ("d", 1.0)], False),
        ([("a", 3.0), ("b", 2.0), ("c", 2.0)], False),
        ([], False),
    ],
)
def test_equal_scores_may_come_in_any_order(other, same):
    assert same_ranking([("a", 3.0), ("b", 2.0), ("c", 2.0), ("d", 1.0)], other) is same


def _size(documents: int, latency: float) -> dict:
    ways = ("exact", "two_phase", "seismic", "seismic_heap_2")
    found = {
        "latency": {way: {"p10_ms": latency, "p50_ms": 2 * latency} for way in ways},
        "recall_at_10": dict.fromkeys(ways, 0.9),
    }
    return {"documents": documents, "searched": {"all": found}, "seismic": {}}


def test_later_results_of_a_size_go_before_earlier_ones():
    runs = [{"sizes": [_size(100, 1.0), _size(10, 1.0)]}, {"sizes": [_size(100, 2.0)]}]
    assert sizes_of([*map(json.dumps, runs), ""]) == [_size(10, 1.0), _size(100, 2.0)]


def test_the_picture_is_small_and_shows_every_way(tmp_path: Path):
    pytest.importorskip("matplotlib", reason="matplotlib comes with the group dev alone")
    exact_alone = _size(1000, 3.0)
    del exact_alone["seismic"], exact_alone["searched"]["all"]["latency"]["seismic"]
    draw([_size(10, 1.0), _size(100, 2.0), exact_alone], tmp_path / "images" / "drawn.svg")
    picture = (tmp_path / "images" / "drawn.svg").read_text()
    assert len(picture) < 100_000
    assert all(word in picture for word in ("exact", "two-phase", "SEISMIC", "seismic_heap_2", "100 documents"))
