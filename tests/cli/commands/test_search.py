from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from opensearch_neural_sparse import NeuralSparseStore, load_query_encoder
from opensearch_neural_sparse.models import registry
from opensearch_neural_sparse.search.results.highlight import highlight
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from tests.cli.conftest import MODEL, Outcome, Run
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

RESULT = {"total", "total_is_exact", "took_ms", "fusion", "profile", "hits"}
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
    assert done.json["profile"] is None


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


def test_a_profile_shows_times_and_bodies(cli: Run, filled: str) -> None:
    query = (
        "search",
        filled,
        "stone",
        "--model",
        MODEL,
        "--hybrid",
        "--profile",
        "--filter",
        '{"term": {"year": 2021}}',
    )
    done = cli(*query)
    assert done.status == 0
    parts = [line.split("  ")[0] for line in done.out.partition("part ")[2].splitlines()[1:] if line]
    assert parts[:7] == ["open index", "encode", f"/{filled}/_search", "read", "rerank", "other", "total"]
    times = {line.split("  ")[0]: line.split()[-2:] for line in done.out.partition("part ")[2].splitlines()[1:8]}
    shown = {part: float(cells[0]) for part, cells in times.items() if cells[0] != "-"}
    assert shown["other"] < shown["open index"], "what was not known of index and server is read while it is opened"
    assert sum(shown.values()) - shown["total"] == pytest.approx(shown["total"], abs=1)
    assert f"hits (bm25, sparse): /{filled}/_search\n{{" in done.out
    assert json.loads(done.out[done.out.index("_search\n{") + len("_search\n") :])["query"]["hybrid"]


def test_a_profile_is_part_of_the_json(cli: Run, filled: str) -> None:
    query = ("search", filled, "heart", "--model", MODEL, "--profile", "--explain", "--json")
    fused = ("--hybrid", "--normalization", "min_max")
    for more, searches in (((), 1), (fused, 3)):
        profile = cli(*query, *more).json["profile"]
        (request,) = profile["requests"]
        assert len(request["searches"]) == searches
        assert request["searches"][0]["body"]["query"]
        assert profile["total_ms"] > profile["open_ms"] + request["answer_ms"]
        assert request["answer_ms"] >= request["took_ms"]


def test_a_profile_of_several_searches_has_a_row_for_each(cli: Run, filled: str) -> None:
    query = ("search", filled, "heart", "--model", MODEL, "--profile", "--explain", "--hybrid")
    out = cli(*query, "--normalization", "min_max").out
    assert [line.split("   ")[0] for line in out.splitlines() if line.startswith("  ") and "(" in line][-3:] == [
        "  hits (bm25, sparse)",
        "  leg ranks (bm25)",
        "  leg ranks (sparse)",
    ]
    assert out.count(f"/{filled}/_search\n") == 3


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


def test_query_is_encoded_by_the_server_s_model(
    run: Run, model_server: RunningServer, model_index: str, deployed: DeployedModel
) -> None:
    def cli(*arguments: str) -> Outcome:
        return run(*arguments, "--url", model_server.url)

    assert cli("index", "create", model_index, "--model", MODEL).status == 0
    rows = b'{"id": "heart", "text": "The heart pumps blood."}'
    assert run("ingest", model_index, "-", "--model", MODEL, "--url", model_server.url, stdin=rows).status == 0
    arguments = ("search", model_index, "heart", "--json", "--explain", "--model", MODEL)
    for more in ((), ("--hybrid",)):
        expected = cli(*arguments, *more).json["hits"]
        found = cli(*arguments, *more, "--server-model-id", deployed.query_model_id).json["hits"]
        assert [hit["id"] for hit in found] == [hit["id"] for hit in expected] == ["heart"]
        assert found[0]["score"] == pytest.approx(expected[0]["score"], rel=1e-5)
        assert found[0]["matches"][0]["token"] == expected[0]["matches"][0]["token"]
    refused = cli(*arguments, "--server-model-id", "a", "--server-analyzer", "b")
    assert refused.status == 2
    assert "leave one out" in refused.words


