"""Search paths of the LangChain layer: retrievers that have a fence, and methods of the vector store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from langchain_core.retrievers import BaseRetriever

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever, OpenSearchNeuralSparseRetriever
from opensearch_neural_sparse import Collapse, HybridOptions, Rerank, SearchOptions
from tests.campaigns.fence.paths import Call, Path
from tests.campaigns.fence.site import QUERY, Spy

MANY = 50
FENCES: tuple[Any, ...] = (
    {"team": "all"},
    {"team": {"$ne": "board"}},
    {"bool": {"must_not": [{"term": {"team": "board"}}]}},
    [{"team": {"$in": ["all"]}}, {"year": {"$lt": 2024}}],
)
BODY = {"query": {"bool": {"must": ["$sparse"], "filter": ["$filters"]}}}
GROUPS = SearchOptions(collapse=Collapse("group", size=20))
HYBRID_GROUPS = HybridOptions(collapse=Collapse("group", size=20))
Made = dict[str, Any]
OWN: dict[str, tuple[type[Any], Made]] = {
    "sparse": (OpenSearchNeuralSparseRetriever, {"explain": True, "include_scores": True}),
    "sparse body": (OpenSearchNeuralSparseRetriever, {"body": BODY}),
    "sparse groups": (OpenSearchNeuralSparseRetriever, {"options": GROUPS}),
    "hybrid": (OpenSearchNeuralSparseHybridRetriever, {"explain": True}),
    "hybrid groups": (OpenSearchNeuralSparseHybridRetriever, {"options": HYBRID_GROUPS}),
    "hybrid dense": (OpenSearchNeuralSparseHybridRetriever, {"legs": ("bm25", "sparse", "dense")}),
    "bm25": (OpenSearchNeuralSparseHybridRetriever, {"legs": ("bm25",)}),
    "sparse leg": (OpenSearchNeuralSparseHybridRetriever, {"legs": ("sparse",)}),
    "dense": (OpenSearchNeuralSparseHybridRetriever, {"legs": ("dense",)}),
}
LANGCHAIN_S = ("similarity", "mmr", "similarity_score_threshold")


async def _gathered(found: Any) -> list[Any]:
    return [each async for each in found]


CALLS: dict[str, Callable[[BaseRetriever, str, Any], Any]] = {
    "invoke": lambda retriever, query, given: retriever.invoke(query, **given),
    "ainvoke": lambda retriever, query, given: retriever.ainvoke(query, **given),
    "batch": lambda retriever, query, given: retriever.batch([query, query], **given),
    "abatch": lambda retriever, query, given: retriever.abatch([query, query], **given),
    "stream": lambda retriever, query, given: list(retriever.stream(query, **given)),
    "astream": lambda retriever, query, given: _gathered(retriever.astream(query, **given)),
    "batch_as_completed": lambda retriever, query, given: list(retriever.batch_as_completed([query], **given)),
    "abatch_as_completed": lambda retriever, query, given: _gathered(retriever.abatch_as_completed([query], **given)),
    "transform": lambda retriever, query, given: list(retriever.transform(iter([query]), **given)),
    "bind": lambda retriever, query, given: retriever.bind(**given).invoke(query),
    "copy": lambda retriever, query, given: retriever.model_copy().with_config(tags=["x"]).invoke(query, **given),
}
"""Ways to call a retriever; some go through another, and LangChain gives all the keywords of a call."""


def langchain_paths() -> Iterator[Path]:
    """Yield the paths of retrievers and of the vector store."""
    for way in CALLS:
        covers = (f"Retriever.{'invoke' if way in ('bind', 'copy') else way}",)
        for label in OWN:
            yield Path(f"langchain {label} {way}", covers, FENCES, partial(_own, label, way))
        for kind in LANGCHAIN_S:
            yield Path(f"langchain {kind} {way}", covers, FENCES, partial(_langchain_s, kind, way))
    for method, search in METHODS.items():
        for prefix in ("", "a"):
            covered = f"OpenSearchNeuralSparseVectorStore.{prefix}{method.split(' ')[0]}"
            yield Path(f"langchain store {prefix}{method}", (covered,), FENCES, partial(_direct, prefix, search))
            if method in OF_MODES:
                for mode in MODES:
                    run = partial(_in_mode, mode, prefix, search)
                    yield Path(f"langchain store {mode} {prefix}{method}", (covered,), FENCES, run)


def _own(label: str, way: str, call: Call) -> Any:
    kind, made = OWN[label]
    store = call.site.vectorstore(call.name)
    retriever = kind(vectorstore=store, k=MANY, filter=call.fence, **made)
    given, spy = {"filter": call.hostile}, Spy()
    if label in ("sparse", "hybrid", "bm25") and way != "bind":
        given["rerank"] = Rerank(spy)
    query = " " if call.draw("blank") else QUERY
    return _with_spy(CALLS[way](retriever, query, given), spy)


def _langchain_s(kind: str, way: str, call: Call) -> Any:
    threshold = {"score_threshold": 0.0} if kind == "similarity_score_threshold" else {}
    kwargs = {"k": MANY, "filter": call.fence, **threshold}
    retriever = call.site.vectorstore(call.name).as_retriever(search_type=kind, search_kwargs=kwargs)
    query = " " if call.draw("blank") else QUERY
    return CALLS[way](retriever, query, {"filter": call.hostile})


def _with_spy(result: Any, spy: Spy) -> Any:
    return _await_with(result, spy) if hasattr(result, "__await__") else [result, spy.read]


async def _await_with(result: Any, spy: Spy) -> Any:
    return [await result, spy.read]


def _direct(prefix: str, search: Callable[[str, Any, Call], Any], call: Call) -> Any:
    return search(prefix, call.site.vectorstore(call.name), call)


def _in_mode(mode: str, prefix: str, search: Callable[[str, Any, Call], Any], call: Call) -> Any:
    return search(prefix, call.site.vectorstore(call.name, mode), call)


def _method(name: str, *given: Any, **more: Any) -> Callable[[str, Any, Call], Any]:
    def search(prefix: str, store: Any, call: Call) -> Any:
        return getattr(store, prefix + name)(*given, k=MANY, filter=call.joined, **more)

    return search


def _by_vector(prefix: str, store: Any, call: Call) -> Any:
    method = getattr(store, f"{prefix}similarity_search_by_sparse_vector")
    return method(call.site.vector, MANY, call.joined, options=GROUPS)


def _aggregated(prefix: str, store: Any, call: Call) -> Any:
    method = getattr(store, f"{prefix}similarity_search_with_aggregations")
    query = " " if call.draw("blank") else QUERY
    options = HybridOptions() if call.draw("hybrid") else SearchOptions()
    return method(query, call.draw("aggregations"), MANY, call.joined, options=options)


METHODS: dict[str, Callable[[str, Any, Call], Any]] = {
    "similarity_search": _method("similarity_search", QUERY),
    "similarity_search_with_score": _method("similarity_search_with_score", QUERY),
    "similarity_search_with_score blank": _method("similarity_search_with_score", " "),
    "similarity_search_with_relevance_scores": _method("similarity_search_with_relevance_scores", QUERY),
    "max_marginal_relevance_search": _method("max_marginal_relevance_search", QUERY, fetch_k=MANY),
    "similarity_search_by_sparse_vector": _by_vector,
    "similarity_search_with_aggregations": _aggregated,
    **{f"search {kind}": _method("search", QUERY, kind) for kind in ("similarity", "mmr", "sparse", "hybrid")},
}
MODES = ("bm25", "hybrid", "dense")
OF_MODES = ("similarity_search", "similarity_search_with_score blank", "similarity_search_with_aggregations")
"""Methods that search by the mode of the store."""
