"""Search paths of the Haystack layer: retrievers that merge filters, and methods of the document store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseBM25Retriever,
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseMetadataRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import Retrieval
from opensearch_neural_sparse import HybridOptions, HybridSearch, MatchSearch, MetadataSearch, Rerank, SparseSearch
from tests.campaigns.fence.core_paths import METADATA
from tests.campaigns.fence.paths import Call, Path
from tests.campaigns.fence.site import CANARY, QUERY, OneVector, Spy

MANY = 50
FENCES: tuple[Any, ...] = (
    {"field": "meta.team", "operator": "==", "value": "all"},
    {"field": "meta.team", "operator": "!=", "value": "board"},
    {"operator": "NOT", "conditions": [{"field": "team", "operator": "not in", "value": ["all"]}]},
    {
        "operator": "AND",
        "conditions": [
            {"field": "meta.team", "operator": "in", "value": ["all"]},
            {"field": "meta.year", "operator": "<", "value": 2024},
        ],
    },
)
GROUPS = {"field": "group", "size": 20}
Made = dict[str, Any]
COMPONENTS: dict[str, tuple[type[Any], Made]] = {
    "sparse": (OpenSearchNeuralSparseRetriever, {"explain": True, "return_embedding": True}),
    "sparse groups": (OpenSearchNeuralSparseRetriever, {"collapse": GROUPS}),
    "sparse two-phase": (OpenSearchNeuralSparseRetriever, {"two_phase": True, "raise_on_failure": False}),
    "hybrid": (OpenSearchNeuralSparseHybridRetriever, {"explain": True}),
    "hybrid client": (OpenSearchNeuralSparseHybridRetriever, {"fusion": "client", "collapse": "group"}),
    "hybrid bm25": (OpenSearchNeuralSparseHybridRetriever, {"legs": ["bm25"]}),
    "hybrid sparse": (OpenSearchNeuralSparseHybridRetriever, {"legs": ["sparse"], "score_threshold": -1.0}),
    "bm25": (OpenSearchNeuralSparseBM25Retriever, {"return_embedding": True}),
    "bm25 groups": (OpenSearchNeuralSparseBM25Retriever, {"collapse": GROUPS, "score_threshold": -1.0}),
    "super": (OpenSearchNeuralSparseHybridSearch, {"text_embedder": OneVector()}),
    "super groups": (OpenSearchNeuralSparseHybridSearch, {"collapse": GROUPS}),
}


def haystack_paths() -> Iterator[Path]:
    """Yield the paths of components and of the document store."""
    for label, (kind, _) in COMPONENTS.items():
        for way in ("run", "run_async"):
            covers = (f"{kind.__name__}.{way}",)
            yield Path(f"haystack {label} {way}", covers, FENCES, partial(_component, label, way))
            if not label.startswith("super"):
                yield Path(f"haystack {label} {way} body", covers, FENCES, partial(_own_body, label, way))
    kind = OpenSearchNeuralSparseMetadataRetriever
    for way in ("run", "run_async"):
        for mode in ("strict", "fuzzy"):
            yield Path(
                f"haystack metadata {mode} {way}", (f"{kind.__name__}.{way}",), FENCES, partial(_metadata, mode, way)
            )
    for method, search in METHODS.items():
        for suffix in ("", "_async"):
            covers = (f"OpenSearchNeuralSparseDocumentStore.{method}{suffix}",)
            yield Path(f"haystack store {method}{suffix}", covers, FENCES, partial(_direct, suffix, search))


def _made(label: str, call: Call) -> Any:
    kind, options = COMPONENTS[label]
    store = call.site.document_store(call.name)
    return kind(document_store=store, filters=call.fence, filter_policy="merge", top_k=MANY, **options)


def _component(label: str, way: str, call: Call) -> Any:
    component, spy = _made(label, call), Spy()
    given: dict[str, Any] = {"filters": call.hostile}
    if "groups" not in label and "client" not in label:
        given["rerank"] = Rerank(spy)
    if label == "sparse" and call.draw("blank"):
        return getattr(component, way)(query_sparse_embedding=call.site.embedding, filters=call.hostile)
    return _with_spy(getattr(component, way)(QUERY, **given), spy)


def _metadata(mode: Any, way: str, call: Call) -> Any:
    retriever = OpenSearchNeuralSparseMetadataRetriever(
        document_store=call.site.document_store(call.name),
        metadata_fields=[f"meta.{field}" for field in METADATA],
        filters=call.fence,
        filter_policy="merge",
        top_k=MANY,
        mode=mode,
    )
    text = f"{CANARY}, board" if call.draw("blank") else "note, board, group 0, 2030"
    return getattr(retriever, way)(text, filters=call.hostile)


def _own_body(label: str, way: str, call: Call) -> Any:
    return getattr(_made(label, call), way)(QUERY, filters=call.hostile, custom_query=call.draw("body"))


def _with_spy(result: Any, spy: Spy) -> Any:
    return _await_with(result, spy) if hasattr(result, "__await__") else [result, spy.read]


async def _await_with(result: Any, spy: Spy) -> Any:
    return [await result, spy.read]


def _both(call: Call) -> Any:
    """Return fence and filter as one filter, for methods that have no fence of their own."""
    if call.fence is None:
        return call.hostile
    return {"operator": "AND", "conditions": [call.fence, call.hostile]}


def _direct(suffix: str, search: Callable[[str, Any, Call], Any], call: Call) -> Any:
    return search(suffix, call.site.document_store(call.name), call)


def _method(name: str, *before: Any, **more: Any) -> Callable[[str, Any, Call], Any]:
    def search(suffix: str, store: Any, call: Call) -> Any:
        return getattr(store, name + suffix)(*before, filters=_both(call), **more)

    return search


def _count(suffix: str, store: Any, call: Call) -> Any:
    counted = getattr(store, f"count_documents_by_filter{suffix}")(_both(call))
    return _await_count(counted) if hasattr(counted, "__await__") else {"count": counted}


async def _await_count(counted: Any) -> Any:
    return {"count": await counted}


def _retrieval(call: Call, *, aggregations: bool) -> Retrieval:
    options = HybridOptions() if call.draw("hybrid") else None
    search: Any = SparseSearch(QUERY, size=MANY) if options is None else HybridSearch(QUERY, size=MANY, options=options)
    search = MatchSearch(QUERY, size=MANY) if call.draw("blank") else search
    drawn = call.draw("aggregations") if aggregations else None
    return Retrieval(search=search, filters=_both(call), explain=True, return_embedding=True, aggregations=drawn)


def _retrieve_metadata(suffix: str, store: Any, call: Call) -> Any:
    search = MetadataSearch("note, board, group 1, 2030", fields=METADATA, size=MANY)
    return getattr(store, f"retrieve_metadata{suffix}")(search, filters=_both(call))


def _retrieve(name: str, *, aggregations: bool) -> Callable[[str, Any, Call], Any]:
    def search(suffix: str, store: Any, call: Call) -> Any:
        return getattr(store, name + suffix)(_retrieval(call, aggregations=aggregations))

    return search


METHODS: dict[str, Callable[[str, Any, Call], Any]] = {
    "filter_documents": _method("filter_documents"),
    "count_documents_by_filter": _count,
    "count_unique_metadata_by_filter": _method("count_unique_metadata_by_filter", metadata_fields=["label"]),
    "get_metadata_field_unique_values": _method("get_metadata_field_unique_values", "label", size=MANY),
    "retrieve_metadata": _retrieve_metadata,
    "retrieve": _retrieve("retrieve", aggregations=False),
    "retrieve_with_aggregations": _retrieve("retrieve_with_aggregations", aggregations=True),
}
