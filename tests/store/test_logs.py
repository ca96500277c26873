"""The log of a session: what is told at which level, without texts and credentials, and nothing normal at WARNING."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    HybridOptions,
    IndexNotFoundError,
    IndexSchema,
    NeuralSparseStore,
    ServerConnectionError,
    ServerRequestError,
    SparseDocument,
    WriteOptions,
)
from opensearch_neural_sparse.encode.truncation import Cut, report_cuts
from tests.conftest import RunningServer
from tests.encoders import WordEncoder

SECRET, QUERY = "correct-horse-battery", "zyzzyva purring"
TEXTS = {"1": "zyzzyva insects eat quietly", "2": "a purring syzygy"}
LOGIN: dict[str, Any] = {"http_auth": ("reader", SECRET)}
OURS = "opensearch_neural_sparse"
TIME = re.compile(r"\d+\.\d\d s")
DOCUMENTS = [SparseDocument(id=name, text=text) for name, text in TEXTS.items()]
Told = Callable[..., list[str]]


class CuttingEncoder(WordEncoder):
    """Cuts every text that it encodes."""

    def encode_documents(self, texts: Any, *, progress: Any = None) -> Any:
        report_cuts({text: Cut(3, 512) for text in texts}, texts)
        return super().encode_documents(texts)


class Records(logging.Handler):
    """Keeps what is logged, in the setup of a test, too."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record)


@pytest.fixture
def told() -> Iterator[Told]:
    """Return messages of our loggers at a level, or from it up; of others from WARNING up: `told(logging.INFO)`."""
    records, ours = Records(), logging.getLogger(OURS)
    logging.getLogger().addHandler(records)
    ours.setLevel(logging.DEBUG)

    def told(level: int, *, of: str = OURS, above: bool = False) -> list[str]:
        return [
            record.getMessage()
            for record in records.kept
            if record.name.startswith(of) and (record.levelno >= level if above else record.levelno == level)
        ]

    yield told
    ours.setLevel(logging.NOTSET)
    logging.getLogger().removeHandler(records)


def names(messages: list[str]) -> list[str]:
    return [message.partition(" ")[0] for message in messages]


def blocking_session(store: NeuralSparseStore) -> None:
    with pytest.raises(IndexNotFoundError):
        store.open_to_write()
    with pytest.raises(IndexNotFoundError):
        store.delete_index()
    store.create(exist_ok=True, settings={"number_of_shards": 1})
    store.create(exist_ok=True)
    store.write(DOCUMENTS)
    store.search(QUERY)
    store.hybrid_search(QUERY, options=HybridOptions(fusion="client"))
    store.match_search(QUERY)
    store.search_many([QUERY, "other words"])
    store.custom_search({"query": {"bool": {"must": [{"match_all": {}}], "filter": "$filters"}}})
    store.update_metadata({"1": {"year": 2024}})
    assert len(store.get(["1", "9"])) == 1
    assert store.count() == 2
    store.delete(["2", "9"])
    store.delete_index()


async def awaited_session(store: AsyncNeuralSparseStore) -> None:
    with pytest.raises(IndexNotFoundError):
        await store.open_to_write()
    with pytest.raises(IndexNotFoundError):
        await store.delete_index()
    await store.create(exist_ok=True, settings={"number_of_shards": 1})
    await store.create(exist_ok=True)
    await store.write(DOCUMENTS)
    await store.search(QUERY)
    await store.hybrid_search(QUERY, options=HybridOptions(fusion="client"))
    await store.match_search(QUERY)
    await store.search_many([QUERY, "other words"])
    await store.custom_search({"query": {"bool": {"must": [{"match_all": {}}], "filter": "$filters"}}})
    await store.update_metadata({"1": {"year": 2024}})
    assert len(await store.get(["1", "9"])) == 1
    assert await store.count() == 2
    await store.delete(["2", "9"])
    await store.delete_index()


@pytest.fixture(params=["blocking", "awaited"])
async def session(
    request: pytest.FixtureRequest, server: RunningServer, index_name: str, encoder: WordEncoder, told: Told
) -> None:
    """Run a session of a store from the missing index to its end."""
    options: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder, "client_options": LOGIN}
    if request.param == "blocking":
        with NeuralSparseStore(index_name, url=server.url, **options) as store:
            blocking_session(store)
    else:
        async with AsyncNeuralSparseStore(index_name, url=server.url, **options) as awaited:
            await awaited_session(awaited)


@pytest.mark.usefixtures("session")
def test_a_normal_session_logs_nothing_at_warning(told: Told) -> None:
    assert told(logging.WARNING, of="", above=True) == []


@pytest.mark.usefixtures("session")
def test_no_text_and_no_credential_is_logged_at_any_level(told: Told) -> None:
    logged = "\n".join(told(logging.DEBUG, above=True))
    assert [secret for secret in (SECRET, *QUERY.split(), "insects", "quietly", "syzygy") if secret in logged] == []


