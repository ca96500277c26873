"""Texts encoded by a model in the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from time import sleep

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import Remedy, ServerRequestError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.server_chunking import passage_places
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.bulk.actions import is_retried
from opensearch_neural_sparse.index.bulk.server_actions import is_encoded_by_server
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.server_models.prediction import predict, read_vectors
from opensearch_neural_sparse.store.operations.by_server.passages import cut_by_server
from opensearch_neural_sparse.store.steps import Compute, Request, Steps
from opensearch_neural_sparse.store.write_options import DEFAULT_WRITE, WriteOptions

_UNKNOWN_OR_NOT_DEPLOYED = frozenset({400, 404})
_NOT_DEPLOYED = "Model not ready yet"


def encode_by_server(
    info: IndexInfo,
    binding: ModelBinding,
    encoding: ServerEncoding,
    documents: Sequence[SparseDocument],
    options: WriteOptions,
) -> Steps[list[SparseDocument]]:
    """Return documents with the vectors that the model in the server gives for their texts, pruned as the index is.

    Args:
        info: The index.
        binding: Its model.
        encoding: The model in the server.
        documents: Documents; those without a text, or with a vector, come back as they are.
        options: How often a text is sent again.
    """
    encoded = list(documents)
    places = [place for place, document in enumerate(documents) if is_encoded_by_server(document)]
    texts = [str(documents[place].text) for place in places]
    if encoding.chunking is None:
        vectors = yield from _encode(binding, encoding, texts, options)
        for place, vector in zip(places, vectors, strict=True):
            encoded[place] = replace(documents[place], model=binding.marker, vector=vector)
        return encoded
    cut = yield from cut_by_server(info, encoding.chunking, texts)
    flat = yield from _encode(binding, encoding, [passage for passages in cut for passage in passages], options)
    rest = iter(flat)
    for place, text, passages in zip(places, texts, cut, strict=True):
        chunks = tuple(_chunks(text, passages, islice(rest, len(passages))))
        encoded[place] = replace(documents[place], model=binding.marker, chunks=chunks)
    return encoded


def predict_vectors(
    model_id: str, texts: Sequence[str], options: WriteOptions = DEFAULT_WRITE
) -> Steps[list[SparseVector]]:
    """Return the vectors of texts; a server that has no room for them is asked again, as for documents.

    Args:
        model_id: The server's id of the model.
        texts: Texts of one request.
        options: How often they are sent again.
    """
    attempt = 0
    while True:
        try:
            response = yield Request("ml.predict", partial(predict, model_id, texts))
            return read_vectors(response, len(texts))
        except ServerRequestError as error:
            passing = is_retried(error.status, error.reason) and _NOT_DEPLOYED not in error.reason
            if attempt >= options.max_retries or not passing:
                raise error_of_model(error, model_id) from None
        yield Compute(partial(sleep, options.backoff(attempt)))
        attempt += 1


def error_of_model(error: ServerRequestError, model_id: str) -> ServerRequestError:
    """Return the error of a request for a model with its id, and with the way out where it has none."""
    reason = error.reason if model_id in error.reason else f"{error.reason} (model {model_id!r})"
    remedy = Remedy.DEPLOY_MODEL if error.status in _UNKNOWN_OR_NOT_DEPLOYED and not error.login else ""
    return ServerRequestError(error.status, error.error_type, reason, login=error.login, remedy=remedy)


def _encode(
    binding: ModelBinding, encoding: ServerEncoding, texts: Sequence[str], options: WriteOptions
) -> Steps[list[SparseVector]]:
    encoded, rule = list[SparseVector](), binding.prune_rule
    for start in range(0, len(texts), encoding.batch_size):
        part = texts[start : start + encoding.batch_size]
        vectors = yield from predict_vectors(encoding.model_id, part, options)
        encoded += vectors if rule is None else map(rule, vectors)
    return encoded


def _chunks(text: str, passages: Sequence[str], vectors: Iterator[SparseVector]) -> Iterator[DocumentChunk]:
    for (start, end), vector in zip(passage_places(passages, text), vectors, strict=True):
        yield DocumentChunk(start=start, end=end, vector=vector)
