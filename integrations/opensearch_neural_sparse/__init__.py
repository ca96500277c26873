"""OpenSearch neural sparse retrieval: exact encoders, one model per index, hybrid search.

Every public name is imported when it is first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.cache.cached_encoder import CachedDocumentEncoder
    from opensearch_neural_sparse.encode.chunking import Chunk, ChunkOptions, chunk_text
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder, load_document_encoder
    from opensearch_neural_sparse.encode.engines.engine import Engine, Precision
    from opensearch_neural_sparse.encode.pruning import Prune, PruneType
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
        IndexNotFoundWarning,
        IndexSchemaError,
        InvalidRequestError,
        InvalidVectorError,
        JournalError,
        JournalMismatchError,
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
    from opensearch_neural_sparse.index.bulk.actions import BulkOperation
    from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
    from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
    from opensearch_neural_sparse.index.documents.document import SparseDocument
    from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
    from opensearch_neural_sparse.index.model_binding import ModelBinding
    from opensearch_neural_sparse.index.schema import FieldType, IndexSchema
    from opensearch_neural_sparse.index.seismic import SeismicParameters
    from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter
    from opensearch_neural_sparse.ingestion.load import Load
    from opensearch_neural_sparse.ingestion.report import LoadProgress, LoadReport
    from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
    from opensearch_neural_sparse.ingestion.sqlite_journal import JournalStatus, SqliteJournal
    from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files
    from opensearch_neural_sparse.models.recommendation import Priority, Recommendation, recommend_model
    from opensearch_neural_sparse.models.registry import get_model, list_models, register_model
    from opensearch_neural_sparse.models.spec import Activation, Mode, ModelSpec, Relevance
    from opensearch_neural_sparse.search.options.fusion import Bound, BoundMode, Combination, Fusion, Normalization
    from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, SparseLeg
    from opensearch_neural_sparse.search.options.request_options import Partial, RequestOptions
    from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions
    from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
    from opensearch_neural_sparse.search.options.two_phase import TwoPhase
    from opensearch_neural_sparse.search.requests.searches import CustomSearch, HybridSearch, MatchSearch, SparseSearch
    from opensearch_neural_sparse.search.results.chunk_hit import ChunkHit
    from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits
    from opensearch_neural_sparse.search.results.leg_scores import LegScore
    from opensearch_neural_sparse.search.results.token_matches import TokenMatch
    from opensearch_neural_sparse.server_info import ServerInfo
    from opensearch_neural_sparse.store._async.store import AsyncNeuralSparseStore
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
    from opensearch_neural_sparse.store.bulk.missing_vectors import VectorRemedies
    from opensearch_neural_sparse.store.bulk.task_sender import AsyncBulkSender
    from opensearch_neural_sparse.store.bulk.thread_sender import BulkSender
    from opensearch_neural_sparse.store.operations.model_changes.reindex_job import ReindexReport
    from opensearch_neural_sparse.store.write_options import WriteOptions
    from opensearch_neural_sparse.version import __version__

_HOMES = {
    "encode.cache.cached_encoder": ("CachedDocumentEncoder",),
    "encode.chunking": (
        "Chunk",
        "ChunkOptions",
        "chunk_text",
    ),
    "encode.document_encoder": (
        "DocumentEncoder",
        "load_document_encoder",
    ),
    "encode.engines.engine": (
        "Engine",
        "Precision",
    ),
    "encode.pruning": (
        "Prune",
        "PruneType",
    ),
    "encode.query_encoder": (
        "IdfQueryEncoder",
        "NeuralQueryEncoder",
        "QueryEncoder",
        "load_query_encoder",
    ),
    "encode.sparse_vector": ("SparseVector",),
    "encode.tokenizer": ("SparseTokenizer",),
    "errors": (
        "BulkWriteError",
        "DevServerError",
        "FilterSyntaxError",
        "HybridPoolWarning",
        "IndexNotBoundError",
        "IndexNotFoundError",
        "IndexNotFoundWarning",
        "IndexSchemaError",
        "InvalidRequestError",
        "InvalidVectorError",
        "JournalError",
        "JournalMismatchError",
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
    "index.bulk.actions": ("BulkOperation",),
    "index.bulk.report": (
        "BulkFailure",
        "BulkReport",
    ),
    "index.documents.chunks": ("DocumentChunk",),
    "index.documents.document": ("SparseDocument",),
    "index.documents.vector_fields": ("FieldVector",),
    "index.model_binding": ("ModelBinding",),
    "index.schema": (
        "FieldType",
        "IndexSchema",
    ),
    "index.seismic": ("SeismicParameters",),
    "ingestion.dead_letters": ("DeadLetter",),
    "ingestion.load": ("Load",),
    "ingestion.report": (
        "LoadProgress",
        "LoadReport",
    ),
    "ingestion.source_rows": (
        "RefusedRow",
        "SourceRow",
    ),
    "ingestion.sqlite_journal": (
        "JournalStatus",
        "SqliteJournal",
    ),
    "models.files.resolve": (
        "ModelFiles",
        "Side",
        "resolve_files",
    ),
    "models.recommendation": (
        "Priority",
        "Recommendation",
        "recommend_model",
    ),
    "models.registry": (
        "get_model",
        "list_models",
        "register_model",
    ),
    "models.spec": (
        "Activation",
        "Mode",
        "ModelSpec",
        "Relevance",
    ),
    "search.options.fusion": (
        "Bound",
        "BoundMode",
        "Combination",
        "Fusion",
        "Normalization",
    ),
    "search.options.legs": (
        "Bm25Leg",
        "DenseLeg",
        "SparseLeg",
    ),
    "search.options.request_options": (
        "Partial",
        "RequestOptions",
    ),
    "search.options.search_options": (
        "HybridOptions",
        "SearchOptions",
    ),
    "search.options.seismic_search": ("SeismicSearch",),
    "search.options.two_phase": ("TwoPhase",),
    "search.requests.searches": ("CustomSearch", "HybridSearch", "MatchSearch", "SparseSearch"),
    "search.results.chunk_hit": ("ChunkHit",),
    "search.results.hits": (
        "SearchHit",
        "SearchHits",
    ),
    "search.results.leg_scores": ("LegScore",),
    "search.results.token_matches": ("TokenMatch",),
    "server_info": ("ServerInfo",),
    "store._async.store": ("AsyncNeuralSparseStore",),
    "store._sync.store": ("NeuralSparseStore",),
    "store.bulk.missing_vectors": ("VectorRemedies",),
    "store.bulk.task_sender": ("AsyncBulkSender",),
    "store.bulk.thread_sender": ("BulkSender",),
    "store.operations.model_changes.reindex_job": ("ReindexReport",),
    "store.write_options": ("WriteOptions",),
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
    "CustomSearch",
    "DeadLetter",
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
    "HybridSearch",
    "IdfQueryEncoder",
    "IndexNotBoundError",
    "IndexNotFoundError",
    "IndexNotFoundWarning",
    "IndexSchema",
    "IndexSchemaError",
    "InvalidRequestError",
    "InvalidVectorError",
    "JournalError",
    "JournalMismatchError",
    "JournalStatus",
    "LegScore",
    "LimitedRightsWarning",
    "Load",
    "LoadProgress",
    "LoadReport",
    "MatchSearch",
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
    "RefusedRow",
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
    "SourceRow",
    "SparseDocument",
    "SparseLeg",
    "SparseSearch",
    "SparseTokenizer",
    "SparseVector",
    "SqliteJournal",
    "TokenMatch",
    "TruncationWarning",
    "TwoPhase",
    "UnknownModelError",
    "UnmappedFieldWarning",
    "UnsupportedServerError",
    "VectorCacheError",
    "VectorRemedies",
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