@pytest.mark.usefixtures("session")
def test_a_session_is_told_at_info(told: Told, index_name: str, encoder: WordEncoder) -> None:
    written, updated, deleted = (line for line in told(logging.INFO) if line.startswith("Bulk"))
    assert TIME.sub("T", written) == f"Bulk write of index {index_name!r}: 2 written, in T."
    assert TIME.sub("T", updated) == f"Bulk update of index {index_name!r}: 1 updated, in T."
    assert TIME.sub("T", deleted) == f"Bulk delete of index {index_name!r}: 1 deleted, in T."
    model = f"model {encoder.files.spec.id!r}"
    assert [line for line in told(logging.INFO) if not line.startswith("Bulk")] == [
        f"Created index {index_name!r} for {model}.",
        f"Opened index {index_name!r} ({model}, shards 1, indices 1).",
        f"Opened index {index_name!r} ({model}, shards 1, indices 1).",
        f"Deleted index {index_name!r}.",
    ]


@pytest.mark.usefixtures("session")
def test_requests_and_operations_are_told_by_name_at_debug(told: Told, index_name: str) -> None:
    lines = told(logging.DEBUG)
    assert names(lines)[:3] == ["indices.get", "indices.delete", "info"]
    assert {"indices.create", "bulk", "search", "msearch", "mget", "count"} <= set(names(lines))
    searches = [line for line in lines if "_search took" in line or line.startswith("search_many")]
    assert names(searches) == ["sparse_search", "hybrid_search", "match_search", "search_many", "custom_search"]
    assert all(f"index={index_name!r}, " in line and "hits=" in line for line in searches)
    hybrid = searches[1]
    assert "fusion='client rrf', fusion_reason='The options ask the client for it.'" in hybrid
    assert "legs=['bm25', 'sparse'], leg_ms=[" in hybrid


def test_the_log_says_why_the_client_fuses(
    make_store: Callable[..., NeuralSparseStore], server: RunningServer, told: Told
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 2})
    hits = store.hybrid_search(QUERY)
    (line,) = (line for line in told(logging.DEBUG) if line.startswith("hybrid_search"))
    if server.version.startswith("2."):
        assert hits.fusion_reason is not None
        assert "over more than one shard needs OpenSearch 3.5 or later" in hits.fusion_reason
        assert set(hits.leg_took_ms) == {"bm25", "sparse"}
        assert repr(hits.fusion_reason) in line.replace('"', "'") or hits.fusion_reason in line
    else:
        assert (hits.fusion_reason, hits.leg_took_ms) == (None, {})
        assert "fusion='server rrf'" in line
        assert "fusion_reason" not in line


@pytest.mark.filterwarnings("ignore::opensearch_neural_sparse.TruncationWarning")
def test_texts_that_are_cut_are_told_by_their_ids(
    make_store: Callable[..., NeuralSparseStore], encoder: WordEncoder, told: Told
) -> None:
    store = make_store(document_encoder=CuttingEncoder(encoder.files))
    store.create()
    store.write(DOCUMENTS)
    assert "Texts cut to 512 tokens in 2 documents: '1', '2'." in told(logging.INFO)


def test_refused_documents_are_counted_and_the_value_stays_unsaid(
    make_store: Callable[..., NeuralSparseStore], told: Told
) -> None:
    store = make_store(schema=IndexSchema())
    store.create()
    documents = [
        {"id": "1", "text": "a", "metadata": {"when": SECRET}},
        {"id": "2", "text": "b", "metadata": {"when": {}}},
    ]
    store.write(documents[:1])
    with pytest.raises(BulkWriteError):
        store.write([{"id": "3", "text": "c", "metadata": {"when": {SECRET: SECRET}}}])
    assert any(": 1 refused, in " in line for line in told(logging.INFO))
    assert SECRET not in "\n".join(told(logging.DEBUG, above=True))


def test_a_failing_search_is_told_with_its_error_and_without_its_text(
    make_store: Callable[..., NeuralSparseStore], told: Told
) -> None:
    store = make_store()
    store.create()
    with pytest.raises(ServerRequestError):
        store.custom_search({"query": {"no_such_query": {"text": QUERY}}})
    failed = [line for line in told(logging.DEBUG) if "failed after" in line]
    assert names(failed) == ["search", "custom_search"]
    assert all("error='parsing_exception', status='400'" in line for line in failed)
    assert QUERY not in "\n".join(told(logging.DEBUG, above=True))


def test_a_server_that_does_not_answer_is_told_without_the_login(told: Told, encoder: WordEncoder) -> None:
    options = {**LOGIN, "max_retries": 0}
    url = "http://127.0.0.1:9"
    with NeuralSparseStore("articles", url=url, query_encoder=encoder, client_options=options) as store:
        with pytest.raises(ServerConnectionError):
            store.search(QUERY)
        with pytest.raises(ServerConnectionError):
            store.write(DOCUMENTS, options=WriteOptions(max_retries=0))
    lines = told(logging.DEBUG)
    assert "error='ServerConnectionError'" in lines[0]
    assert SECRET not in "\n".join(told(logging.DEBUG, of="", above=True))
