"""Sparse and dense vectors of one forward pass, for callers that ask for them one after the other."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Self

from opensearch_neural_sparse.encode.engines.scalar.encoders import BgeM3DocumentEncoder, TextVectors
from opensearch_neural_sparse.encode.sparse_vector import SparseVector

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

KEPT = 4096
"""Number of texts of which both vectors are kept."""


class _Kept(NamedTuple):
    sparse: SparseVector
    dense: array[float]


class OnePassEncoder:
    """Document encoder that keeps both vectors of the last texts, so that a text goes through the model once.

    It is a `DocumentEncoder`, and gives the dense vectors of the same texts by `encode_dense`.

    Args:
        encoder: The document encoder of a BGE-M3 model, in this process; `close` closes it.
        kept: Number of texts of which both vectors are kept.

    Attributes:
        passes: Number of texts that went through the model.

    Raises:
        TypeError: The encoder has no dense vectors.
    """

    def __init__(self, encoder: DocumentEncoder, *, kept: int = KEPT) -> None:
        if not isinstance(encoder, BgeM3DocumentEncoder):
            raise TypeError(
                f"{type(encoder).__name__} gives no dense vectors. Load the document encoder of a BGE-M3 model, "
                "without workers, devices and url."
            )
        self.encoder, self.passes = encoder, 0
        self._size = kept
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    @property
    def files(self) -> ModelFiles:
        """Files of the model."""
        return self.encoder.files

    @property
    def max_length(self) -> int:
        """Longest text in tokens."""
        return self.encoder.max_length

    @property
    def max_active_dims(self) -> int | None:
        """Maximum number of tokens of a sparse vector; None keeps all."""
        return self.encoder.max_active_dims

    @property
    def variant(self) -> str:
        """Number format and prompt, which distinguish vectors of the same weights and limits."""
        return self.encoder.variant

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the sparse vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called with the number of documents finished since its last call.
        """
        return [vectors.sparse for vectors in self.encode_documents_with_dense(texts, progress=progress)]

    def encode_dense(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the dense vectors of texts, each of length 1, in their order.

        Args:
            texts: The texts.
        """
        return [vectors.dense for vectors in self.encode_documents_with_dense(texts)]

    def encode_documents_with_dense(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[TextVectors]:
        """Return both vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called with the number of documents finished since its last call.
        """
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        fresh = self.encoder.encode_documents_with_dense(missing, progress=progress) if missing else []
        made = {text: _Kept(own.sparse, array("f", own.dense)) for text, own in zip(missing, fresh, strict=True)}
        self._keep(known | made, passes=len(made))
        if progress is not None and len(texts) > len(missing):
            progress(len(texts) - len(missing))
        found = known | made
        return [TextVectors(found[text].sparse, found[text].dense.tolist()) for text in texts]

    def close(self) -> None:
        """Close the encoder and forget the vectors."""
        self.encoder.close()
        with self._lock:
            self._kept.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, vectors: dict[str, _Kept], *, passes: int) -> None:
        with self._lock:
            self.passes += passes
            for text, own in vectors.items():
                self._kept[text] = own
                self._kept.move_to_end(text)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
