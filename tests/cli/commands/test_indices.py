from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse.index.binding.stamped_schema import stamped_schema
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema
from tests.cli.conftest import MODEL, Run
from tests.conftest import RunningServer

INFO = {"index", "documents", "bytes", "shards", "replicas", "refresh_interval", "models"}


@pytest.fixture
def other_index(client: Any, index_name: str) -> Iterator[str]:
    yield f"{index_name}-2"
    client.indices.delete(index=f"{index_name}-2", ignore_unavailable=True)


def test_an_index_is_created_with_its_model_and_settings(cli: Run, index_name: str) -> None:
    options = ("--model", MODEL, "--shards", "2", "--replicas", "0", "--prune", "max_ratio:0.1")
    done = cli("index", "create", index_name, *options, "--chunk-tokens", "64", "--chunk-overlap", "8", "--json")
    assert done.status == 0, done.err
    assert done.json["index"] == index_name
    stamp = done.json["model"]
    assert stamp["prune"] == {"type": "max_ratio", "ratio": 0.1}
    assert stamp["chunking"] == {"tokens": 64, "overlap": 8}
    (shown,) = cli("index", "info", index_name, "--json").json["indices"]
    assert set(shown) == INFO
    assert (shown["shards"], shown["replicas"], shown["documents"]) == (2, 0, 0)
    assert shown["models"] == {"sparse_vector": stamp}


@pytest.mark.parametrize(("options", "analyzer"), [((), "english"), (("--analyzer", "german"), "german")])
def test_text_is_analysed_by_the_models_language_unless_another_is_named(
    cli: Run, client: Any, index_name: str, options: tuple[str, ...], analyzer: str
) -> None:
    assert cli("index", "create", index_name, "--model", MODEL, *options).status == 0
    mappings = client.indices.get_mapping(index=index_name)[index_name]["mappings"]
    assert mappings["properties"]["content"]["analyzer"] == analyzer


def test_an_index_that_is_there_is_an_error_unless_it_may_be(cli: Run, filled: str) -> None:
    done = cli("index", "create", filled, "--model", MODEL)
    assert (done.status, done.out) == (1, "")
    assert "resource_already_exists_exception" in done.err
    assert len(done.err.splitlines()) == 1
    assert cli("index", "create", filled, "--model", MODEL, "--exist-ok").status == 0


@pytest.mark.parametrize("option", [("--prune", "half"), ("--prune", "top_k:0"), ("--chunk-tokens", "0")])
def test_a_value_that_makes_no_sense_is_a_wrong_call(run: Run, option: tuple[str, str]) -> None:
    done = run("index", "create", "articles", "--model", MODEL, *option)
    assert (done.status, done.out) == (2, "")
    assert "Invalid value" in done.words


def test_info_is_readable_and_names_the_way_out_without_a_model(
    cli: Run, client: Any, filled: str, other_index: str
) -> None:
    shown = cli("index", "info", filled).out
    assert f"index             {filled}\ndocuments         3\n" in shown
    assert "\n  model            small-en\n" in shown
    client.indices.create(index=other_index)
    assert (
        "The index carries no model: opensearch-neural-sparse index bind names one."
        in cli("index", "info", other_index).out
    )


def test_an_index_that_others_made_is_bound_and_then_searched_by_its_own_fields(
    cli: Run, client: Any, index_name: str
) -> None:
    properties = {"weights": {"type": "rank_features"}, "body": {"type": "text"}}
    client.indices.create(index=index_name, body={"mappings": {"properties": properties}})
    client.index(index=index_name, id="1", body={"weights": {"heart": 2.0}, "body": "A heart."}, refresh=True)
    fields = ("--sparse-field", "weights", "--text-field", "body")
    bound = cli("index", "bind", index_name, "--model", MODEL, *fields, "--json")
    assert bound.status == 0, bound.err
    assert bound.json["model"]["text_field"] == "body"
    found = cli("search", index_name, "heart", "--model", MODEL, "--json").json
    assert [(hit["id"], hit["text"]) for hit in found["hits"]] == [("1", "A heart.")]


