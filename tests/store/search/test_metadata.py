"""Searches for rows of metadata on real servers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    FewCandidatesWarning,
    IndexSchema,
    MetadataSearch,
    NeuralSparseStore,
    RequestOptions,
    SparseDocument,
)
from opensearch_neural_sparse.errors import IndexSchemaError, UnmappedFieldWarning
from tests.store.conftest import MakeIndex, MakeStore

BOOKS: list[dict[str, Any]] = [
    {"author": "Jane Austen", "kind": "novel", "year": 1813, "team": "all", "title": "Pride and Prejudice"},
    {"author": "Jane Austen", "kind": "novel", "year": 1815, "team": "all", "title": "The Running of Emma"},
    {"author": "Jane Doe", "kind": "letters", "year": 1815, "team": "board", "lent": True},
    {"author": "Émile Zola", "kind": "novel", "year": 1885, "published": "1885-03-02", "team": "all"},
    {"author": "C. (C++) *Stroustrup*", "kind": "manual", "tags": ["code", "compiler"], "team": "all", "lent": False},
    {"kind": "$filters", "team": "board", "place": {"town": "Bath"}},
]
FIELDS = {
    "author": {"type": "keyword", "fields": {"words": {"type": "text"}}},
    "title": {"type": "text", "analyzer": "english"},
    "hidden": {"type": "keyword", "index": False},
    "flat": {"type": "flat_object"},
    "deep": {"type": "nested", "properties": {"key": {"type": "keyword"}}},
    "day": {"type": "date"},
    "server": {"type": "ip"},
    "pattern": {"type": "wildcard"},
}


@pytest.fixture(scope="module", params=[1, 3], ids=["one shard", "three shards"])
def index(make_index: MakeIndex, request: pytest.FixtureRequest) -> str:
    """Each book twice, and one more with values of every other type."""
    documents = [
        SparseDocument(id=f"{number}-{copy}", text="a book", vector={"book": 1.0}, metadata=book)
        for number, book in enumerate(BOOKS)
        for copy in range(2)
    ]
    others = {"day": "2024-05-01", "server": "10.0.0.7", "pattern": "the Whole pattern", "hidden": "h"}
    documents.append(SparseDocument(id="others", text="another", vector={"book": 1.0}, metadata=others))
    return make_index(documents, shards=request.param, schema=IndexSchema(metadata_fields=FIELDS))


@pytest.fixture
def books(make_store: MakeStore, index: str) -> Iterator[NeuralSparseStore]:
    """A store to be searched only."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FewCandidatesWarning)
        yield make_store(index=index, schema=IndexSchema(metadata_fields=FIELDS))


def found(store: NeuralSparseStore, text: str, *fields: str, **options: Any) -> list[Any]:
    rows = store.search_metadata(MetadataSearch(text, fields=fields, **options))
    return [next(iter(row.values())) for row in rows] if len(fields) == 1 else rows


@pytest.mark.parametrize("mode", ["strict", "fuzzy"])
@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("JANE austen", "author", ["Jane Austen"]),
        ("aust", "author", ["Jane Austen"]),
        ("émile", "author", ["Émile Zola"]),
        ("ÉMILE", "author", ["Émile Zola"]),
        ("(c++)", "author", ["C. (C++) *Stroustrup*"]),
        ("*", "author", ["C. (C++) *Stroustrup*"]),
        ("$filters", "kind", ["$filters"]),
        ("1885", "year", [1885]),
        ("true", "lent", [True]),
        ("1885-03-02", "published", ["1885-03-02"]),
        ("compiler", "tags", [["code", "compiler"]]),
        ("bath", "place.town", ["Bath"]),
        ("runs", "title", ["The Running of Emma"]),
        ("2024-05-01", "day", ["2024-05-01"]),
        ("10.0.0.7", "server", ["10.0.0.7"]),
        ("whole", "pattern", ["the Whole pattern"]),
        ("nothing of it", "lent", []),
        (" , ", "author", []),
    ],
)
def test_values_are_found_by_their_words(
    books: NeuralSparseStore, text: str, field: str, expected: list[Any], mode: str
) -> None:
    assert (found(books, text, field, mode=mode)[:1] if expected else found(books, text, field, mode=mode)) == expected


