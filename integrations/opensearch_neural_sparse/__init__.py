"""OpenSearch neural sparse retrieval: exact encoders, one model per index, hybrid search.

Every public name is imported when it is first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensearch_neural_sparse.distributed.ray_load import ingest_dataset
    from opensearch_neural_sparse.distributed.ray_model_changes import add_field_by_ray, reindex_by_ray
    from opensearch_neural_sparse.encode.cache.cached_encoder import CachedDocumentEncoder
    from opensearch_neural_sparse.encode.chunking import Chunk, ChunkOptions, chunk_text
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder, load_document_encoder
    from opensearch_neural_sparse.encode.engines.engine import Engine, Precision
    from opensearch_neural_sparse.encode.engines.scalar.encoders import (
        BgeM3DocumentEncoder,
        DenseDocumentEncoder,
        TextVectors,
        WordDocumentEncoder,
        encode_with_dense,
    )
    from opensearch_neural_sparse.encode.engines.scalar.one_pass import OnePassEncoder
    from opensearch_neural_sparse.encode.pruning import Prune, PruneType
    from opensearch_neural_sparse.encode.query_encoder import (
        IdfQueryEncoder,
        NeuralQueryEncoder,
        QueryEncoder,
        load_query_encoder,
    )
    from opensearch_neural_sparse.encode.remote.remote_encoder import RemoteDocumentEncoder
    from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions, RemoteProtocol
    from opensearch_neural_sparse.encode.sparse_vector import SparseVector
    from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
    from opensearch_neural_sparse.encode.unicoil_queries import UniCoilQueryEncoder
    from opensearch_neural_sparse.encode.words import WordQueryEncoder, WordTokenizer
    from opensearch_neural_sparse.errors import (
        BulkWriteError,
        DevServerError,
        EncodingWorkerError,
        FewCandidatesWarning,
        FilterSyntaxError,
        HiddenFieldError,
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
        PassageLimitWarning,
        RemoteEncoderError,
        RemoteRerankerError,
        RerankBudgetWarning,
        RerankerError,
        RerankWarning,
        ServerConnectionError,
        ServerModelError,
        ServerRequestError,
        TruncationWarning,
        UnencryptedLoginWarning,
        UnknownModelError,
        UnmappedFieldWarning,
        UnsupportedServerError,
        VectorCacheError,
    )
    from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
    from opensearch_neural_sparse.index.binding.server_chunking import ChunkingAlgorithm, ServerChunking
    from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
    from opensearch_neural_sparse.index.bulk.actions import BulkOperation
    from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
    from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
    from opensearch_neural_sparse.index.documents.document import SparseDocument
    from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
    from opensearch_neural_sparse.index.schema import FieldType, IndexSchema
    from opensearch_neural_sparse.index.seismic import SeismicParameters
    from opensearch_neural_sparse.index.semantic_field import SemanticField
    from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter
    from opensearch_neural_sparse.ingestion.journals.index_journal import IndexJournal
    from opensearch_neural_sparse.ingestion.journals.journal import JournalStatus, LoadTarget
    from opensearch_neural_sparse.ingestion.journals.sqlite_journal import SqliteJournal
    from opensearch_neural_sparse.ingestion.load import Load
    from opensearch_neural_sparse.ingestion.report import LoadProgress, LoadReport
    from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
    from opensearch_neural_sparse.models.criteria import Priority
    from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files
    from opensearch_neural_sparse.models.recommendation import Recommendation, recommend_model
    from opensearch_neural_sparse.models.registry import get_model, list_models, register_model
    from opensearch_neural_sparse.models.relevance import PublishedScores, Relevance
    from opensearch_neural_sparse.models.spec import Activation, Family, Mode, ModelSpec, Pooling
    from opensearch_neural_sparse.readers.dataset_documents import read_dataset
    from opensearch_neural_sparse.rerank.cross_encoder import CrossEncoderReranker, RerankerBackend
    from opensearch_neural_sparse.rerank.remote_reranker import RemoteReranker
    from opensearch_neural_sparse.rerank.rerank_options import OnRerankFailure, Rerank
    from opensearch_neural_sparse.rerank.reranker import Reranker
    from opensearch_neural_sparse.search.options.fusion import Bound, BoundMode, Combination, Fusion, Normalization
    from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, SparseLeg
    from opensearch_neural_sparse.search.options.metadata_search import MetadataMode, MetadataSearch
    from opensearch_neural_sparse.search.options.refinements.boosts import (
        BoostMode,
        DecayCurve,
        FieldBoost,
        Modifier,
        RecencyBoost,
    )
    from opensearch_neural_sparse.search.options.refinements.collapse import Collapse
    from opensearch_neural_sparse.search.options.request_options import Partial, RequestOptions
    from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions
    from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
    from opensearch_neural_sparse.search.options.server_query import ServerQuery
    from opensearch_neural_sparse.search.options.two_phase import TwoPhase
    from opensearch_neural_sparse.search.requests.searches import CustomSearch, HybridSearch, MatchSearch, SparseSearch
    from opensearch_neural_sparse.search.results.chunk_hit import ChunkHit
    from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits
    from opensearch_neural_sparse.search.results.leg_scores import LegScore
    from opensearch_neural_sparse.search.results.search_profile import ProfiledRequest, ProfiledSearch, SearchProfile
    from opensearch_neural_sparse.search.results.token_matches import TokenMatch
    from opensearch_neural_sparse.server_info import ServerInfo
    from opensearch_neural_sparse.server_models.archive import ArchiveFormat
    from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
    from opensearch_neural_sparse.server_models.server_models import ServerModels
    from opensearch_neural_sparse.store._async.store import AsyncNeuralSparseStore
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
    from opensearch_neural_sparse.store.bulk.missing_vectors import VectorRemedies
    from opensearch_neural_sparse.store.bulk.task_sender import AsyncBulkSender
    from opensearch_neural_sparse.store.bulk.thread_sender import BulkSender
    from opensearch_neural_sparse.store.operations.model_changes.reindex_job import ReindexReport
    from opensearch_neural_sparse.store.write_options import WriteOptions
    from opensearch_neural_sparse.transport.logins.aws_auth import AwsAuth
    from opensearch_neural_sparse.transport.logins.client_login import ClientLogin
    from opensearch_neural_sparse.version import __version__

_HOMES = {
    "distributed.ray_load": ("ingest_dataset",),
    "distributed.ray_model_changes": (
        "add_field_by_ray",
        "reindex_by_ray",
    ),
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
    "encode.engines.scalar.encoders": (
        "BgeM3DocumentEncoder",
        "DenseDocumentEncoder",
        "TextVectors",
        "WordDocumentEncoder",
        "encode_with_dense",
    ),
    "encode.engines.scalar.one_pass": ("OnePassEncoder",),
    "encode.unicoil_queries": ("UniCoilQueryEncoder",),
    "encode.words": ("WordQueryEncoder", "WordTokenizer"),
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
    "encode.remote.remote_encoder": ("RemoteDocumentEncoder",),
    "encode.remote.remote_options": ("RemoteOptions", "RemoteProtocol"),
    "encode.sparse_vector": ("SparseVector",),
    "encode.tokenizer": ("SparseTokenizer",),
    "errors": (
        "BulkWriteError",
        "DevServerError",
        "EncodingWorkerError",
        "FilterSyntaxError",
        "HiddenFieldError",
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
        "PassageLimitWarning",
        "RemoteEncoderError",
        "RemoteRerankerError",
        "RerankBudgetWarning",
        "RerankWarning",
        "RerankerError",
        "ServerConnectionError",
        "ServerModelError",
        "ServerRequestError",
        "TruncationWarning",
        "UnencryptedLoginWarning",
        "UnknownModelError",
        "UnmappedFieldWarning",
        "UnsupportedServerError",
        "VectorCacheError",
        "FewCandidatesWarning",
    ),
    "index.bulk.actions": ("BulkOperation",),
    "index.bulk.report": (
        "BulkFailure",
        "BulkReport",
    ),
    "index.documents.chunks": ("DocumentChunk",),
    "index.documents.document": ("SparseDocument",),
    "index.documents.vector_fields": ("FieldVector",),
    "index.binding.model_binding": ("ModelBinding",),
    "index.binding.server_chunking": ("ChunkingAlgorithm", "ServerChunking"),
    "index.binding.server_encoding": ("ServerEncoding",),
    "index.schema": (
        "FieldType",
        "IndexSchema",
    ),
    "index.seismic": ("SeismicParameters",),
    "index.semantic_field": ("SemanticField",),
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
    "ingestion.journals.index_journal": ("IndexJournal",),
    "ingestion.journals.journal": ("JournalStatus", "LoadTarget"),
    "ingestion.journals.sqlite_journal": ("SqliteJournal",),
    "models.criteria": ("Priority",),
    "models.files.resolve": (
        "ModelFiles",
        "Side",
        "resolve_files",
    ),
    "models.recommendation": (
        "Recommendation",
        "recommend_model",
    ),
    "models.registry": (
        "get_model",
        "list_models",
        "register_model",
    ),
    "models.relevance": (
        "PublishedScores",
        "Relevance",
    ),
    "models.spec": (
        "Activation",
        "Family",
        "Mode",
        "ModelSpec",
        "Pooling",
    ),
    "readers.dataset_documents": ("read_dataset",),
    "rerank.cross_encoder": ("CrossEncoderReranker", "RerankerBackend"),
    "rerank.remote_reranker": ("RemoteReranker",),
    "rerank.rerank_options": ("OnRerankFailure", "Rerank"),
    "rerank.reranker": ("Reranker",),
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
    "search.options.metadata_search": ("MetadataMode", "MetadataSearch"),
    "search.options.request_options": (
        "Partial",
        "RequestOptions",
    ),
    "search.options.search_options": (
        "HybridOptions",
        "SearchOptions",
    ),
    "search.options.seismic_search": ("SeismicSearch",),
    "search.options.server_query": ("ServerQuery",),
    "search.options.refinements.boosts": ("BoostMode", "DecayCurve", "FieldBoost", "Modifier", "RecencyBoost"),
    "search.options.refinements.collapse": ("Collapse",),
    "search.options.two_phase": ("TwoPhase",),
    "search.requests.searches": ("CustomSearch", "HybridSearch", "MatchSearch", "SparseSearch"),
    "search.results.chunk_hit": ("ChunkHit",),
    "search.results.hits": (
        "SearchHit",
        "SearchHits",
    ),
    "search.results.leg_scores": ("LegScore",),
    "search.results.search_profile": ("ProfiledRequest", "ProfiledSearch", "SearchProfile"),
    "search.results.token_matches": ("TokenMatch",),
    "server_info": ("ServerInfo",),
    "server_models.archive": ("ArchiveFormat",),
    "server_models.deployed_model": ("DeployedModel",),
    "server_models.server_models": ("ServerModels",),
    "store._async.store": ("AsyncNeuralSparseStore",),
    "store._sync.store": ("NeuralSparseStore",),
    "store.bulk.missing_vectors": ("VectorRemedies",),
    "store.bulk.task_sender": ("AsyncBulkSender",),
    "store.bulk.thread_sender": ("BulkSender",),
    "store.operations.model_changes.reindex_job": ("ReindexReport",),
    "store.write_options": ("WriteOptions",),
    "transport.logins.aws_auth": ("AwsAuth",),
    "transport.logins.client_login": ("ClientLogin",),
    "version": ("__version__",),
}
"""Module of this package -> the public names it holds."""

_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Activation",
    "ArchiveFormat",
    "AsyncBulkSender",
    "AsyncNeuralSparseStore",
    "AwsAuth",
    "BgeM3DocumentEncoder",
    "Bm25Leg",
    "BoostMode",
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
    "ChunkingAlgorithm",
    "ClientLogin",
    "Collapse",
    "Combination",
    "CrossEncoderReranker",
    "CustomSearch",
    "DeadLetter",
    "DecayCurve",
    "DenseDocumentEncoder",
    "DenseLeg",
    "DeployedModel",
    "DevServerError",
    "DocumentChunk",
    "DocumentEncoder",
    "EncodingWorkerError",
    "Engine",
    "Family",
    "FewCandidatesWarning",
    "FieldBoost",
    "FieldType",
    "FieldVector",
    "FilterSyntaxError",
    "Fusion",
    "HiddenFieldError",
    "HybridOptions",
    "HybridPoolWarning",
    "HybridSearch",
    "IdfQueryEncoder",
    "IndexJournal",
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
    "LoadTarget",
    "MatchSearch",
    "MetadataMode",
    "MetadataSearch",
    "MissingDependencyError",
    "MissingVectorWarning",
    "Mode",
    "ModelBinding",
    "ModelFiles",
    "ModelFilesError",
    "ModelMismatchError",
    "ModelSpec",
    "Modifier",
    "NeuralQueryEncoder",
    "NeuralSparseError",
    "NeuralSparseStore",
    "Normalization",
    "OnRerankFailure",
    "OnePassEncoder",
    "Partial",
    "PartialResultsError",
    "PartialResultsWarning",
    "PassageLimitWarning",
    "Pooling",
    "Precision",
    "Priority",
    "ProfiledRequest",
    "ProfiledSearch",
    "Prune",
    "PruneType",
    "PublishedScores",
    "QueryEncoder",
    "RecencyBoost",
    "Recommendation",
    "RefusedRow",
    "ReindexReport",
    "Relevance",
    "RemoteDocumentEncoder",
    "RemoteEncoderError",
    "RemoteOptions",
    "RemoteProtocol",
    "RemoteReranker",
    "RemoteRerankerError",
    "RequestOptions",
    "Rerank",
    "RerankBudgetWarning",
    "RerankWarning",
    "Reranker",
    "RerankerBackend",
    "RerankerError",
    "SearchHit",
    "SearchHits",
    "SearchOptions",
    "SearchProfile",
    "SeismicParameters",
    "SeismicSearch",
    "SemanticField",
    "ServerChunking",
    "ServerConnectionError",
    "ServerEncoding",
    "ServerInfo",
    "ServerModelError",
    "ServerModels",
    "ServerQuery",
    "ServerRequestError",
    "Side",
    "SourceRow",
    "SparseDocument",
    "SparseLeg",
    "SparseSearch",
    "SparseTokenizer",
    "SparseVector",
    "SqliteJournal",
    "TextVectors",
    "TokenMatch",
    "TruncationWarning",
    "TwoPhase",
    "UnencryptedLoginWarning",
    "UniCoilQueryEncoder",
    "UnknownModelError",
    "UnmappedFieldWarning",
    "UnsupportedServerError",
    "VectorCacheError",
    "VectorRemedies",
    "WordDocumentEncoder",
    "WordQueryEncoder",
    "WordTokenizer",
    "WriteOptions",
    "__version__",
    "add_field_by_ray",
    "chunk_text",
    "encode_with_dense",
    "get_model",
    "ingest_dataset",
    "list_models",
    "load_document_encoder",
    "load_query_encoder",
    "read_dataset",
    "recommend_model",
    "register_model",
    "reindex_by_ray",
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
