"""Query encoders: table lookup for doc-only models, a transformer for bi-encoders."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from opensearch_neural_sparse.arguments import check_count, check_list, check_text, check_texts, check_type
from opensearch_neural_sparse.encode.encoding_settings import query_dims, read_encoding_settings
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.truncation import Cut, collected_cuts, warn_of_cut_queries
from opensearch_neural_sparse.encode.words import WordQueryEncoder
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.idf import read_idf
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files, resolve_without_weights
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Family, Mode, ModelSpec

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.unicoil_queries import UniCoilQueryEncoder

_LOAD_QUERIES = "Load the model for queries on this machine: query_encoder=load_query_encoder(model)."
BATCH_THRESHOLD = 1000
"""Batch size from which tokenising on all cores is faster."""


@runtime_checkable
class QueryEncoder(Protocol):
    """Protocol of query encoders; an empty or blank query gives an empty vector.

    One that is longer than the model reads is cut, with a `TruncationWarning`.
    """

    def encode_query(self, text: str) -> SparseVector:
        """Return the vector of a query.

        Args:
            text: The query.
        """

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of queries, in their order.

        Args:
            texts: The queries.
        """


class IdfQueryEncoder:
    """Encode queries of a doc-only model: each distinct token once, with its weight from the model's table.

    It runs no transformer and imports no machine-learning library. Special tokens, `[UNK]` among them, and tokens
    without a positive weight are left out; otherwise vectors equal those of sentence-transformers' `encode_query`.

    Args:
        tokenizer: The model's query tokenizer, with its truncation.
        weights: Weight of each token id; 0 leaves a token out.
        prompt: Text put before every query that is not blank.
        max_active_dims: Keep this many of the heaviest tokens of a query; None keeps all.
    """

    def __init__(
        self,
        tokenizer: SparseTokenizer,
        weights: Sequence[float],
        *,
        prompt: str = "",
        max_active_dims: int | None = None,
    ) -> None:
        check_type(SparseTokenizer, tokenizer=tokenizer)
        check_list((float, Real), weights=weights)
        check_text(prompt=prompt)
        check_count(1, optional=True, max_active_dims=max_active_dims)
        self.tokenizer, self.prompt, self.max_active_dims = tokenizer, prompt, max_active_dims
        if len(weights) != len(tokenizer.tokens):
            raise ValueError(f"weights has one for each of the {len(tokenizer.tokens)} tokens, got {len(weights)}.")
        entries = zip(tokenizer.tokens, weights, strict=True)
        self._entries = [(token, weight) if token and weight > 0 else None for token, weight in entries]
        for index in tokenizer.special_ids:
            self._entries[index] = None

    @classmethod
    def from_files(
        cls,
        files: ModelFiles,
        *,
        max_length: int | None = None,
        prompt: str = "",
        max_active_dims: int | None = None,
    ) -> Self:
        """Load the query side of a doc-only model.

        Args:
            files: The model's files.
            max_length: Longest query in tokens; what follows is cut off. By default the model's own.
            prompt: Text put before every query that is not blank.
            max_active_dims: Keep this many of the heaviest tokens of a query; None keeps all.

        Raises:
            ModelFilesError: The model is no doc-only model, or a file is missing or damaged.
        """
        if files.idf is None:
            raise ModelFilesError(f"{files.spec.id!r} has no query weights: it is a {files.spec.mode} model.")
        tokenizer = SparseTokenizer.from_file(
            files.query_tokenizer, max_length=files.spec.max_length if max_length is None else max_length
        )
        weights = read_idf(files.idf, tokenizer.vocabulary, ignored=tokenizer.special_ids, tensor=files.idf_tensor)
        return cls(tokenizer, weights, prompt=prompt, max_active_dims=max_active_dims)

    def encode_query(self, text: str) -> SparseVector:
        """Return the vector of a query; tokens in the order of their first occurrence.

        Args:
            text: The query.
        """
        check_text(text=text)
        prompted = self._prompted(text)
        ids = self.tokenizer.query_ids(prompted)
        self._warn_of_cut([text], [ids])
        return self._vector(ids)

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of queries, in their order.

        Args:
            texts: The queries.
        """
        check_texts(texts=texts)
        prompted = list(map(self._prompted, texts))
        if len(texts) < BATCH_THRESHOLD:
            ids = list(map(self.tokenizer.query_ids, prompted))
        else:
            ids = self.tokenizer.batch_query_ids(prompted)
        self._warn_of_cut(texts, ids)
        return list(map(self._vector, ids))

    def _prompted(self, text: str) -> str:
        return self.prompt + text if text and not text.isspace() else ""

    def _warn_of_cut(self, texts: Sequence[str], ids: Sequence[list[int]]) -> None:
        longest = self.tokenizer.max_length
        if longest is not None and max(map(len, ids), default=0) >= longest:
            full = [text for text, own in zip(texts, ids, strict=True) if len(own) >= longest]
            dropped = {text: self.tokenizer.dropped_tokens(self._prompted(text)) for text in full}
            cuts = {text: Cut(tokens, longest) for text, tokens in dropped.items() if tokens}
            warn_of_cut_queries(cuts, full)

    def _vector(self, ids: list[int]) -> SparseVector:
        weights = dict(filter(None, map(self._entries.__getitem__, ids)))
        return _trimmed(SparseVector.from_trusted(weights, weights.values()), self.max_active_dims)


class NeuralQueryEncoder:
    """Encode queries of a bi-encoder with its transformer.

    Args:
        engine: The encoder that runs the model.
        max_active_dims: Keep this many of the heaviest tokens of a query; None keeps what the encoder does.
    """

    def __init__(self, engine: DocumentEncoder, *, max_active_dims: int | None = None) -> None:
        _refuse_unicoil(engine)
        self.engine, self.max_active_dims = engine, max_active_dims

    def encode_query(self, text: str) -> SparseVector:
        """Return the vector of a query.

        Args:
            text: The query.
        """
        return self.encode_queries([text])[0]

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of queries, in their order.

        Args:
            texts: The queries.
        """
        with collected_cuts() as cuts:
            vectors = self.engine.encode_documents(texts)
        warn_of_cut_queries(cuts, texts)
        return [_trimmed(vector, self.max_active_dims) for vector in vectors]


