"""Vector store of sparse vectors in an OpenSearch index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStoreRetriever

from langchain_opensearch_neural_sparse.async_methods import AsyncMethods
from langchain_opensearch_neural_sparse.constructors import Constructors
from langchain_opensearch_neural_sparse.documents import DocumentMapper, to_document
from langchain_opensearch_neural_sparse.retrieval_modes import RetrievalMode, RetrievalModeLike, check_mode
from langchain_opensearch_neural_sparse.retrievers.base import NeuralSparseRetriever
from langchain_opensearch_neural_sparse.retrievers.fenced import FencedRetriever
from langchain_opensearch_neural_sparse.retrievers.hybrid import OpenSearchNeuralSparseHybridRetriever
from langchain_opensearch_neural_sparse.retrievers.sparse import OpenSearchNeuralSparseRetriever
from langchain_opensearch_neural_sparse.store_pair import StorePair
from langchain_opensearch_neural_sparse.sync_methods import SyncMethods
from opensearch_neural_sparse import IndexSchema, ModelSpec, ServerEncoding, WriteOptions
from opensearch_neural_sparse.layer_support import check_mapping, check_text, check_type, shown_value

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch, OpenSearch

    from opensearch_neural_sparse import AsyncNeuralSparseStore, DocumentEncoder, NeuralSparseStore, Prune, QueryEncoder

OWN_RETRIEVERS: dict[str, type[NeuralSparseRetriever]] = {
    "sparse": OpenSearchNeuralSparseRetriever,
    "hybrid": OpenSearchNeuralSparseHybridRetriever,
}
"""Search type -> retriever of this layer."""


class OpenSearchNeuralSparseVectorStore(SyncMethods, AsyncMethods, Constructors):
    """Vector store of documents in OpenSearch, searched by the tokens of a neural sparse model.

    Texts are encoded here, by the model that the index is bound to, or by the server where the index says so; queries
    of a doc-only model need its tokenizer and a table, no transformer. Making a vector store does nothing: the first
    operation connects, and the first write makes the index if there is none. Reading from an index that is not there
    yet finds nothing, with one `IndexNotFoundWarning`; where no write would make it, since it is a list or a pattern or
    no model is named, it is an `IndexNotFoundError`.

    Every method has its asynchronous twin, which awaits a client of its own in each event loop.

    A deep copy and an unpickled vector store open clients and load a model of their own when they are first used. A
    client that is handed in is shared by copies, and cannot be pickled; a pickle holds the client options, the password
    among them.

    Args:
        index: Index or alias. Not needed where stores of the core are given.
        retrieval_mode: How documents are found for a text: `sparse`, `bm25`, `hybrid` or `dense`, by similarity
            searches, the retrievers over them, and with aggregations. Token weights, mmr, relevance scores and the
            search types `sparse` and `hybrid` have searches of their own.
        embedding: Dense model of a dense leg beside the sparse vectors, which needs
            `schema=IndexSchema(embedding_dimension=...)`.
        model: Name, hub id or folder of the model; by default the one that the index is bound to.
        url: Address of the server, such as `http://localhost:9200`, for either side that has no client. Without it, a
            client and a store, it is that of `OPENSEARCH_URL`, with the login of the other variables of `ClientLogin`,
            such as `OPENSEARCH_API_KEY`, unless `client_options` hold one.
        client: Client to use in place of `url`; it is not closed here.
        async_client: Client of the asynchronous methods to use in place of `url`; it is not closed here.
        schema: Names and types of the index's fields.
        prune: Which tokens of the documents' vectors are kept.
        query_encoder: Encodes queries in place of the model's own.
        document_encoder: Encodes documents in place of the model's own.
        encoder_options: Options of `load_document_encoder`, such as `{"engine": "onnx"}`.
        server_encoding: The model in the server that encodes the documents of an index that is made here: a
            `ServerEncoding`, the server's id of the model, or a mapping such as `{"model_id": id, "batch_size": 20}`;
            with `"chunking": "fixed_token_length:200"` the server cuts texts into passages first.
            An index that was made so is opened without it.
        client_options: Options of the clients that are made for `url`, such as `{"http_auth": ("user", "password")}`,
            `{"http_auth": AwsAuth("eu-central-1")}` or `{"ca_certs": "root-ca.pem"}`. `ClientLogin(api_key=...)`
            makes them of keys, tokens and certificates.
        write_options: How documents are written.
        settings: Index settings, such as `{"number_of_shards": 1}`, for the index that the first write makes; one that
            is there keeps its own.
        document_mapper: Makes documents of what the index holds, in place of text, id and metadata as they are.
        store: A store of the core to use in place of all that names or opens an index; it is not closed here.
        async_store: The same for the asynchronous methods.

    Raises:
        ValueError: No index or no client, or both these and stores of the core; a dense model without its dimension, or
            the mode `dense` without a dense model; or an unknown mode.
        TypeError: An unknown client option or encoder option.

    Examples:
        ```python
        vectorstore = OpenSearchNeuralSparseVectorStore("articles", model="doc-v3-distill", url=url)
        vectorstore.add_documents([Document(page_content="Cats purr.", metadata={"lang": "en"})])
        vectorstore.similarity_search("why do cats purr", k=3, filter={"lang": "en"})
        ```
    """

    def __init__(
        self,
        index: str | None = None,
        *,
        retrieval_mode: RetrievalModeLike = RetrievalMode.SPARSE,
        embedding: Embeddings | None = None,
        model: str | Path | ModelSpec | None = None,
        url: str | None = None,
        client: OpenSearch | None = None,
        async_client: AsyncOpenSearch | None = None,
        schema: IndexSchema | None = None,
        prune: Prune | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        server_encoding: ServerEncoding | Mapping[str, Any] | str | None = None,
        client_options: Mapping[str, Any] | None = None,
        write_options: WriteOptions | None = None,
        settings: Mapping[str, Any] | None = None,
        document_mapper: DocumentMapper = to_document,
        store: NeuralSparseStore | None = None,
        async_store: AsyncNeuralSparseStore | None = None,
    ) -> None:
        clients: dict[str, Any] = {"url": url, "client": client, "async_client": async_client}
        options: dict[str, Any] = {
            "model": model,
            "schema": schema,
            "prune": prune,
            "query_encoder": query_encoder,
            "document_encoder": document_encoder,
            "encoder_options": encoder_options,
            "server_encoding": ServerEncoding.parse(server_encoding),
        }
        if store is None and async_store is None:
            self.stores = StorePair.make(_named(index), **clients, client_options=client_options, options=options)
        else:
            _refuse_beside_stores(index=index, **clients, client_options=client_options, **options)
            self.stores = StorePair(store, async_store, owned=False)
        self._embedding = _checked(embedding, self.stores.schema)
        check_type(WriteOptions, optional=True, write_options=write_options)
        check_mapping(optional=True, settings=settings)
        self._mode = RetrievalMode(retrieval_mode)
        check_mode(self._mode, embedding)
        self._write_options = write_options or WriteOptions()
        self._settings = settings
        self.document_mapper = document_mapper

    def __repr__(self) -> str:
        return self.stores.show(self)

    def as_retriever(self, **kwargs: Any) -> BaseRetriever:  # type: ignore[override]  # two kinds are none of LangChain's
        """Return a retriever over this store.

        Args:
            **kwargs: `search_type`: `similarity`, `mmr` and `similarity_score_threshold` give LangChain's own
                retriever, `sparse` and `hybrid` those of this layer. `search_kwargs`: keywords of the search, such as
                `k` and `filter`; a filter there holds in every call, which narrows it. `tags` and `metadata`.

        Raises:
            TypeError: An unknown argument.
            ValueError: An unknown `search_type`.
        """
        kind = kwargs.get("search_type", "similarity")
        if (retriever := _own_retriever(kind)) is None:
            _refuse_unknown_fields(kwargs)
            tags = kwargs.pop("tags", None) or self._get_retriever_tags()
            return FencedRetriever(vectorstore=self, tags=tags, **kwargs)
        fields = {name: value for name, value in kwargs.items() if name not in ("search_type", "search_kwargs")}
        return retriever(vectorstore=self, **fields, **(kwargs.get("search_kwargs") or {}))

    def search(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Return documents by any `search_type` of `as_retriever`.

        Args:
            query: Text.
            search_type: `similarity`, `mmr`, `similarity_score_threshold`, `sparse` or `hybrid`.
            **kwargs: Keywords of the search, such as `k` and `filter`; of `sparse` and `hybrid` those of the retriever.

        Raises:
            ValueError: An unknown `search_type`.
        """
        if (retriever := _own_retriever(search_type)) is None:
            return super().search(query, search_type, **kwargs)
        return retriever(vectorstore=self, **kwargs).invoke(query)

    async def asearch(self, query: str, search_type: str, **kwargs: Any) -> list[Document]:
        """Run `search` asynchronously."""
        if (retriever := _own_retriever(search_type)) is None:
            return await super().asearch(query, search_type, **kwargs)
        return await retriever(vectorstore=self, **kwargs).ainvoke(query)


