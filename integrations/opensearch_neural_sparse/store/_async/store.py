"""An index with its model, over an asynchronous client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, ServerRequestError, UnsupportedServerError
from opensearch_neural_sparse.search.filters.filter_clauses import Filter
from opensearch_neural_sparse.search.options.legs import embedded, has_embedder
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH, HybridOptions, SearchOptions
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.store._async.model import AsyncBoundDocuments
from opensearch_neural_sparse.store.context import DEFAULT_HYBRID
from opensearch_neural_sparse.store.operations.search import MAX_ATTEMPTS, Ask


class AsyncNeuralSparseStore(AsyncBoundDocuments):
    """An index with the model that its sparse field belongs to: `NeuralSparseStore` for asynchronous programs.

    Its methods are those of `NeuralSparseStore`, awaited. Neural networks and embedders of dense legs run in worker
    threads, the table of a doc-only query in place. Tasks may share a store; event loops that follow one another may,
    too, if it was given a url: it then has a client in each loop, closed with the store or else with the loop.
    It is copied and pickled as the other one is.

    Args:
        index: Name of an index or alias, or a pattern. Where it leads to indices of several models, each is searched
            by its own, and those with chunks apart from those without; what they find is fused by reciprocal ranks.
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

    Raises:
        ValueError: Neither a client nor a url, or both.

    Examples:
        >>> async with AsyncNeuralSparseStore("articles", url="http://localhost:9200") as store:
        ...     hits = await store.search("first", filter={"range": {"year": {"gte": 2020}}})
    """

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
        wanted = SearchPage(size=size, offset=offset, filter=filter, explain=explain, with_embedding=with_embedding)
        return (await self._search(wanted, self._ask_sparse([query], wanted, options, alone=True)))[0]

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
        wanted = SearchPage(size=size, offset=offset, filter=filter, explain=explain, with_embedding=with_embedding)
        return await self._search(wanted, self._ask_sparse(queries, wanted, options))

    async def match_search(
        self,
        text: str,
        *,
        size: int = 10,
        offset: int = 0,
        filter: Filter | None = None,  # noqa: A002
        request: RequestOptions = DEFAULT_REQUEST,
        with_embedding: bool = False,
    ) -> SearchHits:
        """Search `text` by words (BM25); the arguments are those of `search`, and `request`, how the search travels."""
        wanted = SearchPage(size=size, offset=offset, filter=filter, with_embedding=with_embedding)
        return (await self._search(wanted, self._ask_match(text, wanted, request)))[0]

    async def custom_search(
        self,
        body: Mapping[str, Any],
        *,
        query: str | Mapping[str, float] | None = None,
        filter: Filter | None = None,  # noqa: A002
        request: RequestOptions = DEFAULT_REQUEST,
    ) -> SearchHits:
        """Search by a body of one's own, for whatever the other searches do not offer.

        Args:
            body: The body of a `_search`. Wherever it holds one of these strings as a value, that is filled in:
                `$sparse`, the query clause over the token weights of the query; `$text`, the text of the query;
                `$filters`, the filter as one query clause, which lets everything through where there is no filter.
                Vectors are left out of hits unless the body has a `_source` of its own.
            query: A text, or its token weights.
            filter: A query clause, or a list of such, all of which go where the body has `$filters`.
            request: How the search travels.

        Returns:
            Hits, in the body's own order, with the server's whole `response` and its `aggregations`.

        Raises:
            ValueError: The query or the filter has no place in the body, or nothing was given for a place of it.
        """
        wanted = SearchPage(filter=filter)
        return (await self._search(wanted, self._ask_custom(body, query, wanted, request)))[0]

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
        wanted = SearchPage(size=size, offset=offset, filter=filter, explain=explain, with_embedding=with_embedding)
        self._ask_hybrid(query, vector, wanted, options)  # which refuses what is wrong before anything is awaited
        await self._check_legs(options.legs)
        options = replace(options, legs=await embedded(options.legs, query))
        ask = self._ask_hybrid(query, vector, wanted, options)
        return (await self._search(wanted, ask, slow=has_embedder(options.legs)))[0]

    async def _search(self, wanted: SearchPage, ask: Ask, *, slow: bool = False) -> list[SearchHits]:
        found = await self._answers(ask, slow=slow)
        await self._check_fields(wanted.clauses, found)
        return found

    async def _answers(self, ask: Ask, *, slow: bool) -> list[SearchHits]:
        for _ in range(MAX_ATTEMPTS):
            state, server = await self.open(), await self.server()
            questions = await self._encoding(partial(ask, server, state), slow=slow)
            if questions.is_empty:
                return questions.nothing
            try:
                async with self._asking() as client:
                    answers = questions.read(server, await questions.send(client))
            except (IndexNotFoundError, ServerRequestError, UnsupportedServerError) as error:
                if self._is_retryable(error, server, state):
                    continue
                if not self._may_be_stale(error, state) or self._refresh(state, await self._look()):
                    raise
                continue
            if answers.is_empty and not await self._still_leads_to(state):
                self._forget()
            elif not self._has_unexpected(answers) or self._refresh(state, await self._look(), answers.unexpected):
                return answers.hits
        raise self._index_keeps_changing()
