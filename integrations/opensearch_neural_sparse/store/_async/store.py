"""An index with its model, over an asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.ingestion.journals.journal import LoadTarget
from opensearch_neural_sparse.ingestion.load import Load
from opensearch_neural_sparse.ingestion.report import LoadReport
from opensearch_neural_sparse.ingestion.run import Progress
from opensearch_neural_sparse.rerank.rerank_options import Rerank
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.search.options.metadata_search import MetadataSearch
from opensearch_neural_sparse.search.options.refinements.aggregations import Aggregations
from opensearch_neural_sparse.search.options.refinements.boosts import Boost
from opensearch_neural_sparse.search.options.refinements.collapse import Collapse
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.search_options import (
    DEFAULT_HYBRID,
    DEFAULT_SEARCH,
    HybridOptions,
    SearchOptions,
)
from opensearch_neural_sparse.search.options.server_query import ServerQuery
from opensearch_neural_sparse.search.requests.searches import (
    CustomSearch,
    HybridSearch,
    MatchSearch,
    Search,
    SparseSearch,
)
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.store.bulk.missing_vectors import IN_THE_CORE, VectorRemedies
from opensearch_neural_sparse.store.bulk.prepare import Document
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.drivers.event_loop import EventLoopDriver
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.documents import (
    count_documents,
    delete_documents,
    get_documents,
    refresh_index,
    scan_documents,
    write_documents,
)
from opensearch_neural_sparse.store.operations.ingest import ingest, load_target
from opensearch_neural_sparse.store.operations.lifecycle import (
    check_filter,
    create_index,
    create_template,
    delete_index,
    open_index,
    open_to_write,
    read_server,
)
from opensearch_neural_sparse.store.operations.maintenance import force_merge, warm_up_or_clear
from opensearch_neural_sparse.store.operations.metadata.metadata_search import search_metadata
from opensearch_neural_sparse.store.operations.model_changes.add_field import add_field
from opensearch_neural_sparse.store.operations.model_changes.bind_model import bind_model
from opensearch_neural_sparse.store.operations.model_changes.reindex import reindex
from opensearch_neural_sparse.store.operations.model_changes.reindex_job import MissingText, ReindexReport
from opensearch_neural_sparse.store.operations.search import (
    encode_query,
    load_tokenizer,
    run_search,
    run_sparse_searches,
)
from opensearch_neural_sparse.store.operations.updates import (
    declare_metadata,
    delete_matching,
    update_metadata,
    update_text,
)
from opensearch_neural_sparse.store.portable import Portable
from opensearch_neural_sparse.store.write_options import DEFAULT_WRITE, Refresh, WriteOptions

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch

    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
    from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
    from opensearch_neural_sparse.models.spec import ModelSpec


class AsyncNeuralSparseStore(Portable):
    """An index with the model that its sparse field belongs to: `NeuralSparseStore` for asynchronous programs.

    Its methods are those of `NeuralSparseStore`, awaited. Neural networks and embedders of dense legs run in worker
    threads, the table of a doc-only query in place. Tasks may share a store; event loops that follow one another may,
    too, if it was given a url: it then has a client in each loop, closed with the store or else with the loop.
    It is copied and pickled as the other one is.

    Args:
        index: Name of an index or alias, or a pattern. Where it covers indices of several models, each is searched
            by its own, and those with chunks apart from those without; the hits are fused by reciprocal ranks.
        client: An AsyncOpenSearch client; it stays the caller's and is not closed, and belongs to one event loop.
        url: Address of a server, in place of a client.
        model: Name, id, folder or spec of the model; by default the one that the index is stamped with.
        schema: Names and types of the fields.
        query_encoder: Encodes queries in place of the model's own encoder. It cannot be checked against the stamp
            unless `model` is given, too.
        document_encoder: Encodes documents in place of the model's own encoder.
        encoder_options: Options of `load_document_encoder`, among them `revision`, `token`, `cache_dir` and
            `local_files_only` for either side.
        client_options: Options of `opensearchpy.AsyncOpenSearch` where `url` is given, such as `http_auth`; by default
            a request takes 60 seconds at most and 20 connections are kept.
        prune: Which tokens are kept of the vectors that the store makes of documents, a property of the index: stamped
            by `create`, taken from the stamp where it is not given, and another one refused on writing. `Prune.parse`
            reads `none`, which demands an index that keeps every token. Vectors handed in are stored as they are.
        server_version: Version of a server that may not be asked for it, such as `3.6.0`; it is then asked for neither
            version nor plugins.
        vector_remedies: Ways out that a warning of documents without vectors names.
        server_encoding: The model in the server that encodes the documents: `create` then makes an ingest pipeline for
            the index, and texts without a vector are written for it to encode. An index that was made so says it in its
            stamp, and is opened without it. A store given a `document_encoder`, or options of one, encodes here all the
            same.

    Raises:
        TypeError: An unknown client option, key of a host or encoder option.
        ValueError: Neither a client nor a url, or both; or client options beside a client.

    Examples:
        >>> async with AsyncNeuralSparseStore("articles", url="http://localhost:9200", model="doc-v3-distill") as store:
        ...     await store.create()
        ...     await store.write(["A first text.", {"id": "2", "text": "Another.", "metadata": {"year": 2026}}])
        ...     hits = await store.search("first", filter={"range": {"year": {"gte": 2020}}})
    """

    def __init__(
        self,
        index: str,
        *,
        client: AsyncOpenSearch | None = None,
        url: str | None = None,
        model: str | Path | ModelSpec | None = None,
        schema: IndexSchema | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        client_options: Mapping[str, Any] | None = None,
        prune: Prune | None = None,
        server_version: str | None = None,
        vector_remedies: VectorRemedies = IN_THE_CORE,
        server_encoding: ServerEncoding | None = None,
    ) -> None:
        self._context = StoreContext(
            index,
            model=model,
            schema=schema,
            query_encoder=query_encoder,
            document_encoder=document_encoder,
            encoder_options=encoder_options,
            prune=prune,
            server_version=server_version,
            vector_remedies=vector_remedies,
            server_encoding=server_encoding,
        )
        self._driver = EventLoopDriver(self._context, client, url, client_options)

    def _begin(self) -> None:
        """Set nothing: context and driver begin by themselves."""

    def __repr__(self) -> str:
        name = self._context.encoders.model_name
        model = "" if name is None else f", model={name!r}"
        return f"{type(self).__name__}({self.index!r}, url={self._driver.address!r}{model})"

    @property
    def index(self) -> str:
        """Name of the index or alias, or a pattern."""
        return self._context.index

    @property
    def schema(self) -> IndexSchema:
        """Names and types of the fields, with what the stamp says once the index is open."""
        return self._context.schema

    @property
    def model_id(self) -> str | None:
        """Id of the model, as far as it is known without asking the server."""
        return self._context.encoders.model_id

    @property
    def is_creatable(self) -> bool:
        """Whether `create` can make the index: its name is that of one index, and a model was named."""
        return self._context.is_creatable

    def share_encoders(self, other: Any) -> None:
        """Encode with what another store of this model loads, so that a blocking and an awaited one load it once.

        Args:
            other: A store of the same model, blocking or awaited.
        """
        self._context.share_encoders(other._context)  # noqa: SLF001  the other half of a pair

    async def create(self, *, exist_ok: bool = False, settings: Mapping[str, Any] | None = None) -> None:
        """Create the index, bound to the model.

        Args:
            exist_ok: Whether an index that is there already is opened instead, if it belongs to the model.
            settings: Index settings, such as `{"number_of_shards": 1}`.

        Raises:
            IndexNotBoundError: No model was named.
            ServerRequestError: The index exists, or its settings are refused.
        """
        await self._driver.run(create_index(self._context, exist_ok=exist_ok, settings=settings))

    async def open(self, *, unbound: bool = False) -> IndexInfo:
        """Check the index and the model against each other; every operation does so first, once.

        Args:
            unbound: Whether the index may carry no model, for queries that the server encodes.

        Raises:
            IndexNotFoundError: There is no such index.
            IndexNotBoundError: The index carries no model and none was named.
            ModelMismatchError: The index belongs to another model.
            IndexSchemaError: The index is not of this layout.
        """
        return await self._driver.run(open_index(self._context, unbound=unbound))

    async def open_to_write(self) -> IndexInfo:
        """Open the index for a write; read it again if its name has another target.

        Raises:
            IndexSchemaError: The name has several indices behind it and no write index, or they are of several layouts.
            ModelMismatchError: The index belongs to another model, or the name has indices of several models.
        """
        return await self._driver.run(open_to_write(self._context))

    async def delete_index(self) -> None:
        """Delete the index and everything in it.

        Raises:
            IndexNotFoundError: There is no such index.
        """
        await self._driver.run(delete_index(self._context))

    async def close(self) -> None:
        """Close what was opened here: the client of a url, and the encoder that was loaded."""
        await self._driver.close()

    @property
    def connected_client(self) -> AsyncOpenSearch | None:
        """Return the client of the running event loop, or None where it has none yet."""
        return self._driver.connected_client()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def client(self) -> AsyncOpenSearch:
        """Return the client, made when it is first needed."""
        return await self._driver.client()

    async def server(self) -> ServerInfo:
        """Return what the server is, read once a client.

        Raises:
            UnsupportedServerError: Too old, or not OpenSearch.
        """
        return await self._driver.run(read_server(self._context))

    async def encode_query(self, text: str) -> SparseVector:
        """Return the token weights that `search` looks for a text by; none where the model knows no token of it.

        Args:
            text: The query.
        """
        return await self._driver.run(encode_query(self._context, text))

    async def tokenizer(self) -> SparseTokenizer:
        """Return the query tokenizer of the index's model."""
        return await self._driver.run(load_tokenizer(self._context))

    async def check_filter(self, filter: Filter | None) -> None:  # noqa: A002
        """Warn of a filter on fields that no index behind the name maps.

        Args:
            filter: A query clause, or a list of such.

        Raises:
            FilterSyntaxError: Such a field is one of the index behind the prefix that other libraries write.
        """
        await self._driver.run(check_filter(self._context, filter_clauses(filter)))

    async def declare_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Declare the fields of metadata that is about to be written in another way than by this store.

        `write` and `update_metadata` do so themselves. The first declaration of a new key decides its type, so that two
        programs cannot write values of two kinds to it.

        Args:
            metadata: Key -> value, as JSON has it.

        Raises:
            IndexSchemaError: A field holds values of another kind, or numbers that cannot be this one.
        """
        await self._driver.run(declare_metadata(self._context, metadata))

    async def write(
        self,
        documents: Iterable[Document],
        *,
        options: WriteOptions = DEFAULT_WRITE,
        info: IndexInfo | None = None,
    ) -> BulkReport:
        """Write documents, encoding those that have a text and no vector.

        Args:
            documents: Documents, mappings with the keys of `SparseDocument`, or texts; any iterable, read once, a batch
                at a time.
            options: How to write.
            info: The index that the documents were made for, as `open_to_write` returned it; nothing is written once
                the name has another target. By default it is opened here.

        Raises:
            BulkWriteError: Some documents were not written; its report says which and why, the others were.
            IndexSchemaError: A list of documents holds one that no index can take; none was written.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        return await self._driver.run(write_documents(self._context, documents, options, info))

    async def ingest(
        self, load: Load, *, options: WriteOptions = DEFAULT_WRITE, progress: Progress | None = None
    ) -> LoadReport:
        """Write the rows of a load that the index does not hold as they are.

        With a journal, the same call continues a load that ended early, whatever ended it: rows that the server has
        taken are neither encoded nor written again. Rows that fail are reported, and tried again by the next call.

        Args:
            load: The rows, their journal, and what happens to rows that fail.
            options: How to write.
            progress: Called with counts after each bulk request.

        Raises:
            JournalError: The journal cannot be used, or another program uses it.
            JournalMismatchError: The journal belongs to another source, index or model.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        return await self._driver.run(ingest(self._context, load, options, progress))

    async def load_target(self, source: str) -> LoadTarget:
        """Return what a journal of a load belongs to, for programs that begin a run of their own.

        Args:
            source: Name of the source.

        Raises:
            IndexNotFoundError: The index does not exist.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        return await self._driver.run(load_target(self._context, source))

    async def get(self, ids: Iterable[str], *, routing: str | None = None) -> list[SparseDocument]:
        """Return the documents of these ids, in this order; ids that are not there are left out.

        Args:
            ids: Their ids.
            routing: What they were written with (`WriteOptions.routing`).
        """
        return await self._driver.run(get_documents(self._context, ids, routing))

    async def scan(
        self,
        filter: Filter | None = None,  # noqa: A002
        *,
        page_size: int = 500,
        routing: str | None = None,
        preference: str | None = None,
    ) -> AsyncIterator[SparseDocument]:
        """Yield every document, or every one a filter lets through, as the index was when the first one was asked for.

        Documents come by id with all their vectors, in memory a page at a time. The server's resources are set free at
        the end, or when the iterator is closed.

        Args:
            filter: A query clause that documents satisfy, or a list of such, all of which they satisfy.
            page_size: Documents that are read at once, 1 to 10,000.
            routing: Only shards that hold documents of this routing are read.
            preference: Which copies of the shards are read, as in `RequestOptions.preference`.

        Raises:
            IndexSchemaError: A document of an index of several shards has no id field to order it by.
            PartialResultsError: Some shards failed.
        """
        steps = scan_documents(self._context, filter, page_size=page_size, routing=routing, preference=preference)
        async for document in self._driver.iterate(steps):
            yield document

    async def delete(self, ids: Iterable[str], *, refresh: Refresh = True, routing: str | None = None) -> int:
        """Delete documents by id and return how many there were; ids that are not there are no error.

        Args:
            ids: Their ids.
            refresh: When the deletions are seen by searches, as in `WriteOptions.refresh`.
            routing: What they were written with (`WriteOptions.routing`).

        Raises:
            BulkWriteError: Some deletions were refused or went without an answer.
        """
        return await self._driver.run(delete_documents(self._context, ids, refresh=refresh, routing=routing))

    async def count(self, filter: Filter | None = None, *, routing: str | None = None) -> int:  # noqa: A002
        """Return how many documents there are, or how many a filter lets through.

        Args:
            filter: A query clause that documents satisfy, or a list of such, all of which they satisfy.
            routing: Only shards that hold documents of this routing are asked.
        """
        return await self._driver.run(count_documents(self._context, filter, routing))

    async def refresh(self) -> None:
        """Make everything that was written searchable."""
        await self._driver.run(refresh_index(self._context))

    async def update_metadata(
        self,
        updates: Mapping[str, Mapping[str, Any]],
        *,
        replace: bool = False,
        options: WriteOptions = DEFAULT_WRITE,
    ) -> BulkReport:
        """Change the metadata of documents that are there, and keep their texts and vectors.

        The server applies each change to what the document holds at that moment, so changes by others are not lost; one
        that meets another of the same document is applied anew, five times at most.

        Args:
            updates: Id -> metadata. A key that is given replaces what it held, maps and lists whole; None removes it;
                keys that are not given stay.
            replace: Whether keys that are not given go, so that a document has the given metadata and no other.
            options: How to write; its `operation` has no say.

        Raises:
            BulkWriteError: Some documents were not changed, among them those that are not there
                (`document_missing_exception`); its report says which and why, the others were.
        """
        steps = update_metadata(self._context, updates, replace=replace, options=options)
        return await self._driver.run(steps)

    async def update_text(self, texts: Mapping[str, str], *, options: WriteOptions = DEFAULT_WRITE) -> BulkReport:
        """Give documents that are there other texts, encode these, and keep their metadata and dense vectors.

        The whole vector is replaced, so no token of the old text stays. As with `update_metadata`, the server applies
        each change to what the document holds at that moment.

        Args:
            texts: Id -> text.
            options: How to write; its `operation` has no say.

        Raises:
            BulkWriteError: Some documents were not changed, among them those that are not there
                (`document_missing_exception`); its report says which and why, the others were.
            IndexSchemaError: An id that no index can take, or a text that is none; nothing was changed.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        return await self._driver.run(update_text(self._context, texts, options))

    async def delete_matching(
        self,
        filter: Filter,  # noqa: A002
        *,
        refresh: bool = True,
        routing: str | None = None,
        timeout: float = 600.0,  # noqa: ASYNC109  the request's own
    ) -> int:
        """Delete every document that a filter lets through, and return how many there were.

        Documents that were written since the last refresh are not seen. One that is changed by others meanwhile is
        looked at again, three times at most.

        Args:
            filter: A query clause that documents satisfy, or a list of such, all of which they satisfy;
                `{"match_all": {}}` is every document.
            refresh: Whether the deletions are seen by searches when this returns.
            routing: Only shards that hold documents of this routing are looked at.
            timeout: Seconds to wait; after that the server goes on all the same.

        Raises:
            BulkWriteError: Some documents were changed by others each time; its report says how many were deleted.
            FilterSyntaxError: No filter.
            ServerConnectionError: No answer in time.
            ServerRequestError: The server could not delete some documents; others may be gone.
        """
        steps = delete_matching(self._context, filter, refresh=refresh, routing=routing, timeout=timeout)
        return await self._driver.run(steps)

    async def run(self, search: Search) -> SearchHits:
        """Run a search that was built as a value.

        Args:
            search: A `SparseSearch`, `HybridSearch`, `MatchSearch` or `CustomSearch`.

        Returns:
            Hits, best first.
        """
        return await self._driver.run(run_search(self._context, search))

    async def search(
        self,
        query: str | Mapping[str, float],
        *,
        size: int = 10,
        offset: int = 0,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions = DEFAULT_SEARCH,
        explain: bool = False,
        with_embedding: bool = False,
    ) -> SearchHits:
        """Search by sparse vectors.

        Args:
            query: A text, or its token weights.
            size: Most hits, 1 to 10,000.
            offset: How many hits to skip.
            filter: A query clause that hits satisfy, or a list of such, all of which they satisfy.
            options: How to search: in two phases, by fewer tokens, collapsed; and how the search travels.
            explain: Whether hits tell which tokens matched.
            with_embedding: Whether hits carry their dense vectors.

        Returns:
            Hits, best first; none where the query has no token that the model knows.
        """
        search = SparseSearch(
            query,
            size=size,
            offset=offset,
            filter=filter,
            explain=explain,
            with_embedding=with_embedding,
            options=options,
        )
        return await self.run(search)

    async def search_many(
        self,
        queries: Iterable[str | Mapping[str, float]],
        *,
        size: int = 10,
        offset: int = 0,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions = DEFAULT_SEARCH,
        explain: bool = False,
        with_embedding: bool = False,
    ) -> list[SearchHits]:
        """Search by several sparse vectors in one request.

        Args:
            queries: Texts, or token weights; texts are encoded together.
            size: Most hits of each query, 1 to 10,000.
            offset: How many hits of each query to skip.
            filter: A query clause that hits satisfy, or a list of such, all of which they satisfy.
            options: How to search by each query, and how the request travels.
            explain: Whether hits tell which tokens matched.
            with_embedding: Whether hits carry their dense vectors.

        Returns:
            The hits of each query, in the order of the queries, as `search` returns them.
        """
        page = SparseSearch(
            "",
            size=size,
            offset=offset,
            filter=filter,
            explain=explain,
            with_embedding=with_embedding,
            options=options,
        )
        return await self._driver.run(run_sparse_searches(self._context, queries, page))

    async def match_search(
        self,
        text: str,
        *,
        size: int = 10,
        offset: int = 0,
        filter: Filter | None = None,  # noqa: A002
        request: RequestOptions = DEFAULT_REQUEST,
        with_embedding: bool = False,
        language: str | None = None,
        aggregations: Aggregations | None = None,
        boosts: Sequence[Boost] = (),
        collapse: str | Collapse | None = None,
        rerank: Rerank | None = None,
        profile: bool = False,
    ) -> SearchHits:
        """Search `text` by words (BM25); the arguments are those of `search`, and some of its own.

        Args:
            text: The words.
            size: Most hits.
            offset: How many better ones are skipped.
            filter: A query clause, or a list of such.
            request: How the search travels.
            with_embedding: Whether hits come with their vectors.
            language: The language of the words, one of the index's; None takes the best of all.
            aggregations: Name -> aggregation in OpenSearch's syntax, over every document that matches.
            boosts: Boosts of the score by fields of documents, one after the other.
            collapse: A keyword or number field of which each value is found once, or a `Collapse`.
            rerank: How the best hits are reranked by their texts; None keeps the order of the search.
            profile: Whether `SearchHits.profile` says what was sent and how long each part took.

        Raises:
            IndexSchemaError: The index has no text by this language, or no field of a boost.
        """
        page: dict[str, Any] = {"size": size, "offset": offset, "filter": filter, "with_embedding": with_embedding}
        own: dict[str, Any] = {"language": language, "aggregations": aggregations, "rerank": rerank}
        shared: dict[str, Any] = {"request": request, "boosts": boosts, "collapse": collapse, "profile": profile}
        search = MatchSearch(text, **page, **own, **shared)
        return await self.run(search)

    async def custom_search(
        self,
        body: Mapping[str, Any],
        *,
        query: str | Mapping[str, float] | None = None,
        filter: Filter | None = None,  # noqa: A002
        request: RequestOptions = DEFAULT_REQUEST,
        server_query: ServerQuery | None = None,
        boosts: Sequence[Boost] = (),
        profile: bool = False,
    ) -> SearchHits:
        """Search by a user-supplied body with placeholders.

        Args:
            body: The body of a `_search`. Wherever it holds one of these strings as a value, that is filled in:
                `$sparse`, the query clause over the token weights of the query; `$text`, the text of the query;
                `$filters`, the filter as one query clause, which lets everything through where there is no filter.
                Vectors are left out of hits unless the body has a `_source` of its own.
            query: A text, or its token weights.
            filter: A query clause, or a list of such, all of which go where the body has `$filters`.
            request: How the search travels.
            server_query: What in the server encodes the text where the body has `$sparse`.
            boosts: Boosts of the scores of the body's query by fields of documents, one after the other.
            profile: Whether `SearchHits.profile` says what was sent and how long each part took.

        Returns:
            Hits, in the body's own order, with the server's whole `response` and its `aggregations`.

        Raises:
            ValueError: The query or the filter has no place in the body, nothing was given for a place of it, or boosts
                of a hybrid query.
            IndexSchemaError: The index has no field of a boost.
        """
        own: dict[str, Any] = {"request": request, "server_query": server_query, "boosts": boosts, "profile": profile}
        return await self.run(CustomSearch(body, query=query, filter=filter, **own))

    async def search_metadata(self, search: MetadataSearch) -> list[dict[str, Any]]:
        """Find rows of metadata by their words: the values that documents have of some fields, each combination once.

        Args:
            search: `MetadataSearch("python, active", fields=["category", "status"])`, with filter and options.

        Returns:
            Rows as field -> value, best first; a field that a document lacks is left out of its row.

        Raises:
            IndexSchemaError: A field that no index maps, that is no metadata, or that is not searched by words.
        """
        return await self._driver.run(search_metadata(self._context, search))

    async def hybrid_search(
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
        search = HybridSearch(
            query,
            size=size,
            offset=offset,
            filter=filter,
            options=options,
            vector=vector,
            explain=explain,
            with_embedding=with_embedding,
        )
        return await self.run(search)

    async def create_template(
        self,
        name: str,
        index_patterns: Iterable[str],
        *,
        settings: Mapping[str, Any] | None = None,
        priority: int = 100,
    ) -> None:
        """Create an index template, so that indices which the server creates (by a rollover, say) carry the model.

        The template holds what `create` would make. Every index that is made later by one of the names carries the
        model; those that are there already stay as they are. A store on an alias of such indices writes to its write
        index and searches all of them.

        Args:
            name: Name of the template; one of this name is replaced.
            index_patterns: Names of indices, such as `["articles-*"]`.
            settings: Index settings, such as `{"number_of_shards": 1}`.
            priority: Of several templates that match, the one of the highest priority counts, alone.

        Raises:
            IndexNotBoundError: No model was named.
            ServerRequestError: Another template of this priority matches the same names, or settings are refused.
        """
        steps = create_template(self._context, name, index_patterns, settings=settings, priority=priority)
        await self._driver.run(steps)

    async def warm_up(self) -> None:
        """Load an approximate index into memory, so that the first searches need not.

        Raises:
            IndexSchemaError: The index is searched exactly.
            ServerRequestError: Some shards failed.
            UnsupportedServerError: The server has no approximate indices.
        """
        await self._driver.run(warm_up_or_clear(self._context, "warmup"))

    async def clear_cache(self) -> None:
        """Evict an approximate index from the server's memory; the next search, or `warm_up`, loads it again.

        Raises:
            IndexSchemaError: The index is searched exactly.
            ServerRequestError: Some shards failed.
            UnsupportedServerError: The server has no approximate indices.
        """
        await self._driver.run(warm_up_or_clear(self._context, "clear_cache"))

    async def force_merge(self, *, max_segments: int = 1, timeout: float = 3600.0) -> None:  # noqa: ASYNC109  the request's own
        """Merge the segments of an index that is no longer written to: searches get faster, deletions free space.

        Approximate search depends on it most: what `SeismicParameters` say holds for each segment.

        Args:
            max_segments: Most segments that a shard has afterwards.
            timeout: Seconds to wait; after that the server goes on all the same.

        Raises:
            ServerConnectionError: No answer in time.
            ServerRequestError: Some shards failed.
        """
        await self._driver.run(force_merge(self._context, max_segments=max_segments, timeout=timeout))

    async def bind_model(self, *, sample: int = 100, verify: int = 0, replace: bool = False) -> ModelBinding:
        """Bind an existing index to this store's model, after a check of its vectors.

        With `server_encoding`, the server encodes its documents from then on: the pipeline is made, as by `create`, and
        becomes the index's default one. Vectors that are there stay as they are.

        Other programs' keys of the mapping's `_meta` stay. A program that writes `_meta` at the very same time can
        still undo the stamp: the server has no conditional update of a mapping.

        Args:
            sample: How many documents with a vector, drawn at random, are held against the model's vocabulary, 1 to
                10,000. Up to a thousand times as many are looked at until these are found. An index in which no
                document has a vector is stamped, since its first vectors will be this model's; one in which none was
                found although not all were looked at, or could be, is refused.
            verify: How many texts of the sample are encoded anew and compared with the weights that are stored. It
                tells models apart that share a vocabulary; it loads the document encoder.
            replace: Whether the stamp of another model is overwritten.

        Returns:
            The stamp.

        Raises:
            IndexNotBoundError: The store names no model.
            IndexSchemaError: The name covers several indices, the index is not of this layout, or no vector was found
                among the documents that were looked at.
            ModelMismatchError: Its vectors are not this model's, or it is stamped with another one.
        """
        steps = bind_model(self._context, sample=sample, verify=verify, replace_stamp=replace)
        return await self._driver.run(steps)

    async def add_field(
        self,
        name: str,
        *,
        model: str | Path | ModelSpec,
        encoder_options: Mapping[str, Any] | None = None,
        prune: Prune | None = None,
        options: WriteOptions = DEFAULT_WRITE,
        shards: Collection[int] | None = None,
    ) -> int:
        """Add a sparse field of another model to the index, and encode the documents it holds.

        From then on every store that opens the index writes both vectors, and `SparseLeg(field=name)` searches by the
        field's own model. Stores that were opened before know nothing of it: what they write lacks the field until this
        is called again, which encodes the documents that lack it and no others. A document that is written by others
        meanwhile is left as they wrote it, and reported as failed.

        Args:
            name: Name of the field; `<name>_model` names the model of each vector.
            model: The model.
            encoder_options: Options of `load_document_encoder` for it.
            prune: Which tokens are kept of the vectors; None keeps all.
            options: How documents are written; `batch_size` of them are read, encoded and written at a time.
            shards: Numbers of the shards whose documents are encoded, so that several processes share the work; none
                at all only adds the field, which comes first. None encodes the documents of all, those that are left.

        Returns:
            How many documents were encoded.

        Raises:
            BulkWriteError: Some documents were not written.
            IndexSchemaError: The name covers several indices, or the index cannot have such a field.
            ModelMismatchError: The field is there and belongs to another model.
            ValueError: The index has no such shard.
        """
        encoders = Encoders(model, None, None, encoder_options, prune)
        return await self._driver.run(add_field(self._context, name, encoders, options=options, shards=shards))

    async def reindex_with_model(
        self,
        target: str,
        *,
        model: str | Path | ModelSpec | None = None,
        alias: str | None = None,
        on_missing_text: MissingText = "raise",
        prune: Prune | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        options: WriteOptions = DEFAULT_WRITE,
        shards: Collection[int] | None = None,
    ) -> ReindexReport:
        """Reindex the documents into a new index of another model, from their texts.

        Ids, routing, metadata and dense vectors go over as they are, mapping and settings too. Writes to the source are
        refused meanwhile (`index.blocks.write`), and pass again at the end, after an error as well; searches go on.
        After an interruption the same call goes on: what the target holds already, unchanged, is not encoded again, and
        once the alias was moved nothing is copied any more. A process that is killed leaves the source blocked until
        that call, or until the setting is removed.

        With `shards`, a call copies the documents of these shards alone, and neither refuses writes nor moves the
        alias: several processes share the work, each with other shards. A call without it, when they are done, copies
        what is left or has changed since, and ends as described. `reindex_by_ray` makes these calls.

        Args:
            target: Name of the new index.
            model: The new model.
            alias: An alias that is moved from the source to the target, in one request, once both hold as many
                documents; None moves none.
            on_missing_text: `raise` refuses an index of which documents have no text, before anything is made; `keep`
                copies them without a vector.
            prune: Which tokens are kept of the vectors; None keeps all.
            document_encoder: Encodes documents in place of the model's own encoder.
            encoder_options: Options of `load_document_encoder` for the new model.
            options: How documents are written; `batch_size` of them are read, encoded and written at a time.
            shards: Numbers of the source's shards to copy now; none at all only makes the target, which comes first.
                None copies all and ends.

        Raises:
            BulkWriteError: Some documents were not written.
            IndexSchemaError: The source is several indices, documents have no text, the target is there and is no
                unfinished copy of it, or the counts differ at the end.
            ValueError: The source has no such shard.
        """
        encoders = Encoders(model, None, document_encoder, encoder_options, prune)
        choices: dict[str, Any] = {"alias": alias, "on_missing_text": on_missing_text, "shards": shards}
        return await self._driver.run(reindex(self._context, target, encoders, options=options, **choices))
