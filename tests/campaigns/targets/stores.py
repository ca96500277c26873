"""Methods of the stores of all layers, on an index of a real server."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import opensearch_neural_sparse as core
from tests.campaigns.stores import Doors, encoder, indices
from tests.campaigns.targets.target import Target, target

ROWS = [{"id": str(number), "text": f"planet {number}", "metadata": {"year": 2000 + number}} for number in range(5)]
Calls = Mapping[str, Mapping[str, Any]]
"""Method -> arguments that are right."""
CORE: Calls = {
    "get": {"ids": ["1"]},
    "scan": {},
    "delete": {"ids": ["9"]},
    "count": {},
    "check_filter": {"filter": None},
    "declare_metadata": {"metadata": {}},
    "encode_query": {"text": "planet"},
    "write": {"documents": ROWS[:1]},
    "load_target": {"source": "x"},
    "update_metadata": {"updates": {"1": {"year": 2001}}},
    "update_text": {"texts": {"1": "planet 1"}},
    "delete_matching": {"filter": {"term": {"year": 1}}},
    "run": {"search": core.SparseSearch("planet")},
    "search": {"query": "planet"},
    "search_many": {"queries": ["planet"]},
    "match_search": {"text": "planet"},
    "search_metadata": {"search": core.MetadataSearch("2001", fields=["year"])},
    "custom_search": {"body": {"query": {"match_all": {}}}},
    "hybrid_search": {"query": "planet"},
    "create": {"exist_ok": True},
    "open": {},
}
HAYSTACK: Calls = {
    "write_documents": {"documents": []},
    "filter_documents": {},
    "count_documents_by_filter": {"filters": {"field": "meta.year", "operator": "==", "value": 1}},
    "count_unique_metadata_by_filter": {"filters": {}, "metadata_fields": ["year"]},
    "delete_by_filter": {"filters": {"field": "meta.year", "operator": "==", "value": 1}},
    "delete_documents": {"document_ids": ["9"]},
    "get_metadata_field_min_max": {"metadata_field": "year"},
    "get_metadata_field_unique_values": {"metadata_field": "year"},
    "retrieve": {"retrieval": None},
    "retrieve_metadata": {"search": core.MetadataSearch("2001", fields=["year"])},
    "update_by_filter": {"filters": {"field": "meta.year", "operator": "==", "value": 1}, "meta": {"year": 2}},
}
LANGCHAIN: Calls = {
    "add_texts": {"texts": ["planet"], "ids": ["1"]},
    "add_documents": {"documents": []},
    "delete": {"ids": ["9"]},
    "get_by_ids": {"ids": ["1"]},
    "similarity_search": {"query": "planet"},
    "similarity_search_with_score": {"query": "planet"},
    "similarity_search_by_sparse_vector": {"vector": {"planet": 1.0}},
    "similarity_search_with_aggregations": {"query": "planet", "aggregations": {}},
    "max_marginal_relevance_search": {"query": "planet"},
    "search": {"query": "planet", "search_type": "similarity"},
}
LEFT_OUT = {"write": ("info",), "delete_matching": ("timeout",), "create": ("settings",)}
"""Parameters that are left as they are: values of the store's own, and what would change the index for the others."""


def targets(url: str, stack: ExitStack) -> Iterator[Target]:
    """Yield the methods, over an index that is deleted when the stack is closed."""
    index = stack.enter_context(indices(url)).new()
    these = Doors(url, index, stack)
    store = these.core()
    store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
    store.write(ROWS)
    yield from _methods("core", store, CORE)
    yield from _methods("haystack", these.haystack(), HAYSTACK)
    yield from _methods("langchain", these.langchain(), LANGCHAIN)
    yield from (_awaited(these, name, right) for name, right in CORE.items() if name != "scan")
    yield target("stores", functools.partial(_count, url), lambda: {"index": index, **_encoders()})


def _methods(layer: str, store: Any, calls: Calls) -> Iterator[Target]:
    for name, right in calls.items():
        yield target(f"{layer}.{name}", getattr(store, name), lambda right=right: right, without=LEFT_OUT.get(name, ()))


def _awaited(these: Doors, name: str, right: Mapping[str, Any]) -> Target:
    method = getattr(core.AsyncNeuralSparseStore, name)

    @functools.wraps(method)
    def call(**given: Any) -> Any:
        return asyncio.run(_await(these, name, given))

    return target(f"awaited.{name}", call, lambda: right, without=(*LEFT_OUT.get(name, ()), "self"))


async def _await(these: Doors, name: str, given: Mapping[str, Any]) -> Any:
    async with these.awaited() as store:
        method: Callable[..., Any] = getattr(store, name)
        return await method(**given)


def _encoders() -> dict[str, Any]:
    return {"query_encoder": encoder(), "document_encoder": encoder()}


def _count(
    url: str,
    index: Any,
    model: Any = None,
    schema: Any = None,
    query_encoder: Any = None,
    document_encoder: Any = None,
    encoder_options: Any = None,
    client_options: Any = None,
    prune: Any = None,
    server_version: Any = None,
    server_encoding: Any = None,
) -> int:
    """Make a store with hostile arguments, and use it."""
    given = {name: value for name, value in locals().items() if value is not None and name not in ("url", "index")}
    with core.NeuralSparseStore(index, url=url, **given) as store:
        return store.count()
