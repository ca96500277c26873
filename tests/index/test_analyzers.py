from typing import Any

import pytest

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.analyzers import ANALYZERS, STANDARD, analyzer_for, read_languages
from opensearch_neural_sparse.index.mapping import create_index_body
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.models.registry import list_models


@pytest.mark.parametrize(
    ("languages", "analyzer"),
    [(("en",), "english"), (["de"], "german"), ({"zh"}, "cjk"), (("sw",), None), (("en", "de"), None), ((), None)],
)
def test_one_language_has_its_analyzer_and_all_else_the_servers_default(languages: Any, analyzer: str | None) -> None:
    assert analyzer_for(languages) == analyzer


def test_every_server_has_the_analyzers(client: Any) -> None:
    for analyzer in {STANDARD, *ANALYZERS.values()}:
        (token,) = client.indices.analyze(body={"analyzer": analyzer, "text": "Klima"})["tokens"]
        assert token["token"]


def test_every_published_model_is_analysed_as_english_but_those_of_several_languages() -> None:
    chosen = {spec.name: analyzer_for(spec.languages) for spec in list_models()}
    several = {spec.name for spec in list_models() if len(spec.languages) != 1}
    assert "multilingual-v1" in several
    assert {chosen.pop(name) for name in several} == {None}
    assert set(chosen.values()) == {"english"}


def test_languages_have_the_servers_analyzers_or_those_that_are_named() -> None:
    schema = IndexSchema(languages=["de", "ja", "zh"])
    assert schema.language_analyzers == {"de": "german", "ja": "cjk", "zh": "cjk"}
    assert schema.language_fields == ("content.de", "content.zh")
    assert IndexSchema(languages={"sw": "standard"}).language_analyzers == {"sw": "standard"}


def test_languages_get_subfields_beside_the_words_as_they_are() -> None:
    text = create_index_body(IndexSchema(languages=["de"]), languages=["en"])["mappings"]["properties"]["content"]
    assert text == {
        "type": "text",
        "fields": {"de": {"type": "text", "analyzer": "german", "meta": {"language": "de"}}},
    }
    assert read_languages(text) == {"de": "german"}


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        (("de", "sw", "te"), "no analyzer of its own for 'sw', 'te'.*languages={'sw': 'standard'}"),
        ("de", "put it into a list"),
        (("d.e",), "a code such as 'de' or 'pt-br', got 'd.e'"),
        ((1,), "got 1"),
        ({"l" * 51: "standard"}, "at most 50 characters, got 51"),
        ({"de": ""}, "analyzer of language 'de' has no name"),
    ],
)
def test_languages_without_an_analyzer_or_a_name_are_refused(languages: Any, message: str) -> None:
    with pytest.raises(IndexSchemaError, match=message):
        IndexSchema(languages=languages)


def test_a_language_cannot_be_a_subfield_of_another_kind() -> None:
    with pytest.raises(IndexSchemaError, match=r"\['de'\] in common"):
        IndexSchema(languages=["de"], text_subfields={"de": "english"})
