"""Calls that type checkers accept, and wrong ones that they refuse; mypy reads this, nobody runs it.

A wrong call has a `type: ignore`; a run that warns of those without need fails where it is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bound,
    Engine,
    FieldType,
    Fusion,
    HybridOptions,
    IndexSchema,
    ModelSpec,
    NeuralSparseStore,
    Normalization,
    Partial,
    Prune,
    PruneType,
    RequestOptions,
    SearchHits,
    TwoPhase,
    WriteOptions,
    list_models,
    load_document_encoder,
    load_query_encoder,
    recommend_model,
    resolve_files,
)
from opensearch_neural_sparse.devserver import DevServer, Profile


def choices_by_value(spec: ModelSpec) -> None:
    HybridOptions(normalization="min_max", combination="geometric_mean", fusion="server")
    HybridOptions(normalization="l2", combination="harmonic_mean", fusion="client", lower_bounds=[Bound(mode="ignore")])
    HybridOptions(normalization="z_score", combination="arithmetic_mean", fusion="auto")
    Bound(mode="apply", score=1), Bound(mode="clip", score=0.5)
    Prune(type="max_ratio", ratio=0.1), Prune(type="top_k", ratio=10), Prune(type="alpha_mass", ratio=0.9)
    Prune(type="abs_value", ratio=1), Prune(type="none")
    TwoPhase(prune_type="abs_value", prune_ratio=1)
    IndexSchema(field_type="sparse_vector"), IndexSchema(field_type="rank_features")
    RequestOptions(partial="warn"), RequestOptions(partial="raise")
    WriteOptions(operation="create", refresh="wait_for"), WriteOptions(operation="index", refresh=False)
    ModelSpec(id="a/b", name="b", mode="doc-only", activation="log1p_relu", vocabulary_size=1)
    ModelSpec(id="a/b", name="b", mode="bi-encoder", activation="relu", vocabulary_size=1)
    list_models(mode="doc-only"), recommend_model(mode="bi-encoder", priority="speed")
    recommend_model(languages=["de"], priority="relevance")
    resolve_files(spec, side="query"), resolve_files(spec, side="document")
    load_document_encoder("doc-v3-distill", engine="onnx", dtype="int8")
    load_document_encoder("doc-v3-distill", engine="torch", dtype="bfloat16")
    load_query_encoder("v2-distill", engine="auto")
    DevServer.start(profile="ml"), DevServer.running(profile="security")


def choices_by_themselves() -> None:
    HybridOptions(normalization=Normalization.MIN_MAX, fusion=Fusion.AUTO)
    Prune(type=PruneType.TOP_K, ratio=1)
    IndexSchema(field_type=FieldType.SPARSE_VECTOR)
    RequestOptions(partial=Partial.WARN)
    load_document_encoder("doc-v3-distill", engine=Engine.ONNX)
    DevServer.start(profile=Profile.CLUSTER)


def choices_that_are_none(spec: ModelSpec) -> None:
    HybridOptions(normalization="minmax")  # type: ignore[arg-type]
    HybridOptions(combination="mean")  # type: ignore[arg-type]
    HybridOptions(fusion="rrf")  # type: ignore[arg-type]
    Bound(mode="none")  # type: ignore[arg-type]
    Prune(type="ratio", ratio=0.1)  # type: ignore[arg-type]
    TwoPhase(prune_type="ratio")  # type: ignore[arg-type]
    IndexSchema(field_type="rank_feature")  # type: ignore[arg-type]
    RequestOptions(partial="ignore")  # type: ignore[arg-type]
    WriteOptions(operation="update")  # type: ignore[arg-type]
    WriteOptions(refresh="wait")  # type: ignore[arg-type]
    list_models(mode="doc_only")  # type: ignore[arg-type]
    recommend_model(priority="quality")  # type: ignore[arg-type]
    resolve_files(spec, side="queries")  # type: ignore[arg-type]
    load_document_encoder("doc-v3-distill", engine="onx")  # type: ignore[arg-type]
    load_document_encoder("doc-v3-distill", dtype="half")  # type: ignore[arg-type]
    DevServer.start(profile="plane")  # type: ignore[arg-type]


def choices_as_they_are_read(options: HybridOptions, prune: Prune) -> tuple[str | None, bool, str]:
    same = options.fusion == "client" and prune.type is PruneType.MAX_RATIO
    return options.normalization, same, str(options.combination)


def layers(store: OpenSearchNeuralSparseDocumentStore, vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", field_type="sparse_vector")
    OpenSearchNeuralSparseDocumentStore(field_type="dense")  # type: ignore[arg-type]
    OpenSearchNeuralSparseRetriever(document_store=store, partial="warn")
    OpenSearchNeuralSparseRetriever(document_store=store, partial="never")  # type: ignore[arg-type]
    OpenSearchNeuralSparseHybridRetriever(
        document_store=store, normalization="min_max", combination="arithmetic_mean", fusion="server", weights=[1, 0]
    )
    OpenSearchNeuralSparseHybridRetriever(document_store=store, normalization="minmax")  # type: ignore[arg-type]
    OpenSearchNeuralSparseHybridRetriever(document_store=store, combination="mean")  # type: ignore[arg-type]
    OpenSearchNeuralSparseHybridRetriever(document_store=store, fusion="rrf")  # type: ignore[arg-type]
    NeuralSparseDocumentEmbedder("doc-v3-distill", engine="onnx", dtype="int8")
    NeuralSparseDocumentEmbedder("doc-v3-distill", engine="onx")  # type: ignore[arg-type]
    NeuralSparseDocumentEmbedder("doc-v3-distill", dtype="half")  # type: ignore[arg-type]
    NeuralSparseTextEmbedder("v2-distill", engine="torch")
    NeuralSparseTextEmbedder("v2-distill", engine="onx")  # type: ignore[arg-type]
    vectorstore.similarity_search("rivers", filter={"lang": "en", "year": {"$gte": 2020}})
    vectorstore.search("rivers", "hybrid", k=3)


def collections(
    store: NeuralSparseStore, metadata: dict[str, str], rows: list[dict[str, str]], clauses: Sequence[Mapping[str, Any]]
) -> SearchHits:
    store.write([{"id": "1", "text": "A text.", "metadata": metadata}])
    store.write(rows)
    store.delete({"1", "2"})
    store.search({"river": 1.0}, filter=clauses)
    return store.hybrid_search("rivers", filter=[*clauses], options=HybridOptions(weights=[1, 0]))


async def awaited(store: AsyncNeuralSparseStore, rows: tuple[dict[str, str], ...]) -> SearchHits:
    await store.write(rows)
    return await store.hybrid_search("rivers", filter={"term": {"lang": "en"}})
