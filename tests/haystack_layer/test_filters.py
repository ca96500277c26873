"""Filters mean what Haystack's own reference says, in every method of a document store and in the retrievers."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from haystack.dataclasses import Document
from haystack.document_stores.errors import DocumentStoreError
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.errors import FilterError
from haystack_integrations.components.retrievers.opensearch import OpenSearchBM25Retriever
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import checked_filters
from opensearch_neural_sparse import IndexSchema, UnmappedFieldWarning
from tests.haystack_layer.conftest import MakeStore

pytestmark = pytest.mark.newest_server

Filters = dict[str, Any]


def _condition(field: str, operator: str, value: Any) -> Filters:
    return {"field": field, "operator": operator, "value": value}


def _joined(operator: str, *conditions: Any) -> Filters:
    return {"operator": operator, "conditions": list(conditions)}


IN_EN = _condition("meta.lang", "==", "en")
NOTHING = [
    _joined("OR"),
    _joined("AND", IN_EN, _joined("OR")),
    _joined("OR", _joined("OR"), _joined("OR")),
    _joined("NOT"),
    _joined("NOT", _joined("NOT", _joined("OR"))),
    _condition("meta.lang", "in", []),
    _condition("meta.year", ">", None),
]
EVERYTHING = [_joined("AND"), _joined("OR", _joined("AND")), _joined("NOT", _joined("OR"))]
WRONG = [
    (_condition("meta.lang", "~", "en"), "Unknown operator '~' on field 'meta.lang'; known are '==', '!='"),
    (_condition("meta.lang", "contains", "en"), "Unknown operator 'contains'"),
    (_condition("meta.lang", ["=="], "en"), "Unknown operator"),
    (_joined("XOR", IN_EN), "Unknown operator 'XOR' over conditions; known are 'AND', 'OR', 'NOT'"),
    (_joined("and", IN_EN), "Unknown operator 'and'"),
    (_joined("AND", _condition("meta.lang", "is", "en")), "Unknown operator 'is'"),
    (_joined("OR", "lang"), "A condition of a filter is a mapping .* got str"),
    (_joined("OR", [IN_EN]), "A condition of a filter is a mapping .* got list"),
    (_joined("OR", {}), "'operator', 'conditions' are missing"),
    ({"operator": "AND", "conditions": IN_EN}, "'conditions' of 'AND' is a list, got dict"),
    ({"lang": "en"}, "are missing in a filter. Write {'field': 'meta.lang', 'operator': '==', 'value': 'en'}"),
    ({"year": {"$gte": 2020}}, "Write {'field': 'meta.year', 'operator': '>=', 'value': 2020}"),
    ({"$or": [{"lang": "en"}]}, r"Write {'operator': 'OR', 'conditions': \[...\]}"),
    ({"field": "meta.lang", "value": "en"}, "'operator' is missing in a condition"),
    ({"field": "meta.lang", "operator": "=="}, "'value' is missing in a condition"),
    ({"field": None, "operator": "==", "value": 1}, "'field' of a condition names a key"),
    (_condition("meta.lang", "in", "en"), "'in' on field 'lang' takes a list|'in' on field 'meta.lang' takes a list"),
    (_condition("meta.lang", "not in", {"en"}), "takes a list of values, got set"),
    (_condition("meta.lang", "==", []), "neither empty lists"),
    (_condition("meta.lang", "==", ["en", None]), "compares lists of texts"),
    (_condition("meta.lang", "==", {"a": 1}), "compares one value, got a mapping"),
    (_condition("meta.lang", "==", {"en"}), "got set"),
    (_condition("meta.lang", "==", b"en"), "got bytes"),
    (_condition("meta.lang", "in", ["\ud800"]), "surrogate"),
    (_condition("meta.year", ">", [1]), "list"),
    ([IN_EN], "is a mapping such as .* got list"),
    ([], "is a mapping such as .* got list"),
    ("lang", "is a mapping such as .* got str"),
]


@pytest.fixture
def store(make_store: MakeStore, embedder: Any) -> OpenSearchNeuralSparseDocumentStore:
    store = make_store()
    metadata = [{"lang": "en", "year": 2020}, {"lang": "de", "year": 2021}, {"year": 2022}]
    documents = [Document(id=str(place), content="a file", meta=meta) for place, meta in enumerate(metadata)]
    store.write_documents(embedder.run(documents)["documents"])
    return store


def _ids(found: Any) -> list[str]:
    return sorted(document.id for document in (found["documents"] if isinstance(found, dict) else found))


def _kinds() -> list[Any]:
    return [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever, OpenSearchBM25Retriever]


def _calls(store: OpenSearchNeuralSparseDocumentStore, filters: Any, *, awaited: bool) -> list[Any]:
    """Return every call that takes filters; what changes or deletes comes last."""
    suffix = "_async" if awaited else ""
    methods = [
        ("filter_documents", (filters,)),
        ("count_documents_by_filter", (filters,)),
        ("count_unique_metadata_by_filter", (filters, ["year"])),
        ("get_metadata_field_unique_values", ("year", None, 0, 10, filters)),
        ("update_by_filter", (filters, {"seen": True}, True)),
        ("delete_by_filter", (filters, True)),
    ]
    calls = [lambda kind=kind: getattr(kind(document_store=store), f"run{suffix}")("file", filters=filters)
             for kind in _kinds()]  # fmt: skip
    calls += [lambda kind=kind: getattr(kind(document_store=store, filters=filters), f"run{suffix}")("file")
              for kind in _kinds()]  # fmt: skip
    return calls + [lambda name=name, rest=rest: getattr(store, name + suffix)(*rest) for name, rest in methods]


async def _result(outcome: Any) -> Any:
    return await outcome if inspect.isawaitable(outcome) else outcome


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
async def test_an_or_over_no_conditions_lets_nothing_through(store: Any, awaited: bool) -> None:
    nothing_found = [{"documents": []}] * 6 + [[], 0, {"year": 0}, ([], 0), 0, 0]
    for filters in NOTHING:
        found = [await _result(call()) for call in _calls(store, filters, awaited=awaited)]
        assert found == nothing_found, filters
    assert store.count_documents() == 3
    await store.close_async()


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
async def test_its_opposite_lets_everything_through(store: Any, awaited: bool) -> None:
    for filters in EVERYTHING:
        *found, values, updated = [await _result(call()) for call in _calls(store, filters, awaited=awaited)[:-1]]
        assert [_ids(each) for each in found[:7]] == [["0", "1", "2"]] * 7
        assert (found[7:], values, updated) == ([3, {"year": 3}], ([2020, 2021, 2022], 3), 3)
    assert await _result(_calls(store, EVERYTHING[0], awaited=awaited)[-1]()) == 3
    await store.close_async()


async def test_no_filter_lets_everything_through_and_changes_nothing(store: Any) -> None:
    for none in ({}, None):
        assert len(store.filter_documents(none)) == len(await store.filter_documents_async(none)) == 3
        assert store.count_documents_by_filter(none) == await store.count_documents_by_filter_async(none) == 3
        for change in (store.delete_by_filter, store.delete_by_filter_async):
            with pytest.raises(FilterError, match=r"needed.*delete_all_documents"):
                await _result(change(none))
        for change in (store.update_by_filter, store.update_by_filter_async):
            with pytest.raises(FilterError, match="needed"):
                await _result(change(none, {"seen": True}))
    assert store.count_documents() == 3
    await store.close_async()


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
async def test_what_is_no_filter_of_haystack_is_a_filter_error_everywhere(store: Any, awaited: bool) -> None:
    for wrong, message in WRONG:
        for place, call in enumerate(_calls(store, wrong, awaited=awaited)):
            if not wrong and place in (2, 5):
                continue  # the stock retriever takes an empty list for no filter before the store sees it
            with pytest.raises(FilterError, match=message):
                await _result(call())
    assert store.count_documents() == 3
    await store.close_async()


async def test_none_in_a_list_stands_for_absence(store: Any) -> None:
    for operator, values, expected in (
        ("in", ["en", None], ["0", "2"]),
        ("in", [None], ["2"]),
        ("not in", ["en", None], ["1"]),
        ("not in", [None], ["0", "1"]),
        ("not in", [], ["0", "1", "2"]),
        ("!=", None, ["0", "1"]),
        ("==", None, ["2"]),
    ):
        condition = _condition("meta.lang", operator, values)
        assert _ids(store.filter_documents(condition)) == expected
        assert _ids(await store.filter_documents_async(condition)) == expected
        found = OpenSearchNeuralSparseRetriever(document_store=store).run("file", filters=condition)
        assert _ids(found) == expected
    await store.close_async()


def test_lists_are_compared_as_wholes(make_store: MakeStore) -> None:
    store = make_store()
    tags = {"0": ["a"], "1": ["a", "b"], "2": ["b"]}
    store.write_documents([Document(id=name, content="x", meta={"tags": tag}) for name, tag in tags.items()])
    for operator, value, expected in (
        ("==", ["a", "b"], ["1"]),
        ("!=", ["a", "b"], ["0", "2"]),
        ("in", [["a"], ["b"]], ["0", "2"]),
        ("not in", [["a"], ["b"]], ["1"]),
    ):
        assert _ids(store.filter_documents(_condition("meta.tags", operator, value))) == expected


def test_filters_of_a_retriever_and_a_run_are_merged_whatever_they_are(store: Any) -> None:
    for kind in _kinds()[:2]:
        merging = kind(document_store=store, filters=_condition("meta.year", ">", 2020), filter_policy="merge")
        assert _ids(merging.run("file", filters=_joined("OR"))) == []
        assert _ids(merging.run("file", filters=_joined("AND"))) == ["1", "2"]
        assert _ids(merging.run("file", filters={})) == ["1", "2"]
        closed = kind(document_store=store, filters=_joined("OR"), filter_policy="merge")
        assert _ids(closed.run("file", filters=IN_EN)) == _ids(closed.run("file")) == []


def test_keys_that_lie_under_meta_are_filtered_by(make_store: MakeStore) -> None:
    store = make_store()
    metadata = [{"score": 1, "meta": {"lang": "en"}, "id": "a"}, {"score": 2, "meta": {"lang": "de"}, "id": "b"}]
    store.write_documents([Document(id=str(place), content="x", meta=meta) for place, meta in enumerate(metadata)])
    for condition in (
        _condition("meta.score", "==", 2),
        _condition("meta.meta.lang", "==", "de"),
        _condition("meta.id", "in", ["b"]),
        _condition("id", "==", "1"),
    ):
        assert _ids(store.filter_documents(condition)) == ["1"], condition


def test_a_key_is_updated_with_and_without_the_prefix(store: Any) -> None:
    assert store.update_by_filter(IN_EN, {"meta.lang": "fr", "year": 2000}, refresh=True) == 1
    (read,) = store.filter_documents(_condition("id", "==", "0"))
    assert read.meta == {"lang": "fr", "year": 2000}
    with pytest.raises(DocumentStoreError, match=r"\['lang'\] are given with and without 'meta.'"):
        store.update_by_filter(IN_EN, {"meta.lang": "fr", "lang": "es"})
    with pytest.raises(DocumentStoreError, match=r"\['content'\] are fields of the index"):
        store.update_by_filter(IN_EN, {"meta.content": "x"})


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
async def test_a_key_that_no_document_has_is_one_warning(store: Any, awaited: bool) -> None:
    for call in _calls(store, _condition("meta.lnag", "==", "en"), awaited=awaited):
        with pytest.warns(UnmappedFieldWarning, match=r"field 'lnag' of the filter.*Did you mean 'lang'\?") as seen:
            await _result(call())
        assert len(seen) == 1
    await store.close_async()


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
async def test_the_prefix_of_another_library_is_refused_with_the_right_name(store: Any, awaited: bool) -> None:
    for call in _calls(store, _condition("metadata.lang", "==", "en"), awaited=awaited):
        with pytest.raises(FilterError, match=r"'metadata.lang'.*Write 'lang'\."):
            await _result(call())
    await store.close_async()


def test_filters_stay_as_they_are() -> None:
    filters = _joined("OR", _joined("OR"), _condition("meta.score", "in", [1, None]))
    checked_filters(filters, IndexSchema())
    assert filters == _joined("OR", _joined("OR"), _condition("meta.score", "in", [1, None]))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "meta.lang": st.sampled_from(["de", "en", "fr", "größe"]),
    "meta.year": st.integers(2018, 2024),
    "meta.draft": st.booleans(),
    "meta.place.city": st.sampled_from(["Bonn", "Köln"]),
    "meta.score": st.integers(-2, 2),
    "id": st.sampled_from(["0", "7", "12", "none"]),
}
RANGED = {"meta.year", "meta.score"}


def _conditions() -> st.SearchStrategy[Filters]:
    choices = []
    for field, values in VALUES.items():
        some = values | st.none()
        choices.append(st.builds(_condition, st.just(field), st.sampled_from(["==", "!="]), some))
        several = st.lists(some, max_size=3)
        choices.append(st.builds(_condition, st.just(field), st.sampled_from(["in", "not in"]), several))
        if field in RANGED:
            choices.append(st.builds(_condition, st.just(field), st.sampled_from([">", ">=", "<", "<="]), some))
    return st.one_of(choices)


FILTERS = st.recursive(
    _conditions(),
    lambda inner: st.builds(
        lambda operator, parts: _joined(operator, *parts),
        st.sampled_from(["AND", "OR", "NOT"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)


def _documents() -> list[Document]:
    langs, cities = ["de", "en", "fr", "größe", None], ["Bonn", "Köln", None]
    documents = []
    for number in range(40):
        meta: dict[str, Any] = {"lang": langs[number % 5], "place": {"city": cities[number % 3]}}
        if number % 4:
            meta |= {"year": 2018 + number % 7, "draft": number % 2 == 0}
        if number % 3:
            meta["score"] = number % 5 - 2
        documents.append(Document(id=str(number), content=f"passage {number}", meta=meta))
    return documents


def test_random_filters_find_what_the_store_in_memory_finds(make_store: MakeStore) -> None:
    store, reference = make_store(), InMemoryDocumentStore()
    store.write_documents(_documents())
    reference.write_documents(_documents())

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(FILTERS)
    def agree(filters: Filters) -> None:
        expected = _ids(reference.filter_documents(filters))
        assert _ids(store.filter_documents(filters)) == expected
        assert store.count_documents_by_filter(filters) == len(expected)

    agree()


@pytest.mark.parametrize(
    ("key", "operator", "value", "said"),
    [
        ("n", "in", [1, "x"], r"'in' on field 'meta\.n', which holds values of the kind number, got 'x'\."),
        ("n", "not in", ["x"], "'not in' on field 'meta.n'.* number, got 'x'"),
        ("n", "==", "x", "number, got 'x'"),
        ("n", "!=", "x", "number, got 'x'"),
        ("n", "==", [1, "x"], "number, got 'x'"),
        ("n", ">", "2025-01-01", "number, got '2025-01-01'"),
        ("n", "in", [True], "number, got True"),
        ("n", "in", [10**400], "number, got 1000"),
        ("year", "==", "x", "number, got 'x'"),
        ("b", "in", [True, 1], "boolean, got 1"),
        ("b", "==", "yes", "boolean, got 'yes'"),
    ],
)
def test_value_of_another_kind_than_the_field_s_is_named(
    make_store: MakeStore, key: str, operator: str, value: Any, said: str
) -> None:
    store = make_store(metadata_fields={"year": {"type": "integer"}})
    store.write_documents([Document(id="1", content="x", meta={"n": 1, "b": True, "t": "a", "year": 3})])
    condition = {"field": f"meta.{key}", "operator": operator, "value": value}
    for ask in (store.filter_documents, store.count_documents_by_filter, store.delete_by_filter):
        with pytest.raises(FilterError, match=said):
            ask({"operator": "AND", "conditions": [condition]})
    with pytest.raises(FilterError, match=said):
        store.update_by_filter(condition, {"t": "b"})
    assert store.count_documents() == 1


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [
        ("n", "in", [2, 1]),
        ("n", "in", ["1", None]),
        ("n", "==", 1.0),
        ("n", "not in", [2, 1.5]),
        ("b", "in", [True, "false"]),
        ("t", "in", [1, "a"]),
    ],
)
def test_value_that_the_server_reads_as_the_field_s_is_none_of_another_kind(
    make_store: MakeStore, key: str, operator: str, value: Any
) -> None:
    store = make_store()
    store.write_documents([Document(id="1", content="x", meta={"n": 1, "b": True, "t": "a"})])
    found = store.filter_documents({"field": f"meta.{key}", "operator": operator, "value": value})
    assert [document.id for document in found] == ["1"]


def test_whole_number_that_the_field_rounds_is_named(make_store: MakeStore) -> None:
    store = make_store()
    store.write_documents([Document(id="1", content="one", meta={"number": 2**53})])
    for filters in (_condition("meta.number", "==", 2**53 + 1), _condition("meta.number", ">", 2**53 + 1)):
        for method in (store.filter_documents, store.count_documents_by_filter, store.delete_by_filter):
            with pytest.raises(
                FilterError, match="'number' with 9007199254740993, which a field of type double rounds"
            ):
                method(filters)
    assert [document.id for document in store.filter_documents(_condition("meta.number", "==", 2**53))] == ["1"]
