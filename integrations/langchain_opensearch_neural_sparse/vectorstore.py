"""A vector store whose vectors are token weights in an OpenSearch index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.runnables.config import run_in_executor

from langchain_opensearch_neural_sparse.operations import NeuralSparseOperations
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.models.spec import ModelSpec
from opensearch_neural_sparse.store.options import WriteOptions
from opensearch_neural_sparse.store.sync import NeuralSparseStore

if TYPE_CHECKING:
    from typing import TypeVar

    from opensearchpy import OpenSearch

    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder

    _Store = TypeVar("_Store", bound="OpenSearchNeuralSparseVectorStore")


class OpenSearchNeuralSparseVectorStore(NeuralSparseOperations):
    """Documents in OpenSearch, found by the tokens that a neural sparse model gives them.

    Texts are encoded here, by the model that the index is bound to; queries of a doc-only model need its tokenizer and
    a table, no transformer. Making a vector store does nothing: the first operation connects, and the first write
    makes the index if there is none. Reading from an index that is not there finds nothing.

    Every method has its asynchronous twin, which runs it in a worker thread.

    Args:
        index: Index or alias. Not needed where `store` is given.
        model: Name, hub id or folder of the model; by default the one that the index is bound to.
        url: Address of the server, such as `http://localhost:9200`.
        client: Client to use in place of `url`; it is not closed here.
        schema: Names and types of the index's fields.
        query_encoder: Encodes queries in place of the model's own.
        document_encoder: Encodes documents in place of the model's own.
        encoder_options: Options of `load_document_encoder`, such as `{"engine": "onnx"}`.
        client_options: Options of the client that is made for `url`, such as `{"http_auth": ("user", "password")}`.
        write_options: How documents are written.
        store: A store of the core to use in place of all the above; it is not closed here.

    Attributes:
        store: The store of the core that does the work, and all that LangChain has no word for.

    Examples:
        ```python
        vectorstore = OpenSearchNeuralSparseVectorStore("articles", model="doc-v3-distill", url=url)
        vectorstore.add_documents([Document(page_content="Cats purr.", metadata={"lang": "en"})])
        vectorstore.similarity_search("why do cats purr", k=3, filter={"term": {"lang": "en"}})
        ```
    """

    def __init__(
        self,
        index: str | None = None,
        *,
        model: str | Path | ModelSpec | None = None,
        url: str | None = None,
        client: OpenSearch | None = None,
        schema: IndexSchema | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        client_options: Mapping[str, Any] | None = None,
        write_options: WriteOptions | None = None,
        store: NeuralSparseStore | None = None,
    ) -> None:
        options = {
            "model": model,
            "url": url,
            "client": client,
            "schema": schema,
            "query_encoder": query_encoder,
            "document_encoder": document_encoder,
            "encoder_options": encoder_options,
            "client_options": client_options,
        }
        self._write_options = write_options or WriteOptions()
        self._owns_store = store is None
        self.store = _make_store(index, options) if store is None else _given_store(store, index, options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.store.index!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection and the model that were opened here."""
        if self._owns_store:
            self.store.close()

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a vector store and add texts to it.

        Args:
            texts: Texts; consumed once.
            embedding: None; where LangChain puts a dense model, which this store does not use.
            metadatas: Metadata, one for each text.
            ids: Ids, one for each text; one is made where it is None.
            **kwargs: Arguments of the constructor.

        Raises:
            ValueError: A dense model was given, or the counts differ.
            BulkWriteError: Some documents were not written.
        """
        _refuse_dense(embedding)
        with _closed_on_error(cls(**kwargs)) as vectorstore:
            vectorstore.add_texts(texts, metadatas, ids=ids)
        return vectorstore

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a vector store and add documents to it; the arguments are those of `from_texts`."""
        _refuse_dense(embedding)
        with _closed_on_error(cls(**kwargs)) as vectorstore:
            vectorstore.add_documents(documents, ids=ids)
        return vectorstore

    @classmethod
    def from_existing_index(cls, index: str, **kwargs: Any) -> Self:
        """Open an index that exists, and check its fields and its model.

        Args:
            index: Index or alias.
            **kwargs: Arguments of the constructor.

        Raises:
            IndexNotFoundError: There is no such index.
            IndexNotBoundError: It carries no model, and none is given.
            ModelMismatchError: It is bound to another model than the one given.
        """
        with _closed_on_error(cls(index, **kwargs)) as vectorstore:
            vectorstore.store.open()
        return vectorstore

    @classmethod
    async def afrom_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Do what `from_texts` does, in a worker thread."""
        return await run_in_executor(None, cls.from_texts, texts, embedding, metadatas, ids=ids, **kwargs)

    @classmethod
    async def afrom_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Do what `from_documents` does, in a worker thread."""
        return await run_in_executor(None, cls.from_documents, documents, embedding, ids=ids, **kwargs)

    @classmethod
    async def afrom_existing_index(cls, index: str, **kwargs: Any) -> Self:
        """Do what `from_existing_index` does, in a worker thread."""
        return await run_in_executor(None, cls.from_existing_index, index, **kwargs)

    async def aclose(self) -> None:
        """Do what `close` does, in a worker thread."""
        await run_in_executor(None, self.close)


@contextmanager
def _closed_on_error(vectorstore: _Store) -> Iterator[_Store]:
    with ExitStack() as stack:
        stack.callback(vectorstore.close)
        yield vectorstore
        stack.pop_all()


def _make_store(index: str | None, options: Mapping[str, Any]) -> NeuralSparseStore:
    if index is None:
        raise ValueError("Name the index, as in OpenSearchNeuralSparseVectorStore('articles', url=...).")
    return NeuralSparseStore(index, **options)


def _given_store(store: NeuralSparseStore, index: str | None, options: Mapping[str, Any]) -> NeuralSparseStore:
    given = [name for name, value in {"index": index, **options}.items() if value is not None]
    if given:
        raise ValueError(f"A store was given, which has its own {', '.join(given)}; leave these out.")
    return store


def _refuse_dense(embedding: Embeddings | None) -> None:
    if embedding is not None:
        raise ValueError(
            f"embedding is {type(embedding).__name__}, a dense model; this store holds token weights alone. "
            "Leave it out, or pass None, and name the sparse model: model='...'."
        )
