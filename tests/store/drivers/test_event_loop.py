"""The asynchronous store against real servers: the same answers, in tasks, in loops, and nothing left open."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    DenseLeg,
    HybridOptions,
    IndexNotBoundError,
    IndexNotFoundError,
    IndexSchema,
    IndexSchemaError,
    MissingDependencyError,
    NeuralSparseStore,
    ServerConnectionError,
    ServerRequestError,
    SparseDocument,
    SparseLeg,
    SparseVector,
    WriteOptions,
    load_query_encoder,
)
from opensearch_neural_sparse.store.bulk import index_guard
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.paths import SMALL_MODEL
from tests.store.conftest import wait_for_document

pytestmark = pytest.mark.newest_server

TEXTS = {"1": "red planet mars", "2": "blue planet earth", "3": "planet rouge mars", "4": "no such thing"}
Make = Callable[..., AsyncNeuralSparseStore]


@pytest.fixture
def make(server: RunningServer, index_name: str, encoder: WordEncoder) -> Make:
    def make(**arguments: Any) -> AsyncNeuralSparseStore:
        defaults: dict[str, Any] = {"url": server.url, "query_encoder": encoder, "document_encoder": encoder}
        return AsyncNeuralSparseStore(index_name, **(defaults | arguments))

    return make


@pytest_asyncio.fixture
async def astore(make: Make) -> AsyncIterator[AsyncNeuralSparseStore]:
    async with make() as store:
        await store.create(settings={"number_of_shards": 1})
        yield store


@pytest_asyncio.fixture
async def filled(astore: AsyncNeuralSparseStore) -> AsyncNeuralSparseStore:
    documents = [{"id": name, "text": text, "metadata": {"n": int(name)}} for name, text in TEXTS.items()]
    assert (await astore.write(documents)).written == 4
    return astore


def test_constructor_connects_to_nothing_and_needs_no_loop() -> None:
    assert AsyncNeuralSparseStore("articles", url="http://localhost:1", model="no such model").index == "articles"
    with pytest.raises(ValueError, match="either a client or the url"):
        AsyncNeuralSparseStore("articles")


async def test_searches_find_what_the_blocking_store_finds(
    filled: AsyncNeuralSparseStore, client: Any, encoder: WordEncoder
) -> None:
    blocking = NeuralSparseStore(filled.index, client=client, query_encoder=encoder, document_encoder=encoder)
    for arguments in ({}, {"filter": {"range": {"n": {"gte": 2}}}}, {"explain": True}, {"size": 1}):
        assert await filled.search("red mars", **arguments) == blocking.search("red mars", **arguments)  # type: ignore[arg-type]
        assert await filled.hybrid_search("red mars", **arguments) == blocking.hybrid_search("red mars", **arguments)  # type: ignore[arg-type]
    assert await filled.match_search("planet") == blocking.match_search("planet")
    assert await filled.search({"earth": 2.0}) == blocking.search({"earth": 2.0})
    assert await filled.search("") == []
    assert await filled.get(["2", "nowhere", "1"]) == blocking.get(["2", "1"])
    assert await filled.open() == blocking.open()
    assert await filled.server() == blocking.server()
    assert filled.model_id == blocking.model_id


async def test_documents_are_counted_and_deleted(filled: AsyncNeuralSparseStore) -> None:
    assert await filled.count() == 4
    assert await filled.count({"term": {"n": 3}}) == 1
    assert await filled.delete(iter(["1", "nowhere"])) == 1
    assert await filled.count() == 3
    await filled.delete_index()
    with pytest.raises(IndexNotFoundError):
        await filled.count()


async def test_refresh_decides_what_is_found(astore: AsyncNeuralSparseStore) -> None:
    await (await astore.client()).indices.put_settings(index=astore.index, body={"refresh_interval": "-1"})
    await astore.write(["word"], options=WriteOptions(refresh=False))
    assert await astore.search("word") == []
    await astore.refresh()
    assert len(await astore.search("word")) == 1


async def test_create_says_what_is_wrong(astore: AsyncNeuralSparseStore, make: Make) -> None:
    with pytest.raises(ServerRequestError, match="resource_already_exists"):
        await astore.create()
    await astore.create(exist_ok=True)
    async with make(query_encoder=None, document_encoder=None) as bare:
        with pytest.raises(IndexNotBoundError, match="Name the model"):
            await bare.create()


async def test_missing_index_is_an_error_in_every_operation(make: Make, client: Any) -> None:
    async with make() as store:
        for operation in (
            store.open,
            lambda: store.search("x"),
            lambda: store.match_search("x"),
            lambda: store.hybrid_search("x"),
            lambda: store.write(["x"]),
            lambda: store.get(["x"]),
            lambda: store.delete(["x"]),
            store.count,
            store.refresh,
            store.delete_index,
        ):
            with pytest.raises(IndexNotFoundError, match=store.index):
                await operation()  # type: ignore[operator]
    assert not client.indices.exists(index=store.index)


async def test_bad_documents_are_reported_and_the_others_are_there(astore: AsyncNeuralSparseStore) -> None:
    documents: list[dict[str, Any]] = [{"id": f"{n}", "text": "word", "metadata": {"year": n}} for n in range(60)]
    documents[42]["metadata"] = {"year": "SECRET"}
    with pytest.raises(BulkWriteError) as error:
        await astore.write(iter(documents), options=WriteOptions(batch_size=7))
    assert error.value.report.written == await astore.count() == 59
    assert [failure.id for failure in error.value.report.failed] == ["42"]
    with pytest.raises(IndexSchemaError):
        await astore.write([{"id": "1", "metadata": {"a.": 1}}])


async def test_last_of_many_writes_of_one_id_stands(astore: AsyncNeuralSparseStore) -> None:
    documents = [{"id": f"{n % 7}", "vector": {"a": 1.0}, "metadata": {"n": n}} for n in range(60)]
    assert (await astore.write(documents, options=WriteOptions(batch_size=3, in_flight=4))).written == 60
    assert [row.metadata["n"] for row in await astore.get(map(str, range(7)))] == [56, 57, 58, 59, 53, 54, 55]


@pytest.mark.parametrize("trusted_for", [0.0, 60.0])
async def test_index_that_vanishes_during_a_write_is_noticed(
    astore: AsyncNeuralSparseStore, client: Any, monkeypatch: pytest.MonkeyPatch, trusted_for: float
) -> None:
    monkeypatch.setattr(index_guard, "CHECK_INTERVAL", trusted_for)

    def stream() -> Iterator[dict[str, str]]:
        yield from ({"id": name, "text": name} for name in ("one", "two"))
        wait_for_document(client, astore.index, "two")
        client.indices.delete(index=astore.index)
        yield {"id": "three", "text": "three"}

    # Where it is looked at before each batch, none makes it anew; else the look at the end finds another one.
    with pytest.raises((IndexNotFoundError, BulkWriteError), match=astore.index) as error:
        await astore.write(stream(), options=WriteOptions(batch_size=1))
    assert isinstance(error.value, BulkWriteError if trusted_for else IndexNotFoundError)
    assert client.indices.exists(index=astore.index) == bool(trusted_for)


async def test_documents_are_encoded_beside_the_loop(
    astore: AsyncNeuralSparseStore, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop_turned = threading.Event()
    encode = encoder.encode_documents

    def slow(texts: Any) -> Any:
        assert threading.current_thread() is not threading.main_thread()
        assert loop_turned.wait(timeout=10)
        return encode(texts)

    monkeypatch.setattr(encoder, "encode_documents", slow)
    asyncio.get_running_loop().call_later(0.05, loop_turned.set)
    assert (await astore.write(["one", "two"])).written == 2


@pytest.mark.parametrize("table", [True, False])
async def test_query_is_encoded_beside_the_loop_unless_a_table_does(
    astore: AsyncNeuralSparseStore, make: Make, monkeypatch: pytest.MonkeyPatch, encoder: WordEncoder, table: bool
) -> None:
    chosen = load_query_encoder(SMALL_MODEL) if table else encoder
    threads: list[threading.Thread] = []

    def recorded(text: str) -> SparseVector:
        threads.append(threading.current_thread())
        return SparseVector({"word": 1.0})

    monkeypatch.setattr(type(chosen), "encode_query", lambda self, text: recorded(text))
    async with make(query_encoder=chosen, document_encoder=None) as store:
        await store.search("word")
    assert [thread is threading.main_thread() for thread in threads] == [table]


async def test_embedder_of_a_leg_runs_beside_the_loop_where_a_table_encodes(make: Make) -> None:
    schema = IndexSchema(embedding_dimension=2)
    async with make(schema=schema) as writer:
        await writer.create(settings={"number_of_shards": 1})
        await writer.write([{"id": "1", "text": "word", "embedding": [1.0, 0.5]}])
    loop_turned = threading.Event()

    def embed(_: str) -> list[float]:
        assert threading.current_thread() is not threading.main_thread()
        assert loop_turned.wait(timeout=10)
        return [1.0, 0.5]

    options = HybridOptions(legs=(SparseLeg(), DenseLeg(embedder=embed)))
    async with make(schema=schema, query_encoder=load_query_encoder(SMALL_MODEL), document_encoder=None) as store:
        await store.open()
        asyncio.get_running_loop().call_later(0.05, loop_turned.set)
        assert [hit.id for hit in await store.hybrid_search("word", options=options)] == ["1"]


async def test_index_made_anew_with_more_shards_is_looked_at_again(
    filled: AsyncNeuralSparseStore, make: Make, client: Any
) -> None:
    assert (await filled.hybrid_search("red mars")).fusion == "server rrf"
    client.indices.delete(index=filled.index)
    async with make() as fresh:
        await fresh.create(settings={"number_of_shards": 3})
        await fresh.write({"id": name, "text": text} for name, text in TEXTS.items())
        expected = await fresh.hybrid_search("red mars")
    hits = await filled.hybrid_search("red mars")
    assert (hits, hits.fusion) == (expected, expected.fusion)


async def test_many_searches_at_once_share_few_connections(filled: AsyncNeuralSparseStore, make: Make) -> None:
    async with make(client_options={"pool_maxsize": 5}) as store:
        found = await asyncio.gather(*(store.search("red mars") for _ in range(200)))
        assert [[hit.id for hit in hits] for hits in found] == [[hit.id for hit in found[0]]] * 200
        session = (await store.client()).transport.connection_pool.get_connection().session
        assert session.connector.limit == 5
        assert 1 <= len(session.connector._conns[next(iter(session.connector._conns))]) <= 5


async def test_tasks_share_one_opening(filled: AsyncNeuralSparseStore, make: Make) -> None:
    async with make() as store:
        client = await store.client()
        reads: list[str] = []
        get = client.indices.get

        async def recorded(index: str, **options: Any) -> Any:
            reads.append(index)
            return await get(index=index, **options)

        client.indices.get = recorded  # type: ignore[method-assign,assignment]
        await asyncio.gather(*(store.search("mars") for _ in range(20)))
        assert reads == [store.index]


def test_own_clients_have_time_and_connections_for_real_use(server: RunningServer) -> None:
    with NeuralSparseStore("articles", url=server.url) as store:
        (connection,) = store.client().transport.connection_pool.connections
        assert (connection.timeout, connection.pool.pool.maxsize) == (60, 20)
    with NeuralSparseStore("articles", url=server.url, client_options={"timeout": 3}) as store:
        (connection,) = store.client().transport.connection_pool.connections
        assert (connection.timeout, connection.pool.pool.maxsize) == (3, 20)


def test_store_serves_event_loops_in_turn_and_leaves_nothing_open(
    store: NeuralSparseStore, server: RunningServer
) -> None:
    store.write([{"id": "1", "text": "word"}])
    program = f"""
        import asyncio, gc
        from opensearch_neural_sparse import AsyncNeuralSparseStore

        store = AsyncNeuralSparseStore({store.index!r}, url={server.url!r})

        async def search():
            hits = await asyncio.gather(*(store.search({{"word": 1.0}}) for _ in range(5)))
            assert [[hit.id for hit in found] for found in hits] == [["1"]] * 5
            return await store.client()

        async def search_and_close():
            async with store:
                return await search()

        clients = [asyncio.run(search()), asyncio.run(search()), asyncio.run(search_and_close()), asyncio.run(search())]
        assert len(set(map(id, clients))) == 4
        gc.collect()
    """
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


async def test_given_client_is_left_open(filled: AsyncNeuralSparseStore, make: Make, server: RunningServer) -> None:
    from opensearchpy import AsyncOpenSearch

    async with AsyncOpenSearch(server.url) as given:
        async with make(client=given, url=None) as store:
            assert await store.count() == 4
        assert await given.ping()
        assert await store.count() == 4


def test_given_client_of_another_loop_is_refused(make: Make, server: RunningServer) -> None:
    from opensearchpy import AsyncOpenSearch

    given = AsyncOpenSearch(server.url)
    store = make(client=given, url=None)

    async def ping_and_close() -> None:
        await given.ping()
        await given.close()

    asyncio.run(ping_and_close())
    with pytest.raises(RuntimeError, match="belongs to another event loop"):
        asyncio.run(store.count())


async def test_closed_store_opens_again(filled: AsyncNeuralSparseStore) -> None:
    first = await filled.client()
    await filled.close()
    await filled.close()
    assert await filled.count() == 4
    assert await filled.client() is not first


async def test_cancelled_write_leaves_no_task_behind(
    astore: AsyncNeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await astore.client()
    under_way = asyncio.Event()

    async def stuck(**arguments: Any) -> Any:
        under_way.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(client, "bulk", stuck)
    before = asyncio.all_tasks()
    writing = asyncio.create_task(astore.write((f"text {n}" for n in range(100)), options=WriteOptions(batch_size=10)))
    await under_way.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert asyncio.all_tasks() == before
    assert await astore.count() == 0


async def test_cancelled_search_leaves_the_store_usable(filled: AsyncNeuralSparseStore) -> None:
    searches = [asyncio.create_task(filled.search("planet")) for _ in range(20)]
    await asyncio.sleep(0.005)
    for search in searches:
        search.cancel()
    outcomes = await asyncio.gather(*searches, return_exceptions=True)
    assert all(isinstance(outcome, list | asyncio.CancelledError) for outcome in outcomes)
    assert len(await filled.search("planet")) == 3


async def test_error_in_the_stream_is_passed_on_after_what_was_read_before(astore: AsyncNeuralSparseStore) -> None:
    def stream() -> Iterator[SparseDocument]:
        yield from (SparseDocument(id=f"{n}", vector={"a": 1.0}) for n in range(60))
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        await astore.write(stream(), options=WriteOptions(batch_size=10))
    await astore.refresh()
    assert await astore.count() == 60


async def test_refused_connection_names_the_address(encoder: WordEncoder) -> None:
    url = "http://admin:SECRET@127.0.0.1:1"
    async with AsyncNeuralSparseStore("articles", url=url, document_encoder=encoder) as store:
        with pytest.raises(ServerConnectionError, match=r"http://127\.0\.0\.1:1 did not answer") as error:
            await store.search("word")
    assert "SECRET" not in str(error.value)


async def test_server_killed_in_the_middle_of_a_request_is_a_connection_error(
    private_server: Callable[..., Any], encoder: WordEncoder
) -> None:
    server = await asyncio.to_thread(private_server)
    options = {"max_retries": 0, "timeout": 30}
    async with AsyncNeuralSparseStore(
        "killed", url=server.url, query_encoder=encoder, document_encoder=encoder, client_options=options
    ) as store:
        await store.create(settings={"number_of_shards": 1})
        await store.write([{"id": f"{n}", "text": "word"} for n in range(50)])
        searches = [asyncio.create_task(store.search("word")) for _ in range(100)]
        await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        outcomes = await asyncio.gather(*searches, return_exceptions=True)
        assert any(isinstance(outcome, ServerConnectionError) for outcome in outcomes)
        assert all(isinstance(outcome, ServerConnectionError | list) for outcome in outcomes)
        with pytest.raises(ServerConnectionError):
            await store.write(["word"])


async def test_missing_async_client_is_an_error_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, encoder: WordEncoder
) -> None:
    monkeypatch.delattr("opensearchpy.AsyncOpenSearch")
    store = AsyncNeuralSparseStore("articles", url="http://localhost:1", document_encoder=encoder)
    with pytest.raises(MissingDependencyError, match=r"pip install 'opensearch-neural-sparse\[async\]'"):
        await store.count()
