"""What is public and needs no server: classes, functions, and methods of values."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import opensearch_neural_sparse as core
from tests.campaigns.stores import encoder
from tests.campaigns.targets.target import Target, target
from tests.paths import ROOT, SMALL_MODEL

PUBLIC_NAMES = ROOT / "tests" / "packaging" / "public_names.json"
LEFT_OUT = {
    "ingest_dataset": "starts Ray",
    "reindex_by_ray": "starts Ray",
    "add_field_by_ray": "starts Ray",
    "CrossEncoderReranker": "loads a transformer",
    "OnProgress": "a type alone",
}
"""Public names that are not called, and why."""
SHA = "0" * 64
RETRIEVERS = ("OpenSearchNeuralSparseRetriever", "OpenSearchNeuralSparseHybridRetriever")
BM25_RETRIEVER = "OpenSearchNeuralSparseBM25Retriever"
METADATA_RETRIEVER = "OpenSearchNeuralSparseMetadataRetriever"
SUPER_COMPONENTS = ("OpenSearchNeuralSparseIndexer", "OpenSearchNeuralSparseHybridSearch")


def targets() -> Iterator[Target]:
    """Yield every public callable that needs no server."""
    for module, names in json.loads(PUBLIC_NAMES.read_text()).items():
        found = importlib.import_module(module)
        for name in names:
            value = getattr(found, name)
            if name not in LEFT_OUT and callable(value) and not _is_a_type_alone(value):
                full = f"{module.split('.')[0]}.{name}"
                yield target(full, value, _RIGHT.get(full) or _RIGHT.get(name, dict))
    yield from methods()


def methods() -> Iterator[Target]:
    """Yield the methods of values."""
    vector, tokenizer, query = (
        core.SparseVector({"x": 1.0, "y": 2.0}),
        _tokenizer(),
        core.load_query_encoder(SMALL_MODEL),
    )
    binding = core.ModelBinding.of(_files(), text_field="content")
    calls: list[tuple[Callable[..., Any], Mapping[str, Any]]] = [
        (vector.dot, {"other": {"x": 1.0}}),
        (vector.top, {"count": 1}),
        (vector.to_ids, {"vocabulary": {"x": 1, "y": 2}}),
        (core.SparseVector.from_ids, {"indices": [0], "values": [1.0], "tokens": ["x"]}),
        (tokenizer.query_ids, {"text": "x"}),
        (tokenizer.batch_query_ids, {"texts": ["x"]}),
        (tokenizer.batch_document_ids, {"texts": ["x"]}),
        (tokenizer.batch_cut_documents, {"texts": ["x"]}),
        (tokenizer.dropped_tokens, {"text": "x"}),
        (tokenizer.token_places, {"text": "x"}),
        (tokenizer.token_spans, {"text": "x"}),
        (core.SparseTokenizer.from_file, {"path": _files().query_tokenizer}),
        (query.encode_query, {"text": "x"}),
        (query.encode_queries, {"texts": ["x"]}),
        (core.Prune.parse, {"value": "none"}),
        (core.SparseDocument.of, {"document": "x"}),
        (core.IndexSchema().is_reserved, {"key": "x"}),
        (core.ServerInfo.named, {"number": "3.6.0"}),
        (core.ServerInfo.from_responses, {"info": {"version": {"number": "3.6.0", "distribution": "opensearch"}}}),
        (core.ModelBinding.from_meta, {"stamp": binding.to_meta()}),
        (core.ModelBinding.of, {"files": _files(), "text_field": "content"}),
        (core.WriteOptions().backoff, {"attempt": 1}),
    ]
    for call, right in calls:
        yield target(call.__qualname__, call, lambda right=right: right)


def _is_a_type_alone(value: Any) -> bool:
    is_error = inspect.isclass(value) and issubclass(value, BaseException)
    return is_error or bool(getattr(value, "_is_protocol", False))


@cache
def _files() -> core.ModelFiles:
    return core.resolve_files(core.get_model(SMALL_MODEL))


@cache
def _tokenizer() -> core.SparseTokenizer:
    found = core.load_query_encoder(SMALL_MODEL)
    return found.tokenizer  # type: ignore[attr-defined,no-any-return]


def _remote() -> dict[str, Any]:
    return {"files": _files(), "connection": None, "info": None, "interface": None, "options": core.RemoteOptions()}


def _word_engine() -> dict[str, Any]:
    return {"files": _files(), "tokenizer": _tokenizer(), "network": None, "batch_tokens": 100}


class _Client:
    """What stands for a client where none is called."""


_RIGHT: dict[str, Callable[[], dict[str, Any]]] = {
    "AsyncBulkSender": lambda: {"client": _Client(), "index": "campaign-x"},
    "BulkSender": lambda: {"client": _Client(), "index": "campaign-x"},
    "AsyncNeuralSparseStore": lambda: {"index": "campaign-x", "url": "http://localhost:1"},
    "NeuralSparseStore": lambda: {"index": "campaign-x", "url": "http://localhost:1"},
    "BgeM3DocumentEncoder": _word_engine,
    "WordDocumentEncoder": _word_engine,
    "Bound": lambda: {"mode": "apply"},
    "BulkFailure": lambda: {"id": "1", "status": 400, "error_type": "x", "reason": "y"},
    "CachedDocumentEncoder": lambda: {"encoder": encoder(), "path": ":memory:"},
    "Chunk": lambda: {"id": "1", "number": 0, "text": "x", "start": 0, "end": 1},
    "ChunkHit": lambda: {"number": 0, "start": 0, "end": 1, "score": 1.0},
    "Collapse": lambda: {"field": "year"},
    "CustomSearch": lambda: {"body": {"query": {"match_all": {}}}},
    "DeadLetter": lambda: {"id": "1", "place": "x:1", "stage": "read", "reason": "y"},
    "DeployedModel": lambda: {"name": "x", "model_id": "y", "query_model_id": "z"},
    "DocumentChunk": lambda: {"start": 0, "end": 1, "vector": {"x": 1.0}},
    "FieldBoost": lambda: {"field": "year"},
    "FieldVector": lambda: {"vector": {"x": 1.0}},
    "HybridSearch": lambda: {"query": "x"},
    "MatchSearch": lambda: {"text": "x"},
    "MetadataSearch": lambda: {"text": "x", "fields": ["topic"]},
    "SparseSearch": lambda: {"query": "x"},
    "IdfQueryEncoder": lambda: {"tokenizer": _tokenizer(), "weights": [1.0] * len(_tokenizer().vocabulary)},
    "IndexJournal": lambda: {"index": "campaign-x", "url": "http://localhost:1"},
    "JournalStatus": lambda: {"target": None, "rows": 0, "runs": 0, "finished": False, "last": 0},
    "Load": lambda: {"rows": []},
    "LoadTarget": lambda: {"source": "x", "index": "y", "uuid": "z", "model": "m"},
    "LegScore": lambda: {"score": 1.0},
    "ModelBinding": lambda: {
        "model": "x", "query_sha256": SHA, "weights_sha256": SHA, "mode": "doc-only", "activation": "relu",
        "max_length": 512, "text_field": "content",
    },
    "ModelFiles": lambda: {"spec": core.get_model(SMALL_MODEL), "root": Path(), "query_tokenizer": Path("x")},
    "ModelSpec": lambda: {
        "id": "x/y", "name": "y", "mode": "doc-only", "activation": "relu", "vocabulary_size": 10,
    },
    "NeuralQueryEncoder": lambda: {"engine": encoder()},
    "OnePassEncoder": lambda: {"encoder": encoder()},
    "ProfiledRequest": lambda: {"path": "/x/_search"},
    "ProfiledSearch": lambda: {"purpose": "hits"},
    "Prune": lambda: {"type": "max_ratio", "ratio": 0.1},
    "PublishedScores": lambda: {"benchmark": "beir"},
    "RecencyBoost": lambda: {"field": "day", "scale": "1d"},
    "Recommendation": lambda: {"choice": core.get_model(SMALL_MODEL), "runners_up": (), "reasons": ()},
    "RefusedRow": lambda: {"place": "x:1", "reason": "y"},
    "ReindexReport": lambda: {"index": "x", "documents": 1},
    "RemoteDocumentEncoder": _remote,
    "RemoteReranker": lambda: {"url": "http://localhost:1"},
    "Rerank": lambda: {"reranker": len},
    "SearchHit": lambda: {"id": "1", "score": 1.0},
    "SemanticField": lambda: {"model_id": "x"},
    "ServerEncoding": lambda: {"model_id": "x"},
    "ServerInfo": lambda: {"version": (3, 6, 0)},
    "ServerModels": lambda: {"url": "http://localhost:1"},
    "SourceRow": lambda: {"place": "x:1", "document": core.SparseDocument(id="1")},
    "SparseTokenizer": lambda: {"tokenizer": _raw_tokenizer()},
    "SqliteJournal": lambda: {"path": "/tmp/campaign-journal"},
    "TextVectors": lambda: {"sparse": core.SparseVector(), "dense": []},
    "TokenMatch": lambda: {"token": "x", "query_weight": 1.0, "document_weight": 1.0, "score": 1.0},
    "UniCoilQueryEncoder": lambda: {"engine": encoder()},
    "WordQueryEncoder": lambda: {"tokenizer": _tokenizer()},
    "WordTokenizer": lambda: {"tokenizer": _raw_tokenizer()},
    "chunk_text": lambda: {"text": "a stone in a river", "tokenizer": _tokenizer(), "document_id": "1"},
    "encode_with_dense": lambda: {"encoder": encoder(), "texts": ["x"]},
    "get_model": lambda: {"model": SMALL_MODEL},
    "load_document_encoder": lambda: {"model": "no-such-model", "local_files_only": True},
    "load_query_encoder": lambda: {"model": SMALL_MODEL, "local_files_only": True},
    "register_model": lambda: {"source": SMALL_MODEL, "local_files_only": True},
    "resolve_files": lambda: {"spec": core.get_model(SMALL_MODEL), "local_files_only": True},
    "read_dataset": lambda: {"dataset": []},
    "DevServer": lambda: {"url": "http://localhost:1", "version": "3.6.0", "origin": "assembled"},
    "Login": lambda: {"user": "x", "password": "y", "ca_file": Path("z")},
    "Progress": lambda: {"step": "start", "version": "3.6.0"},
    "AwsAuth": lambda: {"region": "eu-west-1"},
    "ClientLogin": lambda: {"api_key": "x"},
    "BgeM3Embeddings": lambda: {"model": SMALL_MODEL},
    "NeuralSparseEmbeddings": lambda: {"model": SMALL_MODEL},
    "NeuralSparseTextSplitter": lambda: {"model": SMALL_MODEL},
    "DocumentSparseEmbedding": lambda: {"indices": [1], "values": [1.0]},
    "QuerySparseEmbedding": lambda: {"indices": [1], "values": [1.0]},
    "Retrieval": lambda: {"search": core.SparseSearch("x")},
    "NeuralSparseDocumentEmbedder": lambda: {"model": SMALL_MODEL},
    "NeuralSparseTextEmbedder": lambda: {"model": SMALL_MODEL},
    "NeuralSparseDocumentSplitter": lambda: {"model": SMALL_MODEL},
    **dict.fromkeys(
        [f"haystack_integrations.{each}" for each in (*RETRIEVERS, BM25_RETRIEVER, *SUPER_COMPONENTS)],
        lambda: {"document_store": _haystack_store()},
    ),
    METADATA_RETRIEVER: lambda: {"document_store": _haystack_store(), "metadata_fields": ["topic"]},
    **dict.fromkeys(
        [f"langchain_opensearch_neural_sparse.{each}" for each in RETRIEVERS],
        lambda: {"vectorstore": _vectorstore()},
    ),
    "OpenSearchNeuralSparseDocumentStore": lambda: {"index": "campaign-x", "hosts": "http://localhost:1"},
    "OpenSearchNeuralSparseVectorStore": lambda: {"index": "campaign-x", "url": "http://localhost:1"},
}  # fmt: skip
"""Public name -> arguments that are right, for every parameter without a default."""


def _raw_tokenizer() -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(_files().query_tokenizer))


@cache
def _haystack_store() -> Any:
    from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

    return OpenSearchNeuralSparseDocumentStore(index="campaign-x", hosts="http://localhost:1", model=str(SMALL_MODEL))


@cache
def _vectorstore() -> Any:
    from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore

    return OpenSearchNeuralSparseVectorStore("campaign-x", url="http://localhost:1", model=SMALL_MODEL)