def test_strict_rows_have_every_word_and_fuzzy_ones_any_or_one_edit(books: NeuralSparseStore) -> None:
    assert found(books, "austen jane", "author", mode="strict") == ["Jane Austen"]
    assert found(books, "austen jane", "author") == ["Jane Austen", "Jane Doe"]
    for misspelt in ("Autsen", "austn", "auxten", "austeen", "jaen"):
        assert found(books, misspelt, "author", mode="strict") == []
        assert found(books, misspelt, "author")[0] == "Jane Austen"
    assert found(books, "prejudise", "title") == ["Pride and Prejudice"]
    assert found(books, "the running", "title", mode="strict") == ["The Running of Emma"], "the analyzer drops 'the'"


def test_rows_are_distinct_best_first_and_hold_the_named_fields(books: NeuralSparseStore) -> None:
    assert found(books, "jane, 1815", "author", "year") == [
        {"author": "Jane Doe", "year": 1815},
        {"author": "Jane Austen", "year": 1815},
        {"author": "Jane Austen", "year": 1813},
    ]
    assert found(books, "jane, 1815", "author", "year", size=1) == [{"author": "Jane Doe", "year": 1815}]
    assert found(books, "bath", "place.town", "author") == [{"place.town": "Bath"}]


def test_documents_satisfy_the_filter(books: NeuralSparseStore) -> None:
    fence = [{"term": {"team": "all"}}]
    assert found(books, "jane", "author", filter=fence) == ["Jane Austen"]
    assert found(books, "$filters", "kind", filter=fence) == []
    assert found(books, "jane", "author", filter=fence, request=RequestOptions(preference="_local")) == ["Jane Austen"]
    with pytest.warns(UnmappedFieldWarning, match="'teem' of the filter"):
        assert found(books, "jane", "author", filter={"term": {"teem": "all"}}) == []


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("autor", "No mapping of index '.*' has the field 'autor'. Did you mean 'author'"),
        ("content", "Field 'content' of index '.*' is no metadata. It has"),
        ("sparse_vector", "Field 'sparse_vector' of index '.*' is no metadata"),
        ("id", "Field 'id' of index '.*' is no metadata"),
        ("meta", "Field 'meta' of index '.*' is no metadata"),
        ("place", "is of type object, which is not searched by words. Name fields that hold texts, numbers, dates"),
        ("hidden", "is of type keyword and not indexed, which is not searched by words"),
        ("flat", "is of type flat_object, which is not searched"),
        ("deep", "is of type nested, which is not searched"),
        ("deep.key", "is of type nested, which is not searched"),
        ("author.words", "is a subfield of type text, which is not searched"),
    ],
)
def test_fields_that_are_not_searched_by_words_are_refused(books: NeuralSparseStore, field: str, message: str) -> None:
    for text in ("jane", " "):
        with pytest.raises(IndexSchemaError, match=message):
            found(books, text, "kind", field)


def test_rows_beyond_the_candidates_are_warned_of(books: NeuralSparseStore) -> None:
    with pytest.raises(FewCandidatesWarning, match=r"best 2 documents of index .* have 1 rows.*documents match"):
        found(books, "novel", "author", "kind", candidates=2)
    assert len(found(books, "novel", "kind", "author", candidates=2, size=1)) == 1
    assert len(found(books, "novel", "kind", "author", candidates=6)) == 2, "every document that matches was read"


def test_a_field_that_a_later_write_brings_is_found(store: NeuralSparseStore, make_store: MakeStore) -> None:
    reader = make_store()
    reader.open()
    store.write([SparseDocument(id="1", text="a", vector={"book": 1.0}, metadata={"late": "arrival"})])
    assert found(reader, "arrival", "late") == ["arrival"]


def test_indices_of_several_types_behind_a_name_are_refused_and_of_one_are_searched(
    client: Any, index_name: str, make_store: MakeStore
) -> None:
    for suffix, value in (("a", "7"), ("b", 7)):
        part = make_store(index=f"{index_name}-{suffix}")
        part.create()
        metadata = {"code": value, "team": suffix}
        part.write([SparseDocument(id=suffix, text="a", vector={"book": 1.0}, metadata=metadata)])
    try:
        both = make_store(index=f"{index_name}-*")
        assert sorted(found(both, "a, b", "team")) == ["a", "b"]
        with pytest.raises(IndexSchemaError, match="is of type double or of type keyword in the indices behind"):
            found(both, "7", "code")
    finally:
        client.indices.delete(index=f"{index_name}-a,{index_name}-b")
