"""The chosen setting as Haystack pipelines in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout, leg_name
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import (
    SearchSetting,
    TunedLeg,
    two_phase_values,
)
from opensearch_neural_sparse.evaluate.tuning.winner.literals import fusion_values, quoted, rule_text

_LAYER = "haystack_integrations"
_PLACE = "opensearch_neural_sparse"
_STORE = f"{_LAYER}.document_stores.{_PLACE}.document_store.OpenSearchNeuralSparseDocumentStore"
_RETRIEVERS = f"{_LAYER}.components.retrievers.{_PLACE}"
_HYBRID = f"{_RETRIEVERS}.hybrid_retriever.OpenSearchNeuralSparseHybridRetriever"
_SPARSE = f"{_RETRIEVERS}.retriever.OpenSearchNeuralSparseRetriever"
_EMBEDDER = f"{_LAYER}.components.embedders.{_PLACE}.document_embedder.NeuralSparseDocumentEmbedder"
_WRITER = "haystack.components.writers.document_writer.DocumentWriter"


def search_yaml(setting: SearchSetting, layout: IndexLayout, comment: Sequence[str], *, index: str, url: str) -> str:
    """Return a pipeline that searches an index; its run takes `query`, and `query_embedding` for a dense leg.

    Args:
        setting: The setting.
        layout: Its index.
        comment: Lines of its comment.
        index: Name of the index.
        url: Address of the server.
    """
    options: dict[str, Any] = {"document_store": _store(layout, index, url), "top_k": 10}
    if setting.fusion is not None:
        options["legs"] = [_leg(leg, layout) for leg in setting.legs]
        options |= fusion_values(setting)
        options |= {} if setting.fusion.weights is None else {"weights": list(setting.fusion.weights)}
    elif setting.legs[0].kind == BM25:
        options["legs"] = [BM25]
    if setting.variant.query_prune is not None:
        options["prune"] = rule_text(setting.variant.query_prune)
    if setting.variant.two_phase is not None:
        options["two_phase"] = two_phase_values(setting.variant.two_phase)
    kind = _SPARSE if setting.fusion is None and setting.legs[0].kind != BM25 else _HYBRID
    return _page(comment, {"components": {"retriever": _component(kind, options)}, "connections": []})


def indexing_yaml(layout: IndexLayout, comment: Sequence[str], *, index: str, url: str) -> str:
    """Return a pipeline that encodes and writes documents; its run takes `documents`.

    Args:
        layout: The index.
        comment: Lines of its comment.
        index: Name of the index.
        url: Address of the server.
    """
    prune = {} if layout.prune is None else {"prune": rule_text(layout.prune)}
    components = {
        "embedder": _component(_EMBEDDER, {"model": layout.model, **prune}),
        "writer": _component(_WRITER, {"document_store": _store(layout, index, url), "policy": "OVERWRITE"}),
    }
    connections = [{"sender": "embedder.documents", "receiver": "writer.documents"}]
    return _page(comment, {"components": components, "connections": connections})


def _store(layout: IndexLayout, index: str, url: str) -> dict[str, Any]:
    options: dict[str, Any] = {"hosts": url, "index": index, "model": layout.model}
    options["text_analyzer"] = layout.analyzers[0]
    if layout.subfields:
        options["text_subfields"] = layout.subfields
    if layout.prune is not None:
        options["prune"] = rule_text(layout.prune)
    if layout.dimension is not None:
        options["embedding_dim"] = layout.dimension
    return _component(_STORE, options)


def _leg(leg: TunedLeg, layout: IndexLayout) -> Any:
    searched = layout.field_of(leg)
    return leg.kind if searched is None else {"type": leg.kind, "field": searched, "name": leg_name(leg)}


def _component(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, "init_parameters": dict(options)}


def _page(comment: Sequence[str], content: Mapping[str, Any]) -> str:
    return "\n".join([*(f"# {line}".rstrip() for line in comment), *_block(content), ""])


def _block(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a mapping; what is in lists is written as JSON, which YAML includes."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield f"{key}:"
            yield from (f"  {line}" for line in _block(value))
        else:
            yield f"{key}: {quoted(value)}"
