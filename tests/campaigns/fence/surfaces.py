"""The public search methods of every layer, found by inspection, so that no new one is forgotten."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import typer
from langchain_core.retrievers import BaseRetriever

import langchain_opensearch_neural_sparse as langchain_layer
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore
from opensearch_neural_sparse.cli.app import app

SEARCHED_BY = frozenset(
    {"filter", "filters", "query", "queries", "text", "vector", "embedding", "body", "search", "retrieval"}
)
"""Parameters of which a search has one."""
HAYSTACK_ROOMS = ("retrievers", "super_components", "embedders", "preprocessors")
NO_SEARCHES = {
    "check_filter": "says whether fields are mapped",
    "delete_by_filter": "deletes",
    "delete_by_filter_async": "deletes",
    "delete_matching": "deletes",
    "encode_query": "reads no document",
    "update_by_filter": "changes",
    "update_by_filter_async": "changes",
    "from_documents": "writes",
    "from_texts": "writes",
    "afrom_documents": "writes",
    "afrom_texts": "writes",
    "similarity_search_by_vector": "LangChain's, which this layer does not have",
    "asimilarity_search_by_vector": "LangChain's, which this layer does not have",
    "max_marginal_relevance_search_by_vector": "LangChain's, which this layer does not have",
    "amax_marginal_relevance_search_by_vector": "LangChain's, which this layer does not have",
    "astream_events": "calls astream",
    "astream_log": "calls astream",
    "stream_events": "calls stream",
    "atransform": "calls astream",
    "query_sql": "opensearch-haystack's, in SQL without filters",
}
"""Methods with such a parameter that are no search of this package, and what they are."""


def search_methods() -> set[str]:
    """Return the search methods of every layer, as `Class.method`."""
    return {*_of_stores(), *_of_retrievers(), *_of_components(), *_of_commands()}


def _of_stores() -> Iterator[str]:
    for kind in (
        NeuralSparseStore,
        AsyncNeuralSparseStore,
        OpenSearchNeuralSparseVectorStore,
        OpenSearchNeuralSparseDocumentStore,
    ):
        yield from (f"{kind.__name__}.{name}" for name in _methods(kind, SEARCHED_BY))


def _of_retrievers() -> Iterator[str]:
    """Yield ways to call a retriever; a retriever of this layer is one of those that the campaign makes."""
    for name in _methods(BaseRetriever, frozenset({"input", "inputs"})):
        yield f"Retriever.{name}"
    for name in langchain_layer.__all__:
        kind = getattr(langchain_layer, name)
        if inspect.isclass(kind) and issubclass(kind, BaseRetriever):
            yield f"Retriever {name}"


def _of_components() -> Iterator[str]:
    for room in HAYSTACK_ROOMS:
        module = importlib.import_module(f"haystack_integrations.components.{room}.opensearch_neural_sparse")
        for name in module.__all__:
            kind = getattr(module, name)
            if "filters" in inspect.signature(kind.run).parameters:
                yield from (f"{name}.{method}" for method in ("run", "run_async"))


def _of_commands() -> Iterator[str]:
    commands = vars(typer.main.get_command(app))["commands"]
    for name, command in commands.items():
        if any(parameter.name in ("filter", "filters") for parameter in command.params):
            yield f"cli.{name}"


def _methods(kind: type, parameters: frozenset[str]) -> Iterator[str]:
    for name, method in inspect.getmembers(kind, callable):
        if name.startswith("_") or name in NO_SEARCHES or inspect.isclass(method):
            continue
        if parameters & set(inspect.signature(method).parameters):
            yield name
