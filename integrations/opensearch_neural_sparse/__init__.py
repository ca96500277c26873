"""OpenSearch neural sparse retrieval: exact encoders, one model per index, hybrid search.

Every public name is imported when it is first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.cache import CachedDocumentEncoder
    from opensearch_neural_sparse.encode.chunk import Chunk, ChunkOptions, chunk_text
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder, load_document_encoder
    from opensearch_neural_sparse.encode.networks import Engine, Precision
    from opensearch_neural_sparse.encode.prune import Prune, PruneType
    from opensearch_neural_sparse.encode.query_encoder import (
        IdfQueryEncoder,
        NeuralQueryEncoder,
        QueryEncoder,
        load_query_encoder,
    )
    from opensearch_neural_sparse.encode.sparse_vector import SparseVector
    from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
    from opensearch_neural_sparse.errors import (
        BulkWriteError,
        DevServerError,
        FilterSyntaxError,
        HybridPoolWarning,
        IndexNotBoundError,
        IndexNotFoundError,
        IndexSchemaError,
        InvalidRequestError,
        InvalidVectorError,
        LimitedRightsWarning,
        MissingDependencyError,
        MissingVectorWarning,
        ModelFilesError,
        ModelMismatchError,
        NeuralSparseError,
        PartialResultsError,
        PartialResultsWarning,
        ServerConnectionError,
        ServerRequestError,
        TruncationWarning,
        UnknownModelError,
        UnmappedFieldWarning,
        UnsupportedServerError,
        VectorCacheError,
    )
    from opensearch_neural_sparse.index.binding import ModelBinding
    from opensearch_neural_sparse.index.bulk import BulkOperation
    from opensearch_neural_sparse.index.chunks import DocumentChunk
    from opensearch_neural_sparse.index.document import SparseDocument
    from opensearch_neural_sparse.index.fields import FieldType, IndexSchema
    from opensearch_neural_sparse.index.pipelines import Bound, BoundMode, Combination, Normalization
    from opensearch_neural_sparse.index.report import BulkFailure, BulkReport
    from opensearch_neural_sparse.index.seismic import SeismicParameters
    from opensearch_neural_sparse.index.vectors import FieldVector
    from opensearch_neural_sparse.models.files import ModelFiles, Side, resolve_files
    from opensearch_neural_sparse.models.recommend import Priority, Recommendation, recommend_model
    from opensearch_neural_sparse.models.registry import get_model, list_models, register_model
    from opensearch_neural_sparse.models.spec import Activation, Mode, ModelSpec, Relevance
    from opensearch_neural_sparse.search.chunks import ChunkHit
    from opensearch_neural_sparse.search.explain import TokenMatch
    from opensearch_neural_sparse.search.fusion import Fusion
    from opensearch_neural_sparse.search.hits import SearchHit, SearchHits
    from opensearch_neural_sparse.search.leg_score import LegScore
    from opensearch_neural_sparse.search.legs import Bm25Leg, DenseLeg, SparseLeg
    from opensearch_neural_sparse.search.options import HybridOptions, SearchOptions
    from opensearch_neural_sparse.search.request_options import Partial, RequestOptions
    from opensearch_neural_sparse.search.seismic import SeismicSearch
    from opensearch_neural_sparse.search.two_phase import TwoPhase
    from opensearch_neural_sparse.server import ServerInfo
    from opensearch_neural_sparse.store.aio import AsyncNeuralSparseStore
    from opensearch_neural_sparse.store.aio_sender import AsyncBulkSender
    from opensearch_neural_sparse.store.copying import ReindexReport
    from opensearch_neural_sparse.store.options import WriteOptions
    from opensearch_neural_sparse.store.sender import BulkSender
    from opensearch_neural_sparse.store.sync import NeuralSparseStore
    from opensearch_neural_sparse.version import __version__

_HOMES = {
    "encode.cache": ("CachedDocumentEncoder",),
    "encode.chunk": ("Chunk", "ChunkOptions", "chunk_text"),
    "encode.document_encoder": ("DocumentEncoder", "load_document_encoder"),
    "encode.networks": ("Engine", "Precision"),
    "encode.prune": ("Prune", "PruneType"),
    "encode.query_encoder": ("IdfQueryEncoder", "NeuralQueryEncoder", "QueryEncoder", "load_query_encoder"),
    "encode.sparse_vector": ("SparseVector",),
    "encode.tokenizer": ("SparseTokenizer",),
    "errors": (
        "BulkWriteError",
        "DevServerError",
        "FilterSyntaxError",
        "HybridPoolWarning",
        "IndexNotBoundError",
        "IndexNotFoundError",
        "IndexSchemaError",
        "InvalidRequestError",
        "InvalidVectorError",
        "LimitedRightsWarning",
        "MissingDependencyError",
        "MissingVectorWarning",
        "ModelFilesError",
        "ModelMismatchError",
        "NeuralSparseError",
        "PartialResultsError",
        "PartialResultsWarning",
        "ServerConnectionError",
        "ServerRequestError",
        "TruncationWarning",
        "UnknownModelError",
        "UnmappedFieldWarning",
        "UnsupportedServerError",
        "VectorCacheError",
    ),
    "index.binding": ("ModelBinding",),
    "index.bulk": ("BulkOperation",),
    "index.chunks": ("DocumentChunk",),
    "index.document": ("SparseDocument",),
    "index.fields": ("FieldType", "IndexSchema"),
    "index.report": ("BulkFailure", "BulkReport"),
    "index.seismic": ("SeismicParameters",),
    "search.seismic": ("SeismicSearch",),
    "index.pipelines": ("Bound", "BoundMode", "Combination", "Normalization"),
    "index.vectors": ("FieldVector",),
    "models.files": ("ModelFiles", "Side", "resolve_files"),
    "models.recommend": ("Priority", "Recommendation", "recommend_model"),
    "models.registry": ("get_model", "list_models", "register_model"),
    "models.spec": ("Activation", "Mode", "ModelSpec", "Relevance"),
    "search.chunks": ("ChunkHit",),
    "search.explain": ("TokenMatch",),
    "search.fusion": ("Fusion",),
    "search.hits": ("SearchHit", "SearchHits"),
    "search.leg_score": ("LegScore",),
    "search.legs": ("Bm25Leg", "DenseLeg", "SparseLeg"),
    "search.options": ("HybridOptions", "SearchOptions"),
    "search.request_options": ("Partial", "RequestOptions"),
    "search.two_phase": ("TwoPhase",),
    "server": ("ServerInfo",),
    "store.aio": ("AsyncNeuralSparseStore",),
    "store.aio_sender": ("AsyncBulkSender",),
    "store.copying": ("ReindexReport",),
    "store.options": ("WriteOptions",),
    "store.sender": ("BulkSender",),
    "store.sync": ("NeuralSparseStore",),
    "version": ("__version__",),
}
"""Module of this package -> the public names it holds."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Activation",
    "AsyncBulkSender",
    "AsyncNeuralSparseStore",
    "Bm25Leg",
    "Bound",
    "BoundMode",
    "BulkFailure",
    "BulkOperation",
    "BulkReport",
    "BulkSender",
    "BulkWriteError",
    "CachedDocumentEncoder",
    "Chunk",
    "ChunkHit",
    "ChunkOptions",
    "Combination",
    "DenseLeg",
    "DevServerError",
    "DocumentChunk",
    "DocumentEncoder",
    "Engine",
    "FieldType",
    "FieldVector",
    "FilterSyntaxError",
    "Fusion",
    "HybridOptions",
    "HybridPoolWarning",
    "IdfQueryEncoder",
    "IndexNotBoundError",
    "IndexNotFoundError",
    "IndexSchema",
    "IndexSchemaError",
    "InvalidRequestError",
    "InvalidVectorError",
    "LegScore",
    "LimitedRightsWarning",
    "MissingDependencyError",
    "MissingVectorWarning",
    "Mode",
    "ModelBinding",
    "ModelFiles",
    "ModelFilesError",
    "ModelMismatchError",
    "ModelSpec",
    "NeuralQueryEncoder",
    "NeuralSparseError",
    "NeuralSparseStore",
    "Normalization",
    "Partial",
    "PartialResultsError",
    "PartialResultsWarning",
    "Precision",
    "Priority",
    "Prune",
    "PruneType",
    "QueryEncoder",
    "Recommendation",
    "ReindexReport",
    "Relevance",
    "RequestOptions",
    "SearchHit",
    "SearchHits",
    "SearchOptions",
    "SeismicParameters",
    "SeismicSearch",
    "ServerConnectionError",
    "ServerInfo",
    "ServerRequestError",
    "Side",
    "SparseDocument",
    "SparseLeg",
    "SparseTokenizer",
    "SparseVector",
    "TokenMatch",
    "TruncationWarning",
    "TwoPhase",
    "UnknownModelError",
    "UnmappedFieldWarning",
    "UnsupportedServerError",
    "VectorCacheError",
    "WriteOptions",
    "__version__",
    "chunk_text",
    "get_model",
    "list_models",
    "load_document_encoder",
    "load_query_encoder",
    "recommend_model",
    "register_model",
    "resolve_files",
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
