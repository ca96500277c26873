"""Options of an indexer that loads by a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from haystack import Document, logging
from haystack.document_stores.types import DuplicatePolicy

from haystack_integrations.components.super_components.opensearch_neural_sparse.composite import DocumentStep
from haystack_integrations.document_stores.opensearch_neural_sparse.loads import PlacedDocument
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import given
from opensearch_neural_sparse import Load, LoadReport, RefusedRow
from opensearch_neural_sparse.layer_support import check_flag

logger = logging.getLogger(__name__)

_COUNTS = ("read", "written", "unchanged", "refused", "deleted", "left", "complete", "stopped", "not_deleted")


@dataclass(frozen=True, kw_only=True)
class JournalOptions:
    """Options of an indexer that loads by a journal.

    Attributes:
        journal: The file of the journal; None loads without one.
        source: Name of the source.
        sync: Whether what is gone from the source is deleted.
        dead_letters: File for what could not be indexed.
        max_errors: How many may fail before a run ends early.

    Raises:
        ValueError: Options without a journal, or a negative limit.
    """

    journal: str | None = None
    source: str | None = None
    sync: bool = False
    dead_letters: str | None = None
    max_errors: int | None = None

    def __post_init__(self) -> None:
        check_flag(sync=self.sync)
        if self.journal is None and (alone := list(self.saved())):
            raise ValueError(f"{', '.join(alone)} need a journal: journal='articles.journal'.")
        self.load_of([], None, None)  # what a load refuses is refused here

    def saved(self) -> dict[str, Any]:
        """Return the options that were given."""
        return given(**{**vars(self), "sync": self.sync or None})

    def check_policy(self, policy: DuplicatePolicy) -> None:
        """Check that a load by a journal can have a policy.

        Raises:
            ValueError: It cannot.
        """
        if self.journal is not None and policy in (DuplicatePolicy.SKIP, DuplicatePolicy.FAIL):
            raise ValueError(
                f"policy {policy.value!r} cannot be used with a journal, which overwrites changed documents. Use "
                "'overwrite'."
            )

    def load_of(
        self,
        documents: Sequence[Document],
        splitter: DocumentStep | None,
        embed: Callable[[Sequence[Document]], Sequence[Document]] | None,
    ) -> Load:
        """Return the load of documents: a row for each passage, or for each document where none are split.

        Args:
            documents: The documents.
            splitter: Cuts them into passages, or None.
            embed: Adds vectors to what is written.
        """
        options = self.saved()
        if splitter is not None and not self.sync and self.journal is not None:
            options["sync"] = frozenset(document.id for document in documents)  # passages that these no longer have
        rows = _whole(documents) if splitter is None else _passages(documents, splitter)
        return Load(rows, embed=embed, **options)


def report_of(report: LoadReport) -> dict[str, Any]:
    """Return the outcome of a load as plain values, after a warning if it is not complete."""
    if not report.complete:
        logger.warning("Not all documents were indexed: {report}", report=str(report))
    return {name: getattr(report, name) for name in _COUNTS}


def _whole(documents: Iterable[Document]) -> Iterator[PlacedDocument]:
    for document in documents:
        yield PlacedDocument(document.id, document)


def _passages(documents: Iterable[Document], splitter: DocumentStep) -> Iterator[PlacedDocument | RefusedRow]:
    for document in documents:
        try:
            passages = splitter.run([document])["documents"]
        except ValueError as error:
            yield RefusedRow(place=document.id, reason=str(error))
            continue
        for number, passage in enumerate(passages, start=1):
            yield PlacedDocument(f"{document.id}:{number}", passage)
