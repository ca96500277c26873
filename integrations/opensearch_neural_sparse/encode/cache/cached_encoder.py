"""Document encoder with a disk cache."""

from __future__ import annotations

import hashlib
import json
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from opensearch_neural_sparse.arguments import check_members, check_text
from opensearch_neural_sparse.encode.cache.sqlite_cache import VectorFile
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.models.spec import Family

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.models.files.resolve import ModelFiles


class CachedDocumentEncoder:
    """Encode documents with another encoder and cache the vectors in a SQLite file.

    A vector is found again by the fingerprint of the model's weights, the encoder's options and the text, so one file
    serves several models. It holds hashes of texts, token ids and float32 weights; no text. Several threads may share
    an encoder, and several processes a file.

    Args:
        encoder: What encodes the texts that are not in the file; `close` closes it.
        path: The file; it is made when first needed.
        variant: Further settings that distinguish the encoder's vectors from others of the same weights and limits; by
            default its attribute `variant`, which holds number format and prompt in this package's own encoders.

    Attributes:
        hits: Number of texts whose vector came from the file, or occurred earlier in the same call.
        misses: Number of texts that were encoded.
    """

    def __init__(self, encoder: DocumentEncoder, path: str | Path, *, variant: str | None = None) -> None:
        check_members("encode_documents", "files", encoder=encoder)
        check_text(optional=True, variant=variant)
        self.encoder = encoder
        self.variant: str = getattr(encoder, "variant", "") if variant is None else variant
        self._file = VectorFile(path)
        self.hits = 0
        self.misses = 0
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """Path of the cache file."""
        return self._file.path

    @property
    def files(self) -> ModelFiles:
        """Files of the model."""
        return self.encoder.files

    @property
    def max_length(self) -> int:
        """Longest document in tokens."""
        return self.encoder.max_length

    @property
    def max_active_dims(self) -> int | None:
        """Maximum number of entries of a vector."""
        return self.encoder.max_active_dims

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called with the number of documents finished since its last call.

        Raises:
            VectorCacheError: The file is damaged, is no cache, or cannot be opened.
        """

        def count(missing: int) -> None:
            known = len(texts) - missing
            with self._lock:
                self.misses += missing
                self.hits += known
            if progress and known:
                progress(known)

        def encode(part: list[str]) -> Iterator[bytes]:
            return map(self._pack, self.encoder.encode_documents(part, progress=progress))

        keys = [self._key(text) for text in texts]
        contents = self._file.fill(dict(zip(keys, texts, strict=True)), encode, tell_missing=count)
        vectors = {key: self._unpack(content) for key, content in contents.items()}
        return [vectors[key] for key in keys]

    def close(self) -> None:
        """Close the encoder."""
        self.encoder.close()

    def __reduce__(self) -> tuple[Callable[..., CachedDocumentEncoder], tuple[DocumentEncoder, Path]]:
        return partial(type(self), variant=self.variant), (self.encoder, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _tokenizer(self) -> SparseTokenizer:
        return SparseTokenizer.from_file(self.files.document_tokenizer)

    @cached_property
    def _has_words(self) -> bool:
        """Whether the keys of vectors are words, which have no ids that a file could keep."""
        return self.files.spec.family is Family.DEEP_IMPACT

    @cached_property
    def _key_prefix(self) -> bytes:
        options = (self.files.weights_sha256, self.max_length, self.max_active_dims, self.variant)
        return repr(options).encode()

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self._key_prefix + text.encode("utf-8", "surrogatepass")).digest()

    def _pack(self, vector: SparseVector) -> bytes:
        if self._has_words:
            return json.dumps([vector.tokens, [*vector.weights]], ensure_ascii=False).encode()
        indices, weights = vector.to_ids(self._tokenizer.vocabulary)
        return array("I", indices).tobytes() + array("f", weights).tobytes()

    def _unpack(self, content: bytes) -> SparseVector:
        if self._has_words:
            return SparseVector.from_trusted(*json.loads(content))
        half = len(content) // 2
        indices, weights = array("I"), array("f")
        indices.frombytes(content[:half])
        weights.frombytes(content[half:])
        tokens = map(self._tokenizer.tokens.__getitem__, indices)
        return SparseVector.from_trusted(tokens, weights)
