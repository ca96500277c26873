"""Names of the core that framework layers share beside the public ones. Programs have no need of them.

A layer imports from the core its top level and this module alone, which an import rule holds.
"""

from __future__ import annotations

from opensearch_neural_sparse.arguments import (
    check_count,
    check_flag,
    check_list,
    check_mapping,
    check_number,
    check_path,
    check_text,
    check_texts,
    check_type,
)
from opensearch_neural_sparse.encode.encoding_settings import read_encoding_settings
from opensearch_neural_sparse.encode.engines.engine import EngineLike, PrecisionLike
from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.encode.words import load_query_tokenizer
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
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
from opensearch_neural_sparse.index.metadata.nesting import refuse_deep_metadata
from opensearch_neural_sparse.index.metadata.values import can_be, json_value, plain_scalar
from opensearch_neural_sparse.index.missing_index import without_model
from opensearch_neural_sparse.index.schema import ID_FIELD, META_FIELD, FieldTypeLike
from opensearch_neural_sparse.models.files.resolve import resolve_without_weights
from opensearch_neural_sparse.search.filters.clause_checks import checked_value
from opensearch_neural_sparse.search.filters.filter_clauses import check_depth, filter_clauses
from opensearch_neural_sparse.search.filters.foreign_syntax import (
    haystack_filter,
    haystack_form,
    langchain_form,
    mongo_filter,
)
from opensearch_neural_sparse.search.options.fusion import CombinationLike, FusionLike, NormalizationLike
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.search.options.metadata_search import MetadataModeLike
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW, check_size
from opensearch_neural_sparse.search.options.refinements.aggregations import (
    Aggregations,
    check_aggregations,
    check_within_filter,
    renamed_fields,
)
from opensearch_neural_sparse.search.options.refinements.boosts import renamed_boosts
from opensearch_neural_sparse.search.options.request_options import PartialLike
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH
from opensearch_neural_sparse.search.requests.custom_request import holding_filter
from opensearch_neural_sparse.search.requests.searches import Search, boosts_of, is_profiled
from opensearch_neural_sparse.search.results.hits import parse_hits, scored_vector
from opensearch_neural_sparse.store.described import repr_over
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.telemetry.caller import warn_caller
from opensearch_neural_sparse.telemetry.observation import observe_encoding
from opensearch_neural_sparse.transport.address import hosts_of, shown, split_url
from opensearch_neural_sparse.transport.client_options import check_client_options, check_host_options
from opensearch_neural_sparse.transport.errors import translated_errors
from opensearch_neural_sparse.transport.logins.described_login import SourcedHeader, SourcedLogin, has_login

__all__ = [
    "AS_DATE",
    "DEFAULT_SEARCH",
    "ID_FIELD",
    "LARGEST_WINDOW",
    "META_FIELD",
    "Aggregations",
    "Choice",
    "CombinationLike",
    "Encoders",
    "EngineLike",
    "FieldTypeLike",
    "FilterText",
    "FusionLike",
    "IndexInfo",
    "Leg",
    "MetadataModeLike",
    "MetadataTypes",
    "NormalizationLike",
    "PartialLike",
    "PrecisionLike",
    "Search",
    "SourcedHeader",
    "SourcedLogin",
    "TruncatedDocuments",
    "boosts_of",
    "can_be",
    "check_aggregations",
    "check_client_options",
    "check_count",
    "check_depth",
    "check_flag",
    "check_host_options",
    "check_list",
    "check_mapping",
    "check_number",
    "check_path",
    "check_size",
    "check_text",
    "check_texts",
    "check_type",
    "check_within_filter",
    "checked_value",
    "collected_cuts",
    "filter_clauses",
    "has_instants",
    "has_login",
    "haystack_filter",
    "haystack_form",
    "holding_filter",
    "hosts_of",
    "instant_of",
    "is_profiled",
    "json_value",
    "langchain_form",
    "load_query_tokenizer",
    "mongo_filter",
    "named_fields",
    "observe_encoding",
    "parse_hits",
    "plain_scalar",
    "read_encoding_settings",
    "refuse_deep_metadata",
    "renamed_boosts",
    "renamed_fields",
    "repr_over",
    "resolve_without_weights",
    "scored_vector",
    "shown",
    "shown_value",
    "split_url",
    "translated_errors",
    "vector_of",
    "warn_caller",
    "without_model",
    "written_instant",
]