def share_document_encoder(encoder: DocumentEncoder) -> NeuralQueryEncoder | UniCoilQueryEncoder:
    """Return a query encoder of a bi-encoder that runs the transformer of a loaded document encoder.

    Args:
        encoder: The document encoder.

    Raises:
        ModelFilesError: The model has a transformer of its own for queries, or puts another text before queries than
            before documents, which an encoder behind HTTP or in other processes cannot do; or the queries of a uniCOIL
            model in other processes.
    """
    from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder

    spec, settings = encoder.files.spec, read_encoding_settings(encoder.files.root)
    if encoder.files.query_route is not None:
        raise _other_transformer(encoder.files)
    dims = query_dims(None, spec, settings)
    if spec.family is Family.UNICOIL:
        return _unicoil_queries(encoder, prompt=settings.query_prompt, max_active_dims=dims)
    if isinstance(encoder, TransformerDocumentEncoder):
        return NeuralQueryEncoder(encoder.with_settings(prompt=settings.query_prompt, max_active_dims=dims))
    if settings.query_prompt != settings.document_prompt:
        raise ModelFilesError(
            f"{spec.id!r} has another prompt for queries than for documents, and this encoder of documents puts its "
            f"own before each text. {_LOAD_QUERIES}"
        )
    return NeuralQueryEncoder(encoder, max_active_dims=dims)


def _unicoil_queries(
    encoder: DocumentEncoder, *, prompt: str, max_length: int | None = None, max_active_dims: int | None = None
) -> UniCoilQueryEncoder:
    from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder
    from opensearch_neural_sparse.encode.unicoil_queries import UniCoilQueryEncoder

    own = getattr(encoder, "encoder", encoder)  # what a cache of documents has within
    if not isinstance(own, TransformerDocumentEncoder):
        raise ModelFilesError(
            f"Queries of the uniCOIL model {encoder.files.spec.id!r} are encoded in this process, in another way than "
            f"documents; {type(own).__name__} encodes documents elsewhere. Give query_encoder=load_query_encoder(...)."
        )
    return UniCoilQueryEncoder(own, prompt=prompt, max_length=max_length, max_active_dims=max_active_dims)


