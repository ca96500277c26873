"""Query encoders: table lookup for doc-only models, a transformer for bi-encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from opensearch_neural_sparse.encode.encoding_settings import read_encoding_settings
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.truncation import Cut, collected_cuts, warn_of_cut_queries
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.idf import read_idf
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Mode, ModelSpec

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder

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
    """

    def __init__(self, tokenizer: SparseTokenizer, weights: Sequence[float], *, prompt: str = "") -> None:
        self.tokenizer, self.prompt = tokenizer, prompt
        entries = zip(tokenizer.tokens, weights, strict=True)
        self._entries = [(token, weight) if token and weight > 0 else None for token, weight in entries]
        for index in tokenizer.special_ids:
            self._entries[index] = None

    @classmethod
    def from_files(cls, files: ModelFiles, *, max_length: int | None = None, prompt: str = "") -> Self:
        """Load the query side of a doc-only model.

        Args:
            files: The model's files.
            max_length: Longest query in tokens; what follows is cut off. By default the model's own.
            prompt: Text put before every query that is not blank.

        Raises:
            ModelFilesError: The model is no doc-only model, or a file is missing or damaged.
        """
        if files.idf is None:
            raise ModelFilesError(f"{files.spec.id!r} has no query weights: it is a {files.spec.mode} model.")
        tokenizer = SparseTokenizer.from_file(
            files.query_tokenizer, max_length=files.spec.max_length if max_length is None else max_length
        )
        weights = read_idf(files.idf, tokenizer.vocabulary, ignored=tokenizer.special_ids, tensor=files.idf_tensor)
        return cls(tokenizer, weights, prompt=prompt)

    def encode_query(self, text: str) -> SparseVector:
        """Return the vector of a query; tokens in the order of their first occurrence.

        Args:
            text: The query.
        """
        prompted = self._prompted(text)
        ids = self.tokenizer.query_ids(prompted)
        self._warn_of_cut([prompted], [ids])
        return self._vector(ids)

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of queries, in their order.

        Args:
            texts: The queries.
        """
        prompted = list(map(self._prompted, texts))
        if len(texts) < BATCH_THRESHOLD:
            ids = list(map(self.tokenizer.query_ids, prompted))
        else:
            ids = self.tokenizer.batch_query_ids(prompted)
        self._warn_of_cut(prompted, ids)
        return list(map(self._vector, ids))

    def _prompted(self, text: str) -> str:
        return self.prompt + text if text and not text.isspace() else ""

    def _warn_of_cut(self, texts: Sequence[str], ids: Sequence[list[int]]) -> None:
        longest = self.tokenizer.max_length
        if longest is not None and max(map(len, ids), default=0) >= longest:
            full = [text for text, own in zip(texts, ids, strict=True) if len(own) >= longest]
            cuts = {text: Cut(dropped, longest) for text in full if (dropped := self.tokenizer.dropped_tokens(text))}
            warn_of_cut_queries(cuts, full)

    def _vector(self, ids: list[int]) -> SparseVector:
        weights = dict(filter(None, map(self._entries.__getitem__, ids)))
        return SparseVector.from_trusted(weights, weights.values())


class NeuralQueryEncoder:
    """Encode queries of a bi-encoder with its document encoder.

    Args:
        engine: The encoder that runs the model.
    """

    def __init__(self, engine: DocumentEncoder) -> None:
        self.engine = engine

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
        return vectors


def load_query_encoder(
    model: str | Path | ModelSpec | ModelFiles,
    *,
    max_length: int | None = None,
    prompt: str | None = None,
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
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        engine_options: For bi-encoders, options of `load_document_encoder`.

    Raises:
        UnknownModelError: No such model.
        ModelFilesError: Its files are out of reach, incomplete or damaged.
        MissingDependencyError: A bi-encoder, and no engine is installed.
        TypeError: Engine options for a doc-only model, whose queries need no engine.
    """
    files = model
    if not isinstance(files, ModelFiles):
        files = resolve_files(
            get_model(files),
            side=Side.QUERY,
            revision=revision,
            token=token,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
        )
    if prompt is None:
        prompt = read_encoding_settings(files.root).query_prompt
    if files.spec.mode is Mode.DOC_ONLY:
        if engine_options:
            raise TypeError(f"The queries of a doc-only model need no engine; got {sorted(engine_options)}.")
        return IdfQueryEncoder.from_files(files, max_length=max_length, prompt=prompt)
    from opensearch_neural_sparse.encode.document_encoder import load_document_encoder

    return NeuralQueryEncoder(load_document_encoder(files, max_length=max_length, prompt=prompt, **engine_options))
