"""Names of the core that framework layers share beside the public ones. Programs have no need of them.

A layer imports from the core its top level and this module alone, which an import rule holds.
"""

from __future__ import annotations

from opensearch_neural_sparse.encode.encoding_settings import read_encoding_settings
from opensearch_neural_sparse.encode.engines.engine import EngineLike, PrecisionLike
from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.vector_fields import vector_of
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.metadata.field_names import named_fields
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.index.metadata.instants import (
    AS_DATE,
    FilterText,
    has_instants,
    instant_of,
    written_instant,
)
from opensearch_neural_sparse.index.metadata.values import can_be, json_value, plain_scalar
from opensearch_neural_sparse.index.schema import ID_FIELD, META_FIELD, FieldTypeLike
from opensearch_neural_sparse.search.filters.clause_checks import checked_value
from opensearch_neural_sparse.search.filters.filter_clauses import filter_clauses
from opensearch_neural_sparse.search.filters.foreign_syntax import (
    haystack_filter,
    haystack_form,
    langchain_form,
    mongo_filter,
)
from opensearch_neural_sparse.search.options.fusion import CombinationLike, FusionLike, NormalizationLike
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW, check_size
from opensearch_neural_sparse.search.options.query_text import check_options
from opensearch_neural_sparse.search.options.request_options import PartialLike
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH
from opensearch_neural_sparse.search.requests.searches import Search
from opensearch_neural_sparse.search.results.hits import parse_hits, scored_vector
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.transport.address import hosts_of, split_url
from opensearch_neural_sparse.transport.client_options import check_client_options, check_host_options
from opensearch_neural_sparse.transport.errors import translated_errors
from opensearch_neural_sparse.transport.login import SourcedLogin

__all__ = [
    "AS_DATE",
    "DEFAULT_SEARCH",
    "ID_FIELD",
    "LARGEST_WINDOW",
    "META_FIELD",
    "CombinationLike",
    "Encoders",
    "EngineLike",
    "FieldTypeLike",
    "FilterText",
    "FusionLike",
    "IndexInfo",
    "Leg",
    "MetadataTypes",
    "NormalizationLike",
    "PartialLike",
    "PrecisionLike",
    "Search",
    "SourcedLogin",
    "TruncatedDocuments",
    "can_be",
    "check_client_options",
    "check_host_options",
    "check_options",
    "check_size",
    "checked_value",
    "collected_cuts",
    "filter_clauses",
    "has_instants",
    "haystack_filter",
    "haystack_form",
    "hosts_of",
    "instant_of",
    "json_value",
    "langchain_form",
    "mongo_filter",
    "named_fields",
    "parse_hits",
    "plain_scalar",
    "read_encoding_settings",
    "scored_vector",
    "split_url",
    "translated_errors",
    "vector_of",
    "written_instant",
]