def test_vectors_of_another_model_are_not_bound(cli: Run, client: Any, index_name: str) -> None:
    properties = {"sparse_vector": {"type": "rank_features"}, "content": {"type": "text"}}
    client.indices.create(index=index_name, body={"mappings": {"properties": properties}})
    client.index(index=index_name, body={"sparse_vector": {"no such token": 2.0}, "content": "A heart."}, refresh=True)
    done = cli("index", "bind", index_name, "--model", MODEL)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: ")


def test_an_index_is_encoded_anew(cli: Run, client: Any, filled: str, other_index: str) -> None:
    client.indices.put_alias(index=filled, name=f"{filled}-alias")
    options = ("--model", MODEL, "--prune", "top_k:1", "--alias", f"{filled}-alias", "--workers", "2")
    done = cli("index", "reindex", filled, other_index, *options, "--json")
    assert done.status == 0, done.err
    assert done.json == {"index": other_index, "documents": 3, "encoded": 3, "without_text": 0, "without_vector": 0}
    (shown,) = cli("index", "info", f"{filled}-alias", "--json").json["indices"]
    assert shown["index"] == other_index
    assert shown["models"]["sparse_vector"]["prune"] == {"type": "top_k", "ratio": 1.0}


def test_a_field_is_added_and_filled(cli: Run, client: Any, filled: str) -> None:
    command = ("index", "add-field", filled, "sparse_second", "--model", MODEL, "--prune", "top_k:1", "--workers", "2")
    done = cli(*command)
    assert done.status == 0, done.err
    assert done.out == f"Encoded 3 documents of {filled} for sparse_second.\n"
    assert cli(*command, "--json").json == {"index": filled, "field": "sparse_second", "encoded": 0}
    (shown,) = cli("index", "info", filled, "--json").json["indices"]
    assert shown["models"]["sparse_second"]["prune"] == {"type": "top_k", "ratio": 1.0}
    hits = client.search(index=filled, body={"_source": ["sparse_second"]})["hits"]["hits"]
    assert [len(hit["_source"]["sparse_second"]) for hit in hits] == [1, 1, 1]
    other = cli(*command[:-4], "--workers", "0")
    assert other.status == 2


def test_an_index_is_deleted_after_a_question_that_names_it(cli: Run, client: Any, filled: str) -> None:
    question = f"Delete {filled} (3 documents)? [y/N] "
    nobody = cli("index", "delete", filled)
    assert (nobody.status, nobody.out) == (2, "")
    assert nobody.err.startswith(question)
    assert "Invalid value for --yes: Nobody answered" in nobody.words
    no = cli("index", "delete", filled, stdin=b"n\n")
    assert (no.status, no.out, no.err) == (1, "", f"{question}Nothing was deleted.\n")
    assert client.count(index=filled)["count"] == 3
    yes = cli("index", "delete", filled, "--json", stdin=b"y\n")
    assert (yes.status, yes.err) == (0, question)
    assert yes.json == {"name": filled, "deleted": [{"index": filled, "documents": 3}]}
    assert not client.indices.exists(index=filled)
    gone = cli("index", "delete", filled, "--yes")
    assert gone.status == 1
    assert gone.err.startswith(f"Error: Index '{filled}' does not exist. Check its name: `index info '*'` shows")


def test_patterns_are_deleted_on_request_alone_and_never_an_alias(
    cli: Run, client: Any, filled: str, other_index: str
) -> None:
    client.indices.create(index=other_index)
    client.indices.put_alias(index=filled, name=f"{filled}-alias")
    for pattern in (f"{filled}*", f"{filled},{other_index}", "_all"):
        done = cli("index", "delete", pattern, "--yes")
        assert (done.status, len(done.err.splitlines())) == (2, 1)
        assert "--pattern deletes all that it matches" in done.words
    alias = cli("index", "delete", f"{filled}-alias", "--yes")
    assert alias.status == 1
    assert alias.err == (
        f"Error: '{filled}-alias' is an alias. Delete the index that it is for by its own name: {filled}.\n"
    )
    done = cli("index", "delete", f"{filled}-*", "--yes", "--pattern")  # the alias matches, too
    assert (done.status, done.out) == (0, f"Deleted {other_index}, 0 documents.\n"), done.err
    assert client.indices.exists(index=filled)