FOREIGN = [
    {"id": "ar", "text": "قرأت الكتب في المكتبة", "language": "ar"},
    {"id": "hi", "text": "नदी के किनारे किताबें", "language": "hi"},
    {"id": "ru", "text": "Книги лежат на столе", "language": "ru"},
    {"id": "zh", "text": "黑豹隊的防守", "language": "zh"},
    {"id": "de", "text": "Die Häuser am Fluss", "language": "de"},
]
ASKED = {"ar": "كتب", "hi": "किताबें", "ru": "книга", "zh": "黑豹", "de": "Haus"}


@pytest.fixture(scope="module")
def multilingual(snapshot: Callable[..., Path]) -> str:
    """A small model with the vocabulary of multilingual BERT."""
    return str(snapshot(vocabulary="mbert", hidden=16))


@pytest.fixture
def foreign(cli: Run, index_name: str, multilingual: str) -> str:
    """An index of texts in several scripts, analysed by their languages."""
    languages = ("--languages", "ar,hi,ru,zh,de")
    created = cli("index", "create", index_name, "--model", multilingual, "--shards", "1", *languages)
    assert created.status == 0, created.err
    stdin = "\n".join(json.dumps(row, ensure_ascii=False) for row in FOREIGN).encode()
    ingested = cli("ingest", index_name, "-", "--model", multilingual, stdin=stdin)
    assert ingested.status == 0, ingested.err
    return index_name


@pytest.mark.parametrize("language", ASKED)
def test_texts_of_any_script_are_found_shown_and_explained(
    cli: Run, foreign: str, multilingual: str, language: str
) -> None:
    query, options = ASKED[language], ("--model", multilingual, "--hybrid", "--language", language)
    text = next(row["text"] for row in FOREIGN if row["id"] == language)
    done = cli("search", foreign, query, *options, "--explain", "--json")
    assert done.status == 0, done.err
    words = {hit["id"]: hit["legs"]["bm25"]["rank"] for hit in done.json["hits"] if "bm25" in hit["legs"]}
    assert words == {language: 1}, "its own analyzer knows the word in another form"
    hit = next(hit for hit in done.json["hits"] if hit["id"] == language)
    assert hit["text"] == text
    shown = cli("search", foreign, query, *options, "--explain")
    assert f"   {text}" in shown.out.splitlines()


@pytest.mark.parametrize("language", ASKED)
def test_tokens_of_any_script_are_explained_and_highlighted(
    cli: Run, client: Any, foreign: str, multilingual: str, language: str
) -> None:
    text = next(row["text"] for row in FOREIGN if row["id"] == language)
    with NeuralSparseStore(foreign, client=client, model=multilingual) as store:
        vector = load_query_encoder(multilingual).encode_query(text)  # the transformer here has random weights
        store.write([{"id": "own", "text": text, "vector": vector}])
        (hit,) = store.search(text, explain=True, filter={"term": {"id": "own"}})
        scores = {match.token: match.score for match in hit.matches or ()}
        by_tokens, by_words = highlight(text, scores, store.tokenizer()), highlight(text, scores)
        assert [re.sub("<[^>]*>", "", marked) for marked in (by_tokens, by_words)] == [text, text]
        assert by_tokens.startswith("<mark"), "without the tokenizer, words of some scripts are not found"
    options = ("--model", multilingual, "--filter", '{"term": {"id": "own"}}', "--explain")
    (found,) = cli("search", foreign, text, *options, "--json").json["hits"]
    assert {match["token"] for match in found["matches"]} == vector.keys()
    assert sum(match["score"] for match in found["matches"]) == pytest.approx(found["score"], rel=1e-3)
    shown = cli("search", foreign, text, *options).out
    assert all(token in shown for token in vector)


def test_language_of_words_goes_with_a_hybrid_search_in_one_of_the_index_s(
    cli: Run, foreign: str, multilingual: str
) -> None:
    alone = cli("search", foreign, "Haus", "--model", multilingual, "--language", "de")
    assert alone.status == 2
    assert "--language: It says what language words are in; add --hybrid." in alone.words
    other = cli("search", foreign, "house", "--model", multilingual, "--hybrid", "--language", "en")
    assert other.status == 1
    assert "Its languages are ['ar', 'de', 'hi', 'ru', 'zh']." in other.words
