"""Field names and types of an index, shared by all layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from opensearch_neural_sparse.arguments import check_count, check_list, check_mapping, check_text, check_type
from opensearch_neural_sparse.encode.chunking import ChunkOptions
from opensearch_neural_sparse.errors import Choice, IndexSchemaError
from opensearch_neural_sparse.index.analyzers import language_analyzers
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.index.seismic import SeismicParameters
from opensearch_neural_sparse.index.semantic_field import CHUNKS, EMBEDDING, SemanticField, semantic_info
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.short_repr import short_repr

ID_FIELD = "id"
META_FIELD = "meta"
SERVER_WEIGHTS = "sparse_encoding"
"""Key under which the processor `sparse_encoding` puts the vectors of a list of texts."""
RESERVED_BY_HAYSTACK = frozenset({"id", "content", "blob", "score", "embedding", "sparse_embedding", "meta"})
"""Top-level names of Haystack's Document; metadata under these names is stored under `meta`."""
RESERVED_BY_OPENSEARCH = frozenset(
    {"_data_stream_timestamp", "_doc_count", "_feature", "_field_names", "_id", "_ignored", "_index", "_nested_path"}
    | {"_primary_term", "_routing", "_seq_no", "_source", "_version"}
)
"""Names that OpenSearch reserves at the top level of a document."""


LONGEST_NAME = 512
"""Characters of a field's name that are surely taken; Lucene's limit is 32,766 bytes."""


def _check_name(name: object) -> None:
    """Raise IndexSchemaError for a name that no field of an index can have."""
    if not isinstance(name, str):
        raise IndexSchemaError(f"A field's name is a text, got {type(name).__name__}.")
    if name in (ID_FIELD, META_FIELD) or name in RESERVED_BY_OPENSEARCH:
        raise IndexSchemaError(f"A field cannot be called {name!r}: the name is taken. Give it another one.")
    if len(name) > LONGEST_NAME or "*" in name or not name.isprintable():
        shown = name if len(name) <= LONGEST_NAME else f"{name[:20]}..."
        raise IndexSchemaError(
            f"A field's name has at most {LONGEST_NAME} printable characters and no '*', got {shown!r}. Shorten it."
        )


def marker_field(sparse_field: str) -> str:
    """Return the name of an additional sparse field's marker, the keyword field with its model."""
    return f"{sparse_field}_model"


@dataclass(frozen=True, kw_only=True)
class SparseField:
    """A sparse field of an index.

    Attributes:
        name: Its name.
        model_field: Keyword field that names the model that made a document's vector.
        binding: The model it is bound to; None where it carries no stamp.
        is_main: Whether it is the schema's own field, which alone may hold chunks.
    """

    name: str
    model_field: str
    binding: ModelBinding | None = None
    is_main: bool = False

    @classmethod
    def additional(cls, name: str, binding: ModelBinding) -> SparseField:
        """Make a field of another model, beside the schema's own."""
        return cls(name=name, model_field=marker_field(name), binding=binding)


class FieldType(Choice):
    """Type of the sparse field."""

    RANK_FEATURES = "rank_features"
    SPARSE_VECTOR = "sparse_vector"
    """Approximate search (SEISMIC), for very large indices; OpenSearch 3.3 or later."""