def test_a_pattern_that_matches_nothing_is_an_error(cli: Run, index_name: str) -> None:
    for command in (("index", "info"), ("index", "delete", "--pattern", "--yes")):
        done = cli(*command, f"{index_name}-*")
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"Error: No index matches '{index_name}-*'.")


def test_of_a_list_the_missing_names_alone_are_named(cli: Run, filled: str) -> None:
    for command in (("index", "info"), ("search",)):
        done = cli(*command, f"{filled},{filled}-typo", *(["x"] if command == ("search",) else []))
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"Error: Index '{filled}-typo' does not exist. Did you mean '{filled}'?")
        done = cli(*command, f"{filled}-a,{filled},{filled}-b", *(["x"] if command == ("search",) else []))
        assert done.err.startswith(f"Error: Indices '{filled}-a', '{filled}-b' do not exist. Did you mean '{filled}'?")
        assert done.err.endswith("Check their names, or create them: opensearch-neural-sparse index create.\n")


def test_an_index_that_is_not_there_is_one_line(cli: Run, index_name: str) -> None:
    for command in (("index", "info", index_name), ("search", index_name, "x"), ("ingest", index_name, "-")):
        done = cli(*command)
        assert (done.status, done.out) == (1, "")
        assert done.err == (
            f"Error: Index '{index_name}' does not exist. Check its name, or create it: opensearch-neural-sparse index "
            "create.\n"
        )


def test_an_approximate_index_is_opened_as_one(cli: Run, server: RunningServer, index_name: str) -> None:
    done = cli("index", "create", index_name, "--model", MODEL, "--approximate", "--replicas", "0")
    if server.version.startswith("2."):
        assert done.status == 1
        assert "needs OpenSearch 3.3.0 or later" in done.err
        return
    assert done.status == 0, done.err
    assert cli("ingest", index_name, "-", "--model", MODEL, stdin=b'{"id": "1", "text": "A heart."}').status == 0
    assert cli("search", index_name, "heart", "--model", MODEL, "--json").json["hits"][0]["id"] == "1"


def test_fields_are_those_of_the_stamp_and_else_the_usual_ones() -> None:
    stamp = {"model": "m", "query_sha256": "q", "weights_sha256": "w", "mode": "doc-only", "activation": "relu"}
    stamp |= {"max_length": 512, "text_field": "body"}
    meta = {"opensearch_neural_sparse": {"fields": {"weights": stamp}}}
    mappings = {"_meta": meta, "properties": {"weights": {"type": "sparse_vector"}}}
    found = stamped_schema({"plain": {"mappings": {}}, "a": {"mappings": mappings}})
    assert (found.sparse_field, found.text_field, found.field_type) == ("weights", "body", FieldType.SPARSE_VECTOR)
    assert stamped_schema({"plain": {"mappings": {}}}) == stamped_schema({}) == IndexSchema()


def test_languages_of_an_index_are_subfields_of_its_text(cli: Run, index_name: str, client: Any) -> None:
    create = ("index", "create", index_name, "--model", MODEL)
    wrongs = {"en,xx": "'xx'. Name one, such as xx=standard.", "en,": "A language is a code", "sw=": "has no name"}
    for wrong, reason in wrongs.items():
        refused = cli(*create, "--languages", wrong)
        assert refused.status == 2, refused.err
        assert reason in refused.words
    assert cli(*create, "--languages", "en, de,sw=standard").status == 0
    text = client.indices.get_mapping(index=index_name)[index_name]["mappings"]["properties"]["content"]
    analyzers = {name: field["analyzer"] for name, field in text["fields"].items()}
    assert analyzers == {"en": "english", "de": "german", "sw": "standard"}
