"""Bulk actions of documents that an ingest pipeline encodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
from opensearch_neural_sparse.index.bulk.actions import BulkOperationLike, PendingAction, write_draft
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.ingest_pipeline import NO_PIPELINE, TEMPLATE
from opensearch_neural_sparse.index.schema import IndexSchema

_SAMPLED = 5
_WAY_OUT = "Write it with a vector of the same model: a store given encoder_options or a document_encoder makes it."


class ServerEncodedDrafts:
    """Drafts the actions of documents, and keeps those that the pipeline encodes apart from those that it may not.

    A document with a text and no vector is sent without one, and with the marker of the model. Any other names the
    pipeline `_none`, so that its vector stays as it is, and a blank text is no error.

    Args:
        schema: Names of the fields.
        binding: The model of the sparse field, in the server.
        operation: What is done with the documents.
        keep_vectors: Whether vectors that were given go by the pipeline `_none`; False leaves the pipeline to the
            request.
        keeps_lists: Whether a pipeline of this server keeps the order of lists in lists.
    """

    def __init__(
        self,
        schema: IndexSchema,
        binding: ModelBinding,
        operation: BulkOperationLike,
        *,
        keep_vectors: bool = True,
        keeps_lists: bool = True,
    ) -> None:
        self._schema, self._operation, self._marker = schema, operation, binding.marker
        self._keep_vectors, self._keeps_lists = keep_vectors, keeps_lists
        self._behind_connector = binding.server is not None and binding.server.content_sha256 is None
        self._chunking = None if binding.server is None else binding.server.chunking
        self._first: list[tuple[str, str | None]] = []
        self._last: deque[tuple[str, str | None]] = deque(maxlen=_SAMPLED)
        self.doubtful: dict[str, str | None] = {}
        """Id -> routing of documents that the server may give no passage, or fewer than their texts have."""

    def __call__(self, document: SparseDocument) -> PendingAction:
        """Make the pending action of a document with an id."""
        if not is_encoded_by_server(document):
            draft = write_draft(document, self._schema, operation=self._operation)
            if self._keep_vectors:
                draft = draft._replace(header={**draft.header, "pipeline": NO_PIPELINE})
            return draft
        marked = replace(document, model=self._marker)
        draft = write_draft(marked, self._schema, operation=self._operation)
        if isinstance(draft.body, Exception):
            return draft
        if (reason := self._obstacle(document)) is not None:
            return draft._replace(body=IndexSchemaError(f"{reason} {_WAY_OUT}"))
        kept = self._last if len(self._first) == _SAMPLED else self._first
        kept.append((str(document.id), document.routing))
        if self._chunking is not None and is_doubtful(str(document.text), self._chunking):
            self.doubtful[str(document.id)] = document.routing
        return draft._replace(lacks=tuple(name for name in draft.lacks if name != self._schema.vector_field))

    def _obstacle(self, document: SparseDocument) -> str | None:
        """Return why a document would not come out of the pipeline as it went in, or None."""
        if self._behind_connector and TEMPLATE in (document.text or ""):
            return f"its text holds {TEMPLATE!r}, which a connector of the server replaces."
        if (name := lost_key(document.metadata)) is not None:
            return f"its metadata key {name!r} would be lost in the pipeline, beside a key of the same beginning."
        if not self._keeps_lists and any(map(_holds_lists_in_lists, document.metadata.values())):
            return "its metadata holds a list in a list, and pipelines before OpenSearch 3.6 change the order of such."
        return None

    @property
    def sample(self) -> dict[str, str | None]:
        """Id -> routing of some documents that the pipeline encodes: the first and the last."""
        return dict(chain(self._first, self._last))


def is_encoded_by_server(document: SparseDocument) -> bool:
    """Return whether a document is sent for the pipeline to encode: it has a text, and neither vector nor chunks."""
    has_text = isinstance(document.text, str) and bool(document.text.strip())
    return has_text and document.vector is None and document.chunks is None


def is_doubtful(text: str, chunking: ServerChunking) -> bool:
    """Return whether the server may find no word in a text, or more passages than its limit.

    Args:
        text: A document's text.
        chunking: How the server cuts it.
    """
    return chunking.may_exceed(text) or not any(map(str.isalpha, text))


def lost_key(value: object) -> str | None:
    """Return a key with dots that a pipeline drops from metadata, or None.

    The processor stores `a.b` as `b` in the object `a`. Where there is a key `a` as well, one of both goes.

    Args:
        value: Metadata, or a part of it.
    """
    if isinstance(value, Mapping):
        lost = next((key for key in value if "." in key and key.partition(".")[0] in value), None)
        return lost or next(filter(None, map(lost_key, value.values())), None)
    return next(filter(None, map(lost_key, value)), None) if isinstance(value, list | tuple) else None


def _holds_lists_in_lists(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_lists_in_lists, value.values()))
    if not isinstance(value, list | tuple):
        return False
    return any(isinstance(inner, list | tuple) or _holds_lists_in_lists(inner) for inner in value)
