from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from opensearch_neural_sparse.models import registry
from tests.cli.conftest import MODEL, Run
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

RESULT = {"total", "total_is_exact", "took_ms", "fusion", "hits"}
HIT = {"id", "index", "score", "text", "metadata", "chunk", "matches", "legs"}


def test_hits_are_printed_with_their_texts(cli: Run, filled: str) -> None:
    done = cli("search", filled, "heart", "--model", MODEL)
    assert done.status == 0
    first, text = done.out.splitlines()[:2]
    assert first.startswith("1. heart  ")
    assert text == "   The heart pumps blood."
    assert " hits, " in done.err


@pytest.mark.filterwarnings("always::opensearch_neural_sparse.TruncationWarning")
def test_a_query_that_is_cut_is_warned_of(cli: Run, filled: str) -> None:
    done = cli("search", filled, "river " * 600 + "heart", "--model", MODEL, "--json")
    assert done.status == 0
    assert done.err.startswith("Warning: The query has 601 tokens, more than the 512 that the model reads")


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


def test_offsets_and_ranks_go_on_where_the_page_before_ended(cli: Run, filled: str) -> None:
    for more in ((), ("--hybrid",)):
        query = ("search", filled, "heart stone patients", "--model", MODEL, *more)
        whole = [hit["id"] for hit in cli(*query, "--json").json["hits"]]
        assert len(whole) == 3
        assert [hit["id"] for hit in cli(*query, "--json", "--offset", "1", "--size", "1").json["hits"]] == whole[1:2]
        assert cli(*query, "--offset", "2").out.startswith(f"3. {whole[2]}  ")
        assert cli(*query, "--offset", "3", "--json").json["hits"] == []


def test_hybrid_search_is_fused_as_it_is_asked_for(cli: Run, filled: str) -> None:
    query = ("search", filled, "stone", "--model", MODEL, "--hybrid", "--json")
    words = cli(*query, "--weights", "1,0", "--normalization", "min_max").json
    tokens = cli(*query, "--weights", "0,1", "--normalization", "min_max").json
    assert (words["fusion"], words["hits"][0]["score"], tokens["hits"][0]["score"]) == (
        "server min_max arithmetic_mean",
        1.0,
        1.0,
    )
    l2 = cli(*query, "--normalization", "l2", "--combination", "geometric_mean").json["hits"]
    assert l2[0]["id"] == "stone"
    by_ranks = [cli(*query, "--weights", weights).json["hits"][0]["score"] for weights in ("0.3,0.7", "0.5,0.5")]
    assert by_ranks[0] == pytest.approx(by_ranks[1])  # first in both


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--weights", "0.3,0.7"), "add --hybrid"),
        (("--normalization", "l2"), "add --hybrid"),
        (("--combination", "harmonic_mean"), "add --hybrid"),
        (("--hybrid", "--weights", "0.3,0.3,0.4"), "has one for each of the 2 legs"),
        (("--hybrid", "--weights", "some"), "Invalid value for --weights"),
        (("--hybrid", "--weights", "0.3,0.9"), "Invalid value for --weights"),
        (("--hybrid", "--normalization", "minmax"), "'min_max', 'l2', 'z_score'"),
        (("--hybrid", "--combination", "harmonic_mean"), "Invalid value for --combination"),
        (("--offset", "-1"), "Invalid value for '--offset'"),
    ],
)
def test_choices_that_make_no_sense_are_wrong_calls(run: Run, options: tuple[str, ...], message: str) -> None:
    done = run("search", "articles", "x", *options)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert message in done.words


@pytest.fixture
def two_models(cli: Run, index_name: str, client: Any, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Index -> folder of its model, two of one name, behind `<index name>-*`."""
    folders = {name: tmp_path / name / "model" for name in ("a", "b")}
    for folder in folders.values():
        copytree(SMALL_MODEL, folder)
    weights = folders["b"] / "query_0_SparseStaticEmbedding" / "model.safetensors"
    ((name, table),) = load_file(weights).items()
    save_file({name: table * 2}, weights)
    (folders["b"] / "idf.json").unlink()  # which would contradict it
    models = {f"{index_name}-{name}": str(folder) for name, folder in folders.items()}
    for index, model in models.items():
        assert cli("index", "create", index, "--model", model, "--replicas", "0").status == 0
        rows = b'{"id": "1", "text": "A stone rests on the bed of a river."}'
        ingested = cli("ingest", index, "-", "--model", model, stdin=rows)
        assert ingested.status == 0, ingested.err
        registry._registered.clear()
    yield models
    client.indices.delete(index=",".join(models), ignore_unavailable=True)


def test_a_pattern_over_several_models_in_folders_takes_all_of_them(
    cli: Run, index_name: str, two_models: dict[str, str]
) -> None:
    pattern, named = f"{index_name}-*", [word for model in two_models.values() for word in ("--model", model)]
    found = cli("search", pattern, "stone", *named, "--json")
    assert found.status == 0, found.err
    assert {hit["index"] for hit in found.json["hits"]} == set(two_models)
    checks = cli("doctor", pattern, *named, "--json").json["checks"]
    assert [check["verdict"] for check in checks if check["name"] in ("query", "document")] == ["ok"] * 4
    (index, model), (_, other) = two_models.items()
    registry._registered.clear()
    assert cli("search", index, "stone", "--model", model, "--json").status == 0
    refused = cli("search", index, "stone", "--model", model, "--model", other)
    assert (refused.status, refused.out) == (2, "")
    assert f"is the model of no index behind {index!r}; they are bound to model." in refused.words


def test_filters_that_are_none_are_wrong_calls(run: Run) -> None:
    for wrong in ('{"term"', '{"a": {}, "b": {}}', "7"):
        done = run("search", "articles", "x", "--filter", wrong)
        assert (done.status, done.out) == (2, "")
        assert "Invalid value for '--filter'" in done.words


@pytest.mark.parametrize(
    ("wrong", "form"),
    [
        ('{"field": "meta.year", "operator": ">=", "value": 2020}', "{'range': {'year': {'gte': 2020}}}"),
        ('{"year": {"$gte": 2020}}', "{'range': {'year': {'gte': 2020}}}"),
        ('{"operator": "OR", "conditions": []}', "'minimum_should_match': 1}}"),
        ('{"term": {"year": null}}', "{'exists': {'field': 'year'}}"),
        ('{"term": {"year": NaN}}', "finite, got nan"),
    ],
)
def test_filters_of_another_syntax_are_refused_with_the_form_that_is_taken(run: Run, wrong: str, form: str) -> None:
    done = run("search", "articles", "x", "--filter", wrong)
    assert (done.status, done.out) == (2, "")
    assert form in done.words


@pytest.mark.filterwarnings("always::opensearch_neural_sparse.UnmappedFieldWarning")
def test_filters_that_let_nothing_through_and_those_on_no_field(cli: Run, filled: str) -> None:
    query = ("search", filled, "heart stone patients", "--model", MODEL, "--json", "--filter")
    assert cli(*query, '{"bool": {"should": []}}').json["hits"] == []
    done = cli(*query, '{"term": {"yaer": 2020}}')
    assert done.json["hits"] == []
    assert "Warning: No mapping of index" in done.words
    assert "field 'yaer' of the filter, so no document does. Did you mean 'year'?" in done.words


def test_nothing_found_is_no_failure(cli: Run, filled: str) -> None:
    done = cli("search", filled, "zzzzqqq", "--model", MODEL, "--json")
    assert (done.status, done.json["hits"]) == (0, [])
