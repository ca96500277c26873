"""Retrieval of metadata by its words."""

from __future__ import annotations

from typing import Any

from haystack import component
from haystack.document_stores.types import FilterPolicy

from haystack_integrations.components.retrievers.opensearch_neural_sparse.base import FAILURES, Retriever
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    checked_query,
    checked_store,
    checked_top_k,
    combine_filters,
    filter_policy_of,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import MetadataSearch, SearchOptions
from opensearch_neural_sparse.layer_support import MetadataModeLike, PartialLike, check_texts


@component
class OpenSearchNeuralSparseMetadataRetriever(Retriever):
    """Find metadata by its words: the values that documents have of some keys, each combination once, best first.

    A user or a model who names a category, an author or a product is given the spelling that the index has, for a
    filter of the search that follows. Parts of a query that commas separate are searched by themselves, in every key.
    Texts are searched within, without regard to upper and lower case; numbers, dates and booleans by equality.

    A row is as good as its best value for each part: the similarity of both, by the groups of three letters in their
    words, plus `exact_match_weight` where the value contains the part.

    Args:
        document_store: The document store.
        metadata_fields: Keys of metadata, with or without `meta.` in front, that are searched and returned.
        filters: Filters of every run, which documents satisfy.
        top_k: Most rows, 1 to 10,000.
        filter_policy: Whether filters given to a run `replace` these or `merge` with them. Merged, documents satisfy
            both.
        mode: `strict` finds values that contain every word of a part; `fuzzy` finds those that contain any, or a word
            that differs by one edit from one of four letters or more.
        exact_match_weight: What is added to the score of a part that a value contains.
        candidates: How many of the best documents rows are taken from, 1 to 10,000; a warning says where they were too
            few for `top_k` rows.
        raise_on_failure: Whether it is an error that the server fails or is out of reach; else nothing is found.
        timeout: Seconds to wait for the answer; by default as the document store says.
        preference: Which copies of the shards are asked, such as `_local`.
        routing: Only the shards that hold documents of this routing are searched.
        partial: Whether an answer that some shards are missing from is an error (`raise`) or a warning (`warn`).

    Raises:
        TypeError: Another kind of document store, or keys that are no texts.
        ValueError: No keys, or an option out of range.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> retriever = OpenSearchNeuralSparseMetadataRetriever(document_store=store, metadata_fields=["lang", "year"])
        >>> rows = retriever.run("en, 2024")["metadata"]
    """

    custom_query = None
    score_threshold = None
    two_phase = None
    prune = None
    seismic = None
    collapse = None
    explain = False
    return_embedding = None
    server_query = None
    rerank = None
    boosts = None

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        metadata_fields: list[str],
        filters: dict[str, Any] | None = None,
        top_k: int = 20,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        mode: MetadataModeLike = "fuzzy",
        exact_match_weight: float = 0.6,
        candidates: int = 1000,
        raise_on_failure: bool = True,
        timeout: float | None = None,
        preference: str | None = None,
        routing: str | None = None,
        partial: PartialLike = "raise",
    ) -> None:
        self.document_store = checked_store(document_store)
        self.metadata_fields = metadata_fields
        self.filters = filters
        self.top_k = checked_top_k(top_k)
        self.filter_policy = filter_policy_of(filter_policy)
        self.mode = mode
        self.exact_match_weight = exact_match_weight
        self.candidates = candidates
        self.raise_on_failure = raise_on_failure
        self.timeout = timeout
        self.preference = preference
        self.routing = routing
        self.partial = partial
        self._begin()
        self._search("", self._options)

    @component.output_types(metadata=list[dict[str, Any]])
    def run(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        metadata_fields: list[str] | None = None,
        mode: MetadataModeLike | None = None,
        exact_match_weight: float | None = None,
        candidates: int | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
    ) -> dict[str, Any]:
        """Find rows of metadata.

        Args:
            query: Words, in parts that commas separate; blank ones find nothing.
            filters: Filters of this run; `filter_policy` says whether they replace the retriever's own.
            top_k: Most rows; this and what follows is the retriever's own by default.
            metadata_fields: Keys that are searched and returned.
            mode: How words match, `strict` or `fuzzy`.
            exact_match_weight: What is added to the score of a part that a value contains.
            candidates: How many of the best documents rows are taken from.
            routing: Only the shards that hold documents of this routing are searched.
            document_store: The document store.

        Returns:
            `metadata`: rows as key -> value, best first; a key that a document lacks is left out of its row.
        """
        options = self._options_of_run(routing, None, None, None)
        search = self._search(query, options, top_k, metadata_fields, mode, exact_match_weight, candidates)
        searched = self.document_store if document_store is None else checked_store(document_store)
        wanted = combine_filters(self.filter_policy, self.filters, filters)
        try:
            return {"metadata": searched.retrieve_metadata(search, wanted)}
        except FAILURES as error:
            return self._nothing(error, "metadata")

    @component.output_types(metadata=list[dict[str, Any]])
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        metadata_fields: list[str] | None = None,
        mode: MetadataModeLike | None = None,
        exact_match_weight: float | None = None,
        candidates: int | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
    ) -> dict[str, Any]:
        """Find rows of metadata; see `run`."""
        options = self._options_of_run(routing, None, None, None)
        search = self._search(query, options, top_k, metadata_fields, mode, exact_match_weight, candidates)
        searched = self.document_store if document_store is None else checked_store(document_store)
        wanted = combine_filters(self.filter_policy, self.filters, filters)
        try:
            return {"metadata": await searched.retrieve_metadata_async(search, wanted)}
        except FAILURES as error:
            return self._nothing(error, "metadata")

    def _search(
        self,
        query: str,
        options: SearchOptions,
        top_k: int | None = None,
        metadata_fields: list[str] | None = None,
        mode: MetadataModeLike | None = None,
        exact_match_weight: float | None = None,
        candidates: int | None = None,
    ) -> MetadataSearch:
        fields = self.metadata_fields if metadata_fields is None else metadata_fields
        check_texts(metadata_fields=fields)
        if len(fields) == 0:
            raise ValueError("metadata_fields names the keys of metadata that are searched, such as ['category'].")
        return MetadataSearch(
            checked_query(query),
            fields=fields,
            size=self._size_of_run(top_k),
            mode=self.mode if mode is None else mode,
            exact_match_weight=self.exact_match_weight if exact_match_weight is None else exact_match_weight,
            candidates=self.candidates if candidates is None else candidates,
            request=options.request,
        )