def _own_retriever(search_type: str) -> type[NeuralSparseRetriever] | None:
    """Return this layer's retriever for a search type, or None if LangChain's own applies.

    Raises:
        ValueError: Neither does.
    """
    known = (*VectorStoreRetriever.allowed_search_types, *OWN_RETRIEVERS)
    check_text(search_type=search_type)
    if search_type not in known:
        raise ValueError(f"search_type is one of {', '.join(known)}; got {shown_value(search_type)}.")
    return OWN_RETRIEVERS.get(search_type)


def _named(index: str | None) -> str:
    if index is None:
        raise ValueError("Name the index, as in OpenSearchNeuralSparseVectorStore('articles', url=...).")
    return index


def _refuse_unknown_fields(given: Mapping[str, Any]) -> None:
    """Raise TypeError for a keyword that LangChain's retriever would ignore."""
    if unknown := [name for name in given if name not in VectorStoreRetriever.model_fields]:
        raise TypeError(
            f"as_retriever() has no argument {', '.join(map(repr, unknown))}. Keywords of the search, such as k and "
            "filter, go into search_kwargs={...}."
        )


def _refuse_beside_stores(**options: Any) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ValueError(f"A store was given, which has its own {', '.join(given)}; leave these out.")


def _checked(embedding: Embeddings | None, schema: IndexSchema) -> Embeddings | None:
    if embedding is not None and schema.embedding_dimension is None:
        raise ValueError(
            f"embedding is {type(embedding).__name__}, a dense model, for a leg beside the sparse one. The index needs "
            "its dimension: schema=IndexSchema(embedding_dimension=384). The sparse model is model='...'."
        )
    return embedding
