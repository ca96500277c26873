"""Encoding an index anew for another model, with interruptions."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    IndexSchema,
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseStore,
    ServerRequestError,
    SparseVector,
    WriteOptions,
    get_model,
    resolve_files,
)
from opensearch_neural_sparse.index.binding.reindex_mark import read_mark
from opensearch_neural_sparse.transport.errors import translated_errors
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.store.conftest import MakeStore
from tests.store.kills import Killed, end_at
from tests.toy import write_doc_only, write_safetensors

SCHEMA = IndexSchema(embedding_dimension=2, metadata_fields={"year": {"type": "short"}, "where": {"type": "geo_point"}})
PAGES = WriteOptions(batch_size=4)


class OtherEncoder(WordEncoder):
    """Encodes documents to twice the weights, and fails once after so many texts."""

    def __init__(self, files: Any, *, fails_after: int | None = None) -> None:
        super().__init__(files)
        self.fails_after = fails_after

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        if self.fails_after is not None and sum(map(len, self.calls)) >= self.fails_after:
            self.fails_after = None
            raise RuntimeError("out of memory")
        self.calls.append(list(texts))
        return [SparseVector({token: 2 * weight for token, weight in word_vector(text).items()}) for text in texts]


@pytest.fixture
def other_files(tmp_path: Path) -> Any:
    root = write_doc_only(tmp_path / "newer-model")
    write_safetensors(root / "document_0_MLMTransformer" / "model.safetensors", {"weights": [0.25] * 10})
    return resolve_files(get_model(root))


@pytest.fixture
def source(make_store: MakeStore, client: Any) -> NeuralSparseStore:
    store = make_store(schema=SCHEMA)
    store.create(settings={"number_of_shards": 2, "analysis": {"analyzer": {"own": {"type": "english"}}}})
    store.write(
        {
            "id": f"{n}",
            "text": f"word{n} shared",
            "embedding": [n + 0.1, 1e-7],
            "metadata": {"year": 2000 + n, "f": 1.0},
        }
        for n in range(18)
    )
    routed = {"id": "routed", "content": "far away", "where": "1.5,2", "meta": {"content": "x"}, "blob": None}
    client.index(index=store.index, id="routed", body=routed, params={"routing": "elsewhere", "refresh": "true"})
    return store


@pytest.fixture
def target(client: Any, other_index: str) -> Iterator[str]:
    yield f"{other_index}-new"
    client.indices.delete(index=f"{other_index}-new", ignore_unavailable=True)


def everything(client: Any, index: str) -> dict[str, tuple[Any, Any]]:
    hits = client.search(index=index, body={"size": 100})["hits"]["hits"]
    dropped = ("sparse_vector", "sparse_vector_model", "id")
    return {
        hit["_id"]: (hit.get("_routing"), {name: part for name, part in hit["_source"].items() if name not in dropped})
        for hit in hits
    }


def is_blocked(client: Any, index: str) -> bool:
    settings = client.indices.get_settings(index=index)[index]["settings"]["index"]
    return bool(settings.get("blocks", {}).get("write") == "true")


def test_documents_go_over_as_they_are_with_new_vectors(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias, body={"filter": {"exists": {"field": "content"}}})
    before = everything(client, source.index)
    report = source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias, options=PAGES)
    assert (report.index, report.documents, report.encoded, report.without_text) == (target, 19, 19, 0)
    assert everything(client, target) == everything(client, source.index) == before
    made = client.indices.get(index=target)[target]
    assert made["settings"]["index"]["analysis"]["analyzer"] == {"own": {"type": "english"}}
    assert made["settings"]["index"]["number_of_shards"] == "2"
    assert made["mappings"]["properties"]["where"] == {"type": "geo_point"}
    assert made["mappings"]["properties"]["f"] == {"type": "double", "coerce": False}
    assert read_mark(made["mappings"]) is None
    assert made["aliases"] == {alias: {"filter": {"exists": {"field": "content"}}}}
    assert client.indices.get(index=source.index)[source.index]["aliases"] == {}
    assert not is_blocked(client, source.index)
    with NeuralSparseStore(target, client=client, document_encoder=OtherEncoder(other_files)) as copy:
        assert copy.open().binding != source.open().binding
        (document,) = copy.get(["3"])
        assert document.vector == {
            token: pytest.approx(2 * w, rel=0.004) for token, w in word_vector("word3 shared").items()
        }
        assert document.model == copy.open().binding.marker  # type: ignore[union-attr]


def test_interrupted_copy_goes_on_without_encoding_again(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias)
    encoder = OtherEncoder(other_files, fails_after=8)
    with pytest.raises(RuntimeError, match="out of memory"):
        source.reindex_with_model(target, document_encoder=encoder, alias=alias, options=PAGES)
    assert not is_blocked(client, source.index)
    assert list(client.indices.get_alias(name=alias)) == [source.index]
    first = {text for call in encoder.calls for text in call}
    assert len(first) == 8
    changed = next(text for text in first if text.startswith("word"))
    kept = [name for name in (f"{n}" for n in range(18)) if f"word{name} shared" != changed]
    source.write([{"id": changed.split()[0].removeprefix("word"), "text": "changed", "embedding": [1.0, 2.0]}])
    gone = next(name for name in kept if f"word{name} shared" in first)
    source.delete([gone])
    encoder.calls.clear()
    report = source.reindex_with_model(target, document_encoder=encoder, alias=alias, options=PAGES)
    again = {text for call in encoder.calls for text in call}
    assert first & again == set()
    assert "changed" in again
    assert (report.documents, report.encoded) == (18, 11 + 1)
    assert everything(client, target) == everything(client, source.index)
    assert list(client.indices.get_alias(name=alias)) == [target]


def test_writes_are_refused_meanwhile_and_a_block_that_was_there_stays(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any
) -> None:
    seen: list[int] = []

    class Writing(OtherEncoder):
        def encode_documents(self, texts: Sequence[str], **options: Any) -> list[SparseVector]:
            with pytest.raises(ServerRequestError, match="blocked"), translated_errors(client, source.index):
                client.index(index=source.index, body={"content": "late"})
            seen.append(len(texts))
            return super().encode_documents(texts, **options)

    client.indices.add_block(index=source.index, block="write")
    source.reindex_with_model(target, document_encoder=Writing(other_files), options=PAGES)
    assert sum(seen) == 19
    assert is_blocked(client, source.index)
    assert not is_blocked(client, target)


def test_documents_without_text_are_named_before_anything_is_made(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any
) -> None:
    source.write([{"id": "bare", "vector": {"a": 1.0}}, {"id": "empty", "text": ""}])
    encoder = OtherEncoder(other_files)
    with pytest.raises(IndexSchemaError, match=r"1 documents of .* have no text to encode: 'bare'"):
        source.reindex_with_model(target, document_encoder=encoder)
    assert not client.indices.exists(index=target)
    report = source.reindex_with_model(target, document_encoder=encoder, on_missing_text="keep")
    assert (report.documents, report.encoded, report.without_text) == (21, 21, 1)
    held = client.get(index=target, id="bare")["_source"]
    assert held == {"id": "bare"}


def test_documents_of_several_shards_without_an_id_field_all_go_over(
    make_store: MakeStore, client: Any, target: str, other_files: Any
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 3})
    rows = [line for n in range(40) for line in ({"index": {"_id": f"{n}"}}, {"content": f"word{n}"})]
    client.bulk(index=store.index, body=rows, params={"refresh": "true"})
    encoder = OtherEncoder(other_files, fails_after=10)
    with pytest.raises(RuntimeError, match="out of memory"):
        store.reindex_with_model(target, document_encoder=encoder, options=PAGES)
    report = store.reindex_with_model(target, document_encoder=encoder, options=PAGES)
    assert report.documents == 40
    assert everything(client, target) == everything(client, store.index)
    assert sorted(text for call in encoder.calls for text in call) == sorted(f"word{n}" for n in range(40))
    client.index(index=store.index, id="bare", body={}, params={"refresh": "true"})
    with pytest.raises(IndexSchemaError, match=r"1 documents .* have no text to encode: 'bare'"):
        store.reindex_with_model(f"{target}-2", document_encoder=encoder, options=PAGES)


def test_another_index_is_never_written_into(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any, tmp_path: Path
) -> None:
    encoder = OtherEncoder(other_files, fails_after=4)
    client.indices.create(index=target)
    with pytest.raises(IndexSchemaError, match="not an unfinished copy"):
        source.reindex_with_model(target, document_encoder=encoder)
    client.indices.delete(index=target)
    with pytest.raises(RuntimeError):
        source.reindex_with_model(target, document_encoder=encoder, options=PAGES)
    with pytest.raises(IndexSchemaError, match="for another model or other settings"):
        source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), prune=_prune())
    with pytest.raises(IndexSchemaError, match="not an unfinished copy"):
        source.reindex_with_model(source.index, document_encoder=encoder)


def _prune() -> Any:
    from opensearch_neural_sparse import Prune

    return Prune.parse({"type": "top_k", "ratio": 1})


def test_readers_of_the_alias_find_everything_throughout(
    source: NeuralSparseStore, client: Any, make_store: MakeStore, target: str, files: Any, other_files: Any
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias)
    reader = NeuralSparseStore(alias, client=client)
    reader._context.encoders._query = WordEncoder(files)
    found: list[tuple[str, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            hits = reader.search(word_vector("shared"), size=30)
            found.append((hits[0].index, len(hits)))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias, options=PAGES)
        reached = len(found)
        while len(found) < reached + 3:
            pass
    finally:
        done.set()
        thread.join()
    assert {count for _, count in found} == {18}
    assert [index for index, _ in found][-1] == target
    assert {index for index, _ in found} <= {source.index, target}


def kill_at(client: Any, monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool = False, call: int = 1) -> None:
    """Let a process end when it sends a request for the so-manyth time, and send nothing more."""
    send, calls = getattr(client.indices, name), []

    def sent(**parts: Any) -> Any:
        calls.append(parts)
        if len(calls) < call:
            return send(**parts)
        if after:
            send(**parts)
        monkeypatch.setattr(client.transport, "perform_request", killed)
        raise Killed

    def killed(*_: Any, **__: Any) -> Any:
        raise Killed

    monkeypatch.setattr(client.indices, name, sent)


KILLED_AT = {
    "before the alias moves": ("update_aliases", False, 1),
    "after the alias moved": ("update_aliases", True, 1),
    "before the source is unblocked": ("put_settings", False, 1),
    "before the mark goes": ("put_mapping", False, 2),
}


@pytest.mark.parametrize("where", KILLED_AT)
@pytest.mark.parametrize("again", ["alias", "source"])
def test_copy_that_was_killed_at_its_end_is_ended_by_the_same_call(
    source: NeuralSparseStore,
    client: Any,
    make_store: MakeStore,
    target: str,
    other_files: Any,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    again: str,
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias, body={"is_write_index": True, "index_routing": "one"})
    live = make_store(index=alias if again == "alias" else source.index, schema=SCHEMA)
    name, after, call = KILLED_AT[where]
    with monkeypatch.context() as patch:
        kill_at(client, patch, name, after=after, call=call)
        with pytest.raises(Killed):
            live.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias, options=PAGES)
    moved = where != "before the alias moves"
    assert list(client.indices.get_alias(name=alias)) == [target if moved else source.index]
    assert is_blocked(client, source.index) == (where != "before the mark goes")
    if moved:
        client.index(index=alias, id="late", body={"id": "late", "content": "late"}, params={"refresh": "true"})
        client.delete(index=target, id="3", params={"refresh": "true"})
    encoder = OtherEncoder(other_files)
    report = live.reindex_with_model(target, document_encoder=encoder, alias=alias, options=PAGES)
    assert (report.index, report.documents, report.encoded) == (target, 19, 0)
    assert encoder.calls == []
    assert client.exists(index=target, id="late", params={"routing": "one"}) == moved
    made = client.indices.get(index=target)[target]
    assert made["aliases"] == {alias: {"is_write_index": True, "index_routing": "one"}}
    assert read_mark(made["mappings"]) is None
    assert not is_blocked(client, source.index)
    report = live.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    assert (report.documents, report.encoded) == (19, 0)
    with pytest.raises((IndexSchemaError, ModelMismatchError)):
        live.reindex_with_model(target, document_encoder=OtherEncoder(other_files))


def test_what_is_written_after_the_alias_could_not_be_moved_goes_over_too(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias)

    def refused(**_: Any) -> Any:
        raise RuntimeError("no rights")

    with monkeypatch.context() as patch:
        patch.setattr(client.indices, "update_aliases", refused)
        with pytest.raises(RuntimeError, match="no rights"):
            source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    source.write([{"id": "late", "text": "late", "embedding": [1.0, 2.0]}])
    report = source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    assert (report.documents, report.encoded) == (20, 1)
    assert list(client.indices.get_alias(name=alias)) == [target]


def test_copy_of_which_the_alias_was_moved_is_ended_for_its_own_model_only(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = f"{target}-alias"
    with monkeypatch.context() as patch:
        kill_at(client, patch, "update_aliases", after=True)
        with pytest.raises(Killed):
            source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    with pytest.raises(IndexSchemaError, match=r"to which alias .* was moved, is a copy for another model"):
        source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), prune=_prune(), alias=alias)
    assert is_blocked(client, source.index)
    by_alias = NeuralSparseStore(alias, client=client)
    by_alias.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    assert not is_blocked(client, source.index)


def test_copy_of_which_the_alias_was_moved_is_ended_when_its_source_is_gone(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias)
    with monkeypatch.context() as patch:
        kill_at(client, patch, "update_aliases", after=True)
        with pytest.raises(Killed):
            source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    client.indices.delete(index=source.index)
    by_alias = NeuralSparseStore(alias, client=client)
    report = by_alias.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    assert report.documents == 19
    assert read_mark(client.indices.get(index=target)[target]["mappings"]) is None


def test_alias_that_the_target_holds_alone_keeps_what_it_is(
    source: NeuralSparseStore, client: Any, target: str, other_files: Any
) -> None:
    alias = f"{target}-alias"
    with pytest.raises(RuntimeError, match="out of memory"):
        source.reindex_with_model(target, document_encoder=OtherEncoder(other_files, fails_after=8), options=PAGES)
    client.indices.put_alias(index=target, name=alias, body={"filter": {"exists": {"field": "content"}}})
    source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias, options=PAGES)
    made = client.indices.get(index=target)[target]
    assert made["aliases"] == {alias: {"filter": {"exists": {"field": "content"}}}}


async def test_awaited_store_ends_a_killed_copy_alike(
    server: RunningServer,
    source: NeuralSparseStore,
    client: Any,
    target: str,
    encoder: WordEncoder,
    other_files: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=source.index, name=alias)
    with monkeypatch.context() as patch:
        kill_at(client, patch, "put_settings")
        with pytest.raises(Killed):
            source.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    assert is_blocked(client, source.index)
    async with AsyncNeuralSparseStore(alias, url=server.url, document_encoder=encoder, schema=SCHEMA) as store:
        report = await store.reindex_with_model(target, document_encoder=OtherEncoder(other_files), alias=alias)
    assert (report.documents, report.encoded) == (19, 0)
    assert not is_blocked(client, source.index)


async def test_awaited_store_goes_on_alike(
    server: RunningServer, source: NeuralSparseStore, client: Any, target: str, encoder: WordEncoder, other_files: Any
) -> None:
    newer = OtherEncoder(other_files, fails_after=8)
    async with AsyncNeuralSparseStore(
        source.index, url=server.url, query_encoder=encoder, document_encoder=encoder, schema=SCHEMA
    ) as store:
        with pytest.raises(RuntimeError, match="out of memory"):
            await store.reindex_with_model(target, document_encoder=newer, options=PAGES)
        assert not is_blocked(client, source.index)
        report = await store.reindex_with_model(target, document_encoder=newer, options=PAGES)
    assert (report.documents, report.encoded) == (19, 11)
    assert everything(client, target) == everything(client, source.index)
    assert sorted(text for call in newer.calls for text in call) == sorted(
        {text for call in newer.calls for text in call}
    )


async def test_cancelled_copy_lets_writes_pass_again(
    server: RunningServer, source: NeuralSparseStore, client: Any, target: str, encoder: WordEncoder, other_files: Any
) -> None:
    started, proceed = threading.Event(), threading.Event()

    class Slow(OtherEncoder):
        def encode_documents(self, texts: Sequence[str], **options: Any) -> list[SparseVector]:
            started.set()
            proceed.wait(10)
            return super().encode_documents(texts, **options)

    async with AsyncNeuralSparseStore(source.index, url=server.url, document_encoder=encoder, schema=SCHEMA) as store:
        copying = asyncio.create_task(
            store.reindex_with_model(target, document_encoder=Slow(other_files), options=PAGES)
        )
        await asyncio.to_thread(started.wait, 10)
        assert is_blocked(client, source.index)
        copying.cancel()
        proceed.set()
        with pytest.raises(asyncio.CancelledError):
            await copying
        assert not is_blocked(client, source.index)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_copy_that_is_killed_at_any_request_is_ended_by_the_same_call(
    source: NeuralSparseStore,
    client: Any,
    make_store: MakeStore,
    target: str,
    other_files: Any,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    alias, pages = f"{target}-alias", WriteOptions(batch_size=8)
    whole = everything(client, source.index)
    for number in count(1):
        client.indices.put_alias(index=source.index, name=alias)
        killed, again = OtherEncoder(other_files), OtherEncoder(other_files)
        try:
            with monkeypatch.context() as patch:
                end_at(client, patch, number, after=after)
                make_store(schema=SCHEMA).reindex_with_model(
                    target, document_encoder=killed, alias=alias, options=pages
                )
            break
        except Killed:
            pass
        assert everything(client, alias) == whole
        assert len(client.indices.get_alias(name=alias)) == 1
        report = make_store(schema=SCHEMA).reindex_with_model(
            target, document_encoder=again, alias=alias, options=pages
        )
        assert report.documents == len(whole)
        assert everything(client, target) == whole
        assert list(client.indices.get_alias(name=alias)) == [target]
        assert read_mark(client.indices.get_mapping(index=target)[target]["mappings"]) is None
        assert not is_blocked(client, source.index)
        first, second = ([text for call in encoder.calls for text in call] for encoder in (killed, again))
        assert len(set(first) & set(second)) <= pages.batch_size
        client.indices.delete(index=target)
    assert number > 20
