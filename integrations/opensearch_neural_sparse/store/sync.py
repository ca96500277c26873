"""An index with its model, over a blocking client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice

from opensearch_neural_sparse.index.bulk import BulkReport, delete_action
from opensearch_neural_sparse.index.document import SparseDocument, check_ids
from opensearch_neural_sparse.search.filters import Filter
from opensearch_neural_sparse.search.hits import SearchHits, check_shards
from opensearch_neural_sparse.search.legs import fill_legs
from opensearch_neural_sparse.search.options import HybridOptions
from opensearch_neural_sparse.search.two_phase import TwoPhase
from opensearch_neural_sparse.store.base import DEFAULT_HYBRID, DEFAULT_WRITE, DELETIONS_PER_REQUEST, IDS_PER_REQUEST
from opensearch_neural_sparse.store.hybrid import hybrid_request
from opensearch_neural_sparse.store.options import Refresh, WriteOptions
from opensearch_neural_sparse.store.preparation import Document, prepare
from opensearch_neural_sparse.store.requests import (
    SearchRequest,
    filter_body,
    match_request,
    read_documents,
    read_hits,
    sparse_request,
)
from opensearch_neural_sparse.store.sender import BulkSender
from opensearch_neural_sparse.store.session import StoreSession


class NeuralSparseStore(StoreSession):
    """An index with the model that its sparse field belongs to.

    Nothing is connected, downloaded or loaded before it is needed; queries and documents are encoded by different
    parts, so a process that only searches a doc-only index loads no transformer. Threads may share a store.

    Args:
        index: Name of an index or alias.
        client: An OpenSearch client; it stays the caller's and is not closed.
        url: Address of a server, in place of a client.
        model: Name, id, folder or spec of the model; by default the one that the index is stamped with.
        schema: Names and types of the fields.
        query_encoder: Encodes queries in place of the model's own encoder. It cannot be checked against the stamp
            unless `model` is given, too.
        document_encoder: Encodes documents in place of the model's own encoder.
        encoder_options: Options of `load_document_encoder`, among them `revision`, `token`, `cache_dir` and
            `local_files_only` for either side.
        client_options: Options of `opensearchpy.OpenSearch` where `url` is given, such as `http_auth`; by default a
            request takes 60 seconds at most and 20 connections are kept.

    Raises:
        ValueError: Neither a client nor a url, or both.

    Examples:
        >>> with NeuralSparseStore("articles", url="http://localhost:9200", model="doc-v3-distill") as store:
        ...     store.create()
        ...     store.write(["A first text.", {"id": "2", "text": "Another.", "metadata": {"year": 2026}}])
        ...     hits = store.search("first", filter={"range": {"year": {"gte": 2020}}})
    """

    def write(self, documents: Iterable[Document], *, options: WriteOptions = DEFAULT_WRITE) -> BulkReport:
        """Write documents, encoding those that have a text and no vector.

        Args:
            documents: Documents, mappings with the keys of `SparseDocument`, or texts; any iterable, read once, a batch
                at a time.
            options: How to write.

        Raises:
            BulkWriteError: Some documents were not written; its report says which and why, the others were.
            IndexSchemaError: A list of documents holds one that no index can take; none was written.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        state = self.open()
        actions = prepare(
            documents, self.schema, options, bound=state.binding, encode=partial(self._encode, state.binding)
        )
        with self._errors():
            report = BulkSender(self.client(), self.index, options).send(actions)
        report.raise_if_incomplete()
        return report

    def get(self, ids: Iterable[str]) -> list[SparseDocument]:
        """Return the documents of these ids, in this order; ids that are not there are left out."""
        self.open()
        wanted = iter(check_ids(ids))
        found: list[SparseDocument] = []
        while part := list(islice(wanted, IDS_PER_REQUEST)):
            with self._errors():
                response = self.client().mget(body={"ids": part}, index=self.index)
            found += read_documents(response, self.schema)
        return found

    def delete(self, ids: Iterable[str], *, refresh: Refresh = True) -> int:
        """Delete documents by id and return how many there were; ids that are not there are no error.

        Raises:
            BulkWriteError: Some deletions were refused or went without an answer.
        """
        self.open()
        options = WriteOptions(refresh=refresh, pipeline=None, batch_size=DELETIONS_PER_REQUEST)
        report = BulkSender(self.client(), self.index, options).send(map(delete_action, check_ids(ids)))
        report.raise_if_incomplete()
        return report.written

    def count(self, filter: Filter | None = None) -> int:  # noqa: A002
        """Return how many documents there are, or how many a filter lets through."""
        self.open()
        body = filter_body(filter)
        with self._errors():
            response = self.client().count(index=self.index, body=body)
        check_shards(response)
        return int(response["count"])

    def refresh(self) -> None:
        """Make everything that was written searchable."""
        self.open()
        BulkSender(self.client(), self.index).refresh()

    def search(
        self,
        query: str | Mapping[str, float],
        *,
        size: int = 10,
        filter: Filter | None = None,  # noqa: A002
        explain: bool = False,
        with_embedding: bool = False,
        two_phase: TwoPhase | None = None,
    ) -> SearchHits:
        """Search by sparse vectors.

        Args:
            query: A text, or its token weights.
            size: Most hits, 1 to 10,000.
            filter: A query clause that hits satisfy, or a list of such, all of which they satisfy.
            explain: Whether hits tell which tokens matched.
            with_embedding: Whether hits carry their dense vectors.
            two_phase: How to split the search in two phases; None searches by every token at once.

        Returns:
            Hits, best first; none where the query has no token that the model knows.
        """
        self.open()
        vector = self._to_vector(query)
        request = sparse_request(
            self.server(),
            self.schema,
            vector,
            size=size,
            filter=filter,
            explain=explain,
            with_embedding=with_embedding,
            two_phase=two_phase,
        )
        return self._search(request) if request is not None else SearchHits()

    def match_search(
        self,
        text: str,
        *,
        size: int = 10,
        filter: Filter | None = None,  # noqa: A002
        with_embedding: bool = False,
    ) -> SearchHits:
        """Search by words (BM25); the arguments are those of `search`."""
        self.open()
        return self._search(match_request(self.schema, text, size=size, filter=filter, with_embedding=with_embedding))

    def hybrid_search(
        self,
        query: str,
        *,
        size: int = 10,
        offset: int = 0,
        filter: Filter | None = None,  # noqa: A002
        options: HybridOptions = DEFAULT_HYBRID,
        vector: Mapping[str, float] | None = None,
        explain: bool = False,
        with_embedding: bool = False,
    ) -> SearchHits:
        """Search by several legs at once, BM25 and sparse vectors by default, fused by reciprocal ranks in one request.

        Args:
            query: The text, searched for as it is and as a sparse vector.
            size: Most hits, 1 to 10,000.
            offset: How many hits to skip; pages of one size agree, and the last is followed by empty ones.
            filter: A query clause that hits satisfy, or a list of such; it goes into every leg.
            options: Which legs, and how to fuse them.
            vector: Token weights of the query, in place of encoding it.
            explain: Whether hits tell which tokens matched, and what each leg made of them.
            with_embedding: Whether hits carry their dense vectors.

        Returns:
            Hits, best first; their `fusion` says who fused them.

        Raises:
            UnsupportedServerError: The server lacks what was asked for, or would get it wrong, and fusion by the client
                is no way out or was ruled out.
        """
        state = self.open()
        legs = fill_legs(options.legs, query, self.schema, lambda: self._to_vector(query if vector is None else vector))
        request = hybrid_request(
            self.server(),
            self.index,
            state,
            self.schema,
            legs,
            size=size,
            offset=offset,
            filter=filter,
            options=options,
            explain=explain,
            with_embedding=with_embedding,
        )
        return self._search(request)

    def _search(self, request: SearchRequest) -> SearchHits:
        with self._errors():
            response = request.send(self.client(), self.index)
            return read_hits(self.server(), request, response, self.schema)