def _refuse_unicoil(engine: DocumentEncoder) -> None:
    files = getattr(engine, "files", None)
    if files is not None and files.spec.family is Family.UNICOIL:
        raise TypeError(
            f"{files.spec.id!r} is a uniCOIL model, of which queries are encoded in another way than documents. Use "
            "load_query_encoder, or UniCoilQueryEncoder."
        )


def load_query_encoder(
    model: str | Path | ModelSpec | ModelFiles,
    *,
    max_length: int | None = None,
    prompt: str | None = None,
    max_active_dims: int | None = None,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    **engine_options: Any,
) -> QueryEncoder:
    """Load a model's query encoder.

    Args:
        model: Name, id, folder, spec or resolved files of a model.
        max_length: Longest query in tokens; what follows is cut off. By default the model's own.
        prompt: Text put before every query; by default the model's own, which most models do without.
        max_active_dims: Keep this many of the heaviest tokens of a query; by default as the model says, or all. The
            size of the vocabulary keeps all.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        engine_options: For bi-encoders, options of `load_document_encoder`.

    Raises:
        UnknownModelError: No such model.
        ModelFilesError: Its files are out of reach, incomplete or damaged; or a URL for a model that has a transformer
            of its own for queries.
        MissingDependencyError: A bi-encoder, and no engine is installed.
        ValueError: `max_active_dims` is below 1.
        TypeError: Engine options for a doc-only model, whose queries need no engine.
    """
    check_count(1, optional=True, max_active_dims=max_active_dims, max_length=max_length)
    check_text(optional=True, prompt=prompt)
    hub: dict[str, Any] = {
        "revision": revision,
        "token": token,
        "cache_dir": cache_dir,
        "local_files_only": local_files_only,
    }
    files = model
    if not isinstance(files, ModelFiles):
        if engine_options.get("url") is None:
            files = resolve_files(get_model(files), side=Side.QUERY, **hub)
        else:
            files = resolve_without_weights(get_model(files), **hub)
    settings = read_encoding_settings(files.root)
    prompt = settings.query_prompt if prompt is None else prompt
    dims = query_dims(max_active_dims, files.spec, settings)
    if files.spec.mode is Mode.DOC_ONLY:
        if engine_options:
            raise TypeError(f"The queries of a doc-only model need no engine; got {sorted(engine_options)}.")
        if files.spec.family is Family.DEEP_IMPACT:
            return WordQueryEncoder.from_files(files, prompt=prompt)
        return IdfQueryEncoder.from_files(files, max_length=max_length, prompt=prompt, max_active_dims=dims)
    from opensearch_neural_sparse.encode.document_encoder import document_files, load_document_encoder

    if engine_options.get("url") is None:
        files = document_files(files, hub).query_transformer
    elif files.query_route is not None:
        raise _other_transformer(files)
    kept = dims or files.spec.vocabulary_size
    encoder = load_document_encoder(files, max_length=max_length, max_active_dims=kept, prompt=prompt, **engine_options)
    if files.spec.family is Family.UNICOIL:
        return _unicoil_queries(encoder, prompt=prompt, max_length=max_length, max_active_dims=dims)
    return NeuralQueryEncoder(encoder)


def _other_transformer(files: ModelFiles) -> ModelFilesError:
    return ModelFilesError(
        f"{files.spec.id!r} encodes queries by a transformer of their own, and this encoder runs that of documents. "
        f"{_LOAD_QUERIES}"
    )


def _trimmed(vector: SparseVector, max_active_dims: int | None) -> SparseVector:
    if max_active_dims is None or len(vector) <= max_active_dims:
        return vector
    return SparseVector(dict(vector.top(max_active_dims)))