FieldTypeLike = FieldType | Literal["rank_features", "sparse_vector"]
"""A `FieldType`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class IndexSchema:
    """Names and types of an index's fields.

    A document's text, vector and dense embedding have fields of their own; its metadata lies beside them at the top
    level, except keys that collide with a field, which lie under `meta`.

    Attributes:
        text_field: Field of the text, analysed for BM25.
        sparse_field: Field of the token weights.
        model_field: Keyword field that names the model that made a document's vector.
        embedding_field: Field of the dense vector.
        embedding_dimension: Number of its dimensions; None leaves dense vectors out of the mapping.
        field_type: How the sparse field is stored.
        seismic: How the approximate index of a `sparse_vector` field is built.
        token_ids: The keys of a `sparse_vector` field; a store puts its model's in.
        chunking: How long texts are cut into chunks, each with a vector of its own, a property of the index: stamped by
            `create` and taken from the stamp where it is not given. None keeps one vector a document.
        chunk_field: Nested field of the chunks.
        server_chunking: How the server cuts texts before its model encodes them; a store takes it from its
            `server_encoding`, or from the stamp of the index.
        passage_field: Field of the passages that the server cut, each the text of the chunk in the same place.
        bindings: Sparse field -> the model that it is bound to, those of `add_field` among them; a store reads them
            from the index.
        text_analyzer: Analyzer of the text field of an index that is created: one of the server's, such as `german`, or
            one of the settings that it is created with. None takes that of the model's language, `english` for an
            English model; for a model of several or unknown languages, and where the settings have a `default`
            analyzer, the server's default, `standard`. An index that exists keeps its own.
        text_subfields: Name -> analyzer of a further index of the text, such as `{"de": "german"}`; searched by
            `Bm25Leg(field="content.de")`.
        languages: Languages of the texts of an index that is created, such as `("en", "de")`: each gets a further
            index of the text by the server's analyzer for it (`content.de`), and the text itself is analysed as
            `standard` where `text_analyzer` names no other. A mapping such as `{"ja": "kuromoji"}` names analyzers.
            Searches by words take the best of them all, or one: `Bm25Leg(language="de")`. An index that exists keeps
            its own; a store reads them from it.
        metadata_fields: Metadata key -> OpenSearch field mapping, such as `{"year": {"type": "integer"}}`. Keys that
            are not listed are mapped by what the first document holds: texts become keywords, of which the first 8,190
            characters are compared, and numbers become doubles. Whole numbers beyond 2^53 need `{"type": "long"}`.
        metadata_types: What the fields of metadata hold; a store reads them from the index.
        semantic: How the server encodes the text field, if that is of type `semantic`; a store reads it from the index.

    Raises:
        IndexSchemaError: Two fields of one name, an empty name, a metadata field that collides with one, a language
            without an analyzer, or a `sparse_vector` field beside dense vectors or in chunks, which the server cannot
            keep or search.
    """

    text_field: str = "content"
    sparse_field: str = "sparse_vector"
    model_field: str = "sparse_vector_model"
    embedding_field: str = "embedding"
    embedding_dimension: int | None = None
    field_type: FieldTypeLike = FieldType.RANK_FEATURES
    seismic: SeismicParameters | None = None
    token_ids: TokenIds | None = field(default=None, repr=False, compare=False)
    chunking: ChunkOptions | None = None
    chunk_field: str = "chunks"
    server_chunking: ServerChunking | None = None
    passage_field: str = "passages"
    bindings: Mapping[str, ModelBinding] = field(default_factory=dict, repr=False, compare=False)
    text_analyzer: str | None = None
    text_subfields: Mapping[str, str] = field(default_factory=dict)
    languages: Collection[str] = ()
    metadata_fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    metadata_types: MetadataTypes | None = field(default=None, repr=False, compare=False)
    semantic: SemanticField | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "field_type", FieldType(self.field_type))
        for name in (self.text_field, self.sparse_field, self.model_field, self.embedding_field):
            _check_name(name)
        check_text(chunk_field=self.chunk_field, passage_field=self.passage_field)
        check_text(optional=True, text_analyzer=self.text_analyzer)
        check_count(1, optional=True, embedding_dimension=self.embedding_dimension)
        check_type(ChunkOptions, optional=True, chunking=self.chunking)
        check_type(ServerChunking, optional=True, server_chunking=self.server_chunking)
        check_type(SeismicParameters, optional=True, seismic=self.seismic)
        check_type(SemanticField, optional=True, semantic=self.semantic)
        check_type(TokenIds, optional=True, token_ids=self.token_ids)
        check_type(MetadataTypes, optional=True, metadata_types=self.metadata_types)
        check_mapping(bindings=self.bindings)
        check_list(ModelBinding, bindings=self.bindings.values())
        check_mapping(text_subfields=self.text_subfields, metadata_fields=self.metadata_fields)
        names = self._own_fields
        for name in names:
            _check_name(name)
        if not all(names) or len(set(names)) < len(names):
            raise IndexSchemaError(f"The fields of an index need different names, got {names}.")
        if dotted := [name for name in names if "." in name or name != name.strip()]:
            raise IndexSchemaError(
                f"A field of the index is at the top level of its documents: {dotted[0]!r} has a dot or blanks. "
                f"Give it another name, such as {dotted[0].strip().replace('.', '_')!r}."
            )
        if "sparse_embedding" in (self.sparse_field, self.model_field):
            raise IndexSchemaError("A field cannot be called 'sparse_embedding': Haystack's readers fail on it.")
        if collisions := sorted(self.reserved_names & set(self.metadata_fields)):
            raise IndexSchemaError(f"Metadata fields {collisions} collide with fields of the index; rename them.")
        if doubled := sorted(self.language_analyzers.keys() & self.text_subfields.keys()):
            raise IndexSchemaError(
                f"languages and text_subfields have {doubled} in common; leave it out of one of them."
            )
        self._check_field_type()
        if self.chunking is not None and self.server_chunking is not None:
            raise IndexSchemaError(
                "Texts are cut either here or by the server: leave out IndexSchema(chunking=...), or leave out "
                "ServerEncoding(chunking=...)."
            )
        if self.semantic is not None and (self.is_cut or self.field_type is not FieldType.RANK_FEATURES):
            raise IndexSchemaError(
                "A semantic field is encoded and cut into chunks by the server: leave chunking and field_type out, and "
                "give SemanticField(chunking=True) for chunks."
            )

    def _check_field_type(self) -> None:
        if self.field_type is not FieldType.SPARSE_VECTOR:
            if self.seismic is not None:
                raise IndexSchemaError("SeismicParameters need field_type FieldType.SPARSE_VECTOR.")
        elif self.is_cut:
            raise IndexSchemaError(
                "A sparse_vector field cannot hold chunks: its search collects the best chunks, not documents, and "
                "cannot see a document's filters from within one. Use FieldType.RANK_FEATURES."
            )
        elif self.embedding_dimension is not None:
            raise IndexSchemaError(
                "An index has either a sparse_vector field or dense vectors: its settings index.sparse and index.knn "
                "exclude each other on the server. Use FieldType.RANK_FEATURES, or two indices."
            )

    @cached_property
    def language_analyzers(self) -> Mapping[str, str]:
        """Language -> analyzer of the further indices of the text."""
        return language_analyzers(self.languages)

    @cached_property
    def language_fields(self) -> tuple[str, ...]:
        """Fields of the text by language, one for each analyzer: `cjk` of several languages is searched once."""
        fields = {analyzer: language for language, analyzer in self.language_analyzers.items()}
        return tuple(f"{self.text_field}.{language}" for language in fields.values())

    @property
    def nested_field(self) -> str | None:
        """Nested field of the chunks, or None if a document has one vector."""
        if self.semantic is not None:
            return f"{semantic_info(self.text_field)}.{CHUNKS}" if self.semantic.chunking else None
        return self.chunk_field if self.is_cut else None

    @property
    def is_cut(self) -> bool:
        """Whether texts are cut into the chunks of a nested field, here or by a pipeline of the server."""
        return self.chunking is not None or self.server_chunking is not None

    @property
    def has_chunks(self) -> bool:
        """Whether documents hold chunks with vectors of their own."""
        return self.nested_field is not None

    @property
    def weights_key(self) -> str:
        """Key of the token weights in the object that holds them: a document, a chunk, or the server's own."""
        if self.semantic is not None:
            return EMBEDDING
        return self.sparse_field if self.server_chunking is None else SERVER_WEIGHTS

    @property
    def sparse_path(self) -> str:
        """Full name of the sparse field."""
        if self.semantic is not None:
            return f"{self.nested_field or semantic_info(self.text_field)}.{EMBEDDING}"
        return self.sparse_field if self.nested_field is None else f"{self.nested_field}.{self.weights_key}"

    @property
    def vector_field(self) -> str:
        """Top-level field of a document's vector or vectors."""
        if self.semantic is not None:
            return semantic_info(self.text_field)
        return self.nested_field or self.sparse_field

    @cached_property
    def sparse_fields(self) -> Mapping[str, SparseField]:
        """Name -> sparse field, the schema's own first."""
        own = self.bindings.get(self.sparse_field)
        main = SparseField(name=self.sparse_field, model_field=self.model_field, binding=own, is_main=True)
        stamps = self.bindings.items()
        return {main.name: main} | {name: SparseField.additional(name, of) for name, of in stamps if name != main.name}

    @property
    def main_field(self) -> SparseField:
        """The schema's own sparse field."""
        return self.sparse_fields[self.sparse_field]

    @cached_property
    def additional_fields(self) -> Mapping[str, SparseField]:
        """Name -> sparse field of another model, beside the schema's own."""
        return {name: field for name, field in self.sparse_fields.items() if not field.is_main}

    @cached_property
    def sparse_vectors(self) -> tuple[str, ...]:
        """Top-level fields of a document's sparse vectors, any of which may be missing."""
        return (self.vector_field, *self.additional_fields)

    @cached_property
    def searched_vectors(self) -> tuple[str, ...]:
        """Top-level vector fields of a document, any of which may be missing."""
        return self.sparse_vectors if self.embedding_dimension is None else (*self.sparse_vectors, self.embedding_field)

    @property
    def _own_fields(self) -> list[str]:
        sparse = [name for field in self.sparse_fields.values() for name in (field.name, field.model_field)]
        names = [self.text_field, *sparse, self.embedding_field]
        if self.semantic is not None:
            return [*names, semantic_info(self.text_field)]
        if self.server_chunking is not None:
            return [*names, self.chunk_field, self.passage_field]
        return names if self.chunking is None else [*names, self.chunk_field]

    @cached_property
    def reserved_names(self) -> frozenset[str]:
        """Top-level names that metadata cannot have; such keys are stored under `meta`."""
        return RESERVED_BY_HAYSTACK | RESERVED_BY_OPENSEARCH | set(self._own_fields)

    @cached_property
    def extra_names(self) -> frozenset[str]:
        """Allowed names of `SparseDocument.extra_fields`: those of Haystack's Document without a field of the index."""
        return RESERVED_BY_HAYSTACK - {ID_FIELD, META_FIELD, *self._own_fields}

    def is_reserved(self, key: str) -> bool:
        """Return whether metadata under this key, dots included, is stored under `meta`.

        Args:
            key: A key of metadata.
        """
        check_text(key=key)
        return key.split(".", 1)[0] in self.reserved_names
