"""The messages that docs/troubleshooting.md explains are those that the package and the server give."""

from __future__ import annotations

import re
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, closing
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import (
    Bm25Leg,
    BulkFailure,
    BulkReport,
    DenseLeg,
    DocumentEncoder,
    HybridOptions,
    IndexSchema,
    ModelBinding,
    NeuralSparseStore,
    ServerInfo,
    SparseDocument,
    SparseVector,
    SqliteJournal,
    WriteOptions,
    get_model,
    load_document_encoder,
    register_model,
    resolve_files,
)
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.encode.cache.sqlite_cache import VectorFile
from opensearch_neural_sparse.errors import (
    EncodingWorkerError,
    IndexNotBoundError,
    IndexNotFoundError,
    JournalMismatchError,
    LimitedRightsWarning,
    MissingDependencyError,
    NeuralSparseError,
    PartialResultsError,
    Remedy,
    RemoteEncoderError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.index.read_index import hidden_vectors
from opensearch_neural_sparse.ingestion.journals.journal import LoadTarget
from opensearch_neural_sparse.search.filters.filter_clauses import filter_clauses
from opensearch_neural_sparse.server_models.cluster.settings import change_settings
from opensearch_neural_sparse.server_models.reasons import URL_REGISTRATION
from opensearch_neural_sparse.store.context import StoreContext
from tests.paths import ROOT, SMALL_MODEL

pytestmark = pytest.mark.newest_server

Provocation = Callable[[NeuralSparseStore], object]
QUOTED = re.compile(r"^## (\w+)\n\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MESSAGE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def _writes(**document: Any) -> Provocation:
    return lambda store: store.write([{"id": "1", "text": "A text."} | document], options=WriteOptions(max_retries=0))


def _asks(body: dict[str, Any]) -> Provocation:
    return lambda store: store.custom_search(body)


def _blocked_by(block: str) -> Provocation:
    def write(store: NeuralSparseStore) -> None:
        store.client().indices.put_settings(index=store.index, body={f"index.blocks.{block}": True})
        _writes()(store)

    return write


def _strict(store: NeuralSparseStore) -> None:
    store.client().indices.put_mapping(index=store.index, body={"dynamic": "strict"})
    _writes(metadata={"new": 1})(store)


def _create_again(store: NeuralSparseStore) -> None:
    store.write([{"id": "there", "text": "Another."}], options=WriteOptions(operation="create"))


def _create_by_a_bad_name(store: NeuralSparseStore) -> None:
    with NeuralSparseStore("Upper Case", client=store.client(), model=SMALL_MODEL) as other:
        other.create()


def _dense_of_another_length(store: NeuralSparseStore) -> None:
    store.hybrid_search("text", options=HybridOptions(legs=(Bm25Leg(), DenseLeg(vector=[1.0]))))


PROVOCATIONS: dict[str, Provocation] = {
    "the field holds values of the kind number": _writes(metadata={"year": "soon"}),
    "Limit of total fields [1000] has been exceeded": _writes(metadata={f"key{n}": n for n in range(1001)}),
    "mapping set to strict": _strict,
    "unknown field [trem]": lambda store: store.search("text", filter={"trem": {"year": 2020}}),
    "For input string": lambda store: store.search("text", filter={"term": {"year": "soon"}}),
    "No mapping found for [price] in order to sort on": _asks({"query": {"match_all": {}}, "sort": ["price"]}),
    "Text fields are not optimised for operations": _asks({"aggs": {"words": {"terms": {"field": "content"}}}}),
    "Query vector has invalid dimension": _dense_of_another_length,
    "Result window is too large": _asks({"query": {"match_all": {}}, "from": 10_000}),
    "maxClauseCount is set to 1024": _asks(
        {"query": {"bool": {"should": [{"term": {"year": n}} for n in range(1025)]}}}
    ),
    "version conflict, document already exists": _create_again,
    "document missing": lambda store: store.update_metadata({"nowhere": {"year": 2021}}),
    "blocked by: [FORBIDDEN/8/index write (api)]": _blocked_by("write"),
    "disk usage exceeded flood-stage watermark": _blocked_by("read_only_allow_delete"),
    "resource_already_exists_exception": lambda store: store.create(),
    "invalid_index_name_exception": _create_by_a_bad_name,
}


def _unreadable_mapping() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", LimitedRightsWarning)
        StoreContext("articles", model=SMALL_MODEL).unchecked_index()


def _a_letter_that_changed() -> None:
    VectorFile("vectors.sqlite")._checked(b"sum of other content")


def _another_model() -> None:
    binding = ModelBinding.of(resolve_files(register_model(SMALL_MODEL, name="small-en")), text_field="content")
    binding.ensure_same_model(get_model("multilingual-v1"), index="articles", field="sparse_vector")


def _a_text_for_a_number() -> None:
    reason = "failed to parse field [n] of type [long] in document with id '2'. Preview of field's value: (withheld)"
    failure = BulkFailure(id="2", status=400, error_type="mapper_parsing_exception", reason=reason)
    BulkReport(written=1, failed=(failure,)).raise_if_incomplete()


def _raise(error: Exception) -> Callable[[], None]:
    def throw() -> None:
        raise error

    return throw


def _a_journal_in_use() -> object:
    target = LoadTarget(source="articles", index="articles", uuid="a", model="")
    with TemporaryDirectory() as folder, chdir(folder):
        first, second = SqliteJournal("articles.journal"), SqliteJournal("articles.journal")
        with closing(first), closing(second):
            first.begin(target, restart=False)
            return second.begin(target, restart=False)


def _a_model_by_a_url() -> None:
    with OpenSearch("http://localhost:1") as client:
        change_settings(client, {URL_REGISTRATION: True}, model="small-en", allowed=False)


RAISED: dict[str, Callable[[], object]] = {
    "UnknownModelError": lambda: get_model("doc-v3-distil"),
    "ModelFilesError": lambda: register_model(ROOT / "docs" / "images", name="mine"),
    "VectorCacheError": _a_letter_that_changed,
    "EncodingWorkerError": _raise(EncodingWorkerError(1)),
    "RemoteEncoderError": _raise(
        RemoteEncoderError(
            "http://localhost:8080",
            "did not answer: NewConnectionError",
            remedy="Is it running and reachable from here?",
        )
    ),
    "JournalError": _a_journal_in_use,
    "JournalMismatchError": _raise(
        JournalMismatchError(journal="articles.journal", part="uuid", before="a", now="b", index="articles")
    ),
    "MissingDependencyError": _raise(
        MissingDependencyError("onnxruntime", "onnx", "Encoding documents (without the extra 'encode')")
    ),
    "ModelMismatchError": _another_model,
    "IndexNotBoundError": _raise(IndexNotBoundError("articles", "sparse_vector")),
    "IndexNotFoundError": _raise(IndexNotFoundError("articles")),
    "IndexSchemaError": lambda: SparseDocument.of({"id": "1", "txt": "A text."}),
    "HiddenFieldError": _raise(hidden_vectors("articles", IndexSchema())),
    "InvalidVectorError": lambda: SparseVector({"heart": -1.0}),
    "FilterSyntaxError": lambda: filter_clauses("lang = en"),
    "ServerConnectionError": _raise(
        ServerConnectionError(
            "http://localhost:9200", "ConnectionRefusedError: Connection refused", Remedy.START_SERVER
        )
    ),
    "ServerRequestError": _raise(
        ServerRequestError(
            400, "x_content_parse_exception", "[bool] failed to parse field [filter]: unknown field [rang]"
        )
    ),
    "ServerModelError": _a_model_by_a_url,
    "PartialResultsError": _raise(PartialResultsError(1, 5, [])),
    "UnsupportedServerError": lambda: ServerInfo.named("2.19.1").require((3, 3, 0), "The field type sparse_vector"),
    "BulkWriteError": _a_text_for_a_number,
    "DevServerError": lambda: DevServer.start(own=True, version="9.9.9"),
    "LimitedRightsWarning": _unreadable_mapping,
}


def _quoted() -> dict[str, str]:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    return {name: " ".join(message.split()) for name, message in QUOTED.findall(page)}


def test_every_message_that_the_page_quotes_is_raised_here() -> None:
    assert list(_quoted()) == list(RAISED)


@pytest.mark.parametrize("name", RAISED)
def test_the_package_raises_what_the_page_quotes(name: str) -> None:
    with pytest.raises((NeuralSparseError, LimitedRightsWarning)) as raised:
        RAISED[name]()
    message = str(raised.value).replace(str(ROOT / "docs" / "images"), "/models/mine")
    assert (type(raised.value).__name__, message) == (name, _quoted()[name])


@pytest.fixture(scope="module")
def section() -> str:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    return page.partition("## Messages of the server")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def encoder() -> DocumentEncoder:
    return load_document_encoder(SMALL_MODEL)


@pytest.fixture
def store(server: Any, encoder: DocumentEncoder) -> Iterator[NeuralSparseStore]:
    made_by = {"model": SMALL_MODEL, "document_encoder": encoder, "schema": IndexSchema(embedding_dimension=3)}
    with NeuralSparseStore(f"test-{uuid.uuid4().hex}", url=server.url, **made_by) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        store.write([{"id": "there", "text": "A text.", "metadata": {"year": 2020}}])
        yield store
        store.delete_index()


def test_the_page_explains_what_is_provoked_here(section: str) -> None:
    assert MESSAGE.findall(section) == list(PROVOCATIONS)


@pytest.mark.parametrize("message", PROVOCATIONS)
def test_the_server_gives_the_message(message: str, store: NeuralSparseStore) -> None:
    with pytest.raises(NeuralSparseError, match=re.escape(message)):
        PROVOCATIONS[message](store)
