"""Encoding that a text which cannot be encoded does not end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opensearch_neural_sparse.errors import EncodingWorkerError, RemoteEncoderError
from opensearch_neural_sparse.index.bulk.report import BulkFailure, EncodingFailure
from opensearch_neural_sparse.index.documents.document import SparseDocument

AddVectors = Callable[[Sequence[SparseDocument]], list[SparseDocument]]


class IsolatedEncoding:
    """Adds vectors to documents; where a batch fails, to each document alone.

    An encoder that fails for all documents of a batch, or for the first one that it gets, whose processes do not start,
    or that does not answer, raises: that is no fault of the documents.

    Args:
        add_vectors: Documents -> the same with vectors.
    """

    def __init__(self, add_vectors: AddVectors) -> None:
        self._add_vectors, self._has_worked = add_vectors, False

    def __call__(self, documents: Sequence[SparseDocument]) -> list[SparseDocument | BulkFailure]:
        """Return the documents with vectors, or why a document has none."""
        try:
            ready = self._add_vectors(documents)
        except Exception as error:
            alone = len(documents) == 1 and not self._has_worked
            if not documents or alone or _is_of_all(error):
                raise
            each = [self._alone(document) for document in documents]
            if len(each) > 1 and all(isinstance(row, BulkFailure) for row in each):
                raise
            return each
        self._has_worked = self._has_worked or bool(documents)
        return [*ready]

    def _alone(self, document: SparseDocument) -> SparseDocument | BulkFailure:
        try:
            (ready,) = self._add_vectors([document])
        except Exception as error:
            if _is_of_all(error):
                raise
            kind = type(error).__name__
            return EncodingFailure(id=str(document.id), status=None, error_type=kind, reason=str(error))
        return ready


def _is_of_all(error: Exception) -> bool:
    if isinstance(error, RemoteEncoderError):
        return not error.of_texts
    return isinstance(error, EncodingWorkerError) and error.starting
