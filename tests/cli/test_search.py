from __future__ import annotations

from tests.cli.conftest import MODEL, Run

RESULT = {"total", "total_is_exact", "took_ms", "fusion", "hits"}
HIT = {"id", "index", "score", "text", "metadata", "chunk", "matches", "legs"}


def test_hits_are_printed_with_their_texts(cli: Run, filled: str) -> None:
    done = cli("search", filled, "heart", "--model", MODEL)
    assert done.status == 0
    first, text = done.out.splitlines()[:2]
    assert first.startswith("1. heart  ")
    assert text == "   The heart pumps blood."
    assert " hits, " in done.err


def test_json_has_stable_names_and_nothing_stands_beside_it(cli: Run, filled: str) -> None:
    done = cli("search", filled, "heart", "--model", MODEL, "--json")
    assert done.err == ""
    assert set(done.json) == RESULT
    (first, *_) = done.json["hits"]
    assert set(first) == HIT
    assert (first["id"], first["metadata"], first["matches"]) == ("heart", {"year": 2020}, None)


def test_an_explanation_names_tokens_that_sum_up_to_the_score(cli: Run, filled: str) -> None:
    hit = cli("search", filled, "heart stone", "--model", MODEL, "--explain", "--json").json["hits"][0]
    assert set(hit["matches"][0]) == {"token", "query_weight", "document_weight", "score"}
    assert abs(sum(match["score"] for match in hit["matches"]) - hit["score"]) < 1e-3
    assert "x   " in cli("search", filled, "heart", "--model", MODEL, "--explain").out


def test_hybrid_search_explains_its_legs(cli: Run, filled: str) -> None:
    done = cli("search", filled, "stone", "--model", MODEL, "--hybrid", "--explain", "--json").json
    assert done["fusion"] == "server rrf"
    assert done["hits"][0]["id"] == "stone"
    assert {name: leg["rank"] for name, leg in done["hits"][0]["legs"].items()} == {"bm25": 1, "sparse": 1}


def test_filters_and_sizes_narrow_down(cli: Run, filled: str) -> None:
    old = '{"range": {"year": {"lt": 2020}}}'
    query = ("search", filled, "heart stone patients", "--model", MODEL, "--json")
    assert [hit["id"] for hit in cli(*query, "--filter", old).json["hits"]] == ["arrest"]
    assert [hit["id"] for hit in cli(*query, "--filter", f"[{old}]").json["hits"]] == ["arrest"]
    assert len(cli(*query, "--size", "1").json["hits"]) == 1


def test_filters_that_are_none_are_wrong_calls(run: Run) -> None:
    for wrong in ('{"term"', '{"a": {}, "b": {}}', "7"):
        done = run("search", "articles", "x", "--filter", wrong)
        assert (done.status, done.out) == (2, "")
        assert "Invalid value for '--filter'" in done.words


def test_nothing_found_is_no_failure(cli: Run, filled: str) -> None:
    done = cli("search", filled, "zzzzqqq", "--model", MODEL, "--json")
    assert (done.status, done.json["hits"]) == (0, [])
