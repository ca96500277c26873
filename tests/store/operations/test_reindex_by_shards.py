"""Reindexing by parts: the shards of the source by several calls, and the end by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    IndexSchemaError,
    NeuralSparseStore,
    ReindexReport,
    WriteOptions,
    get_model,
    resolve_files,
)
from opensearch_neural_sparse.index.binding.reindex_mark import read_mark
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore
from tests.store.kills import Killed, end_at
from tests.toy import write_doc_only, write_safetensors

SHARDS, DOCUMENTS = 3, 30
PAGES = WriteOptions(batch_size=4)


@pytest.fixture
def newer(tmp_path: Path) -> WordEncoder:
    root = write_doc_only(tmp_path / "newer-model")
    write_safetensors(root / "document_0_MLMTransformer" / "model.safetensors", {"weights": [0.25] * 10})
    return WordEncoder(resolve_files(get_model(root)))


@pytest.fixture
def source(make_store: MakeStore) -> NeuralSparseStore:
    store = make_store()
    store.create(settings={"number_of_shards": SHARDS})
    store.write({"id": f"{n}", "text": f"word{n}"} for n in range(DOCUMENTS))
    return store


@pytest.fixture
def target(client: Any, other_index: str) -> Iterator[str]:
    yield f"{other_index}-new"
    client.indices.delete(index=f"{other_index}-new", ignore_unavailable=True)


@pytest.fixture
def alias(source: NeuralSparseStore, client: Any, target: str) -> str:
    client.indices.put_alias(index=source.index, name=f"{target}-alias")
    return f"{target}-alias"


def texts(client: Any, index: str) -> dict[str, str]:
    client.indices.refresh(index=index)
    hits = client.search(index=index, body={"size": 100})["hits"]["hits"]
    return {hit["_id"]: hit["_source"]["content"] for hit in hits}


def encoded(encoder: WordEncoder) -> list[str]:
    return sorted(text for call in encoder.calls for text in call)


def is_unfinished(client: Any, index: str) -> bool:
    return read_mark(client.indices.get_mapping(index=index)[index]["mappings"]) is not None


def is_blocked(client: Any, index: str) -> bool:
    settings = client.indices.get_settings(index=index)[index]["settings"]["index"]
    return bool(settings.get("blocks", {}).get("write") == "true")


def test_shards_one_by_one_are_the_whole(
    source: NeuralSparseStore, client: Any, target: str, alias: str, newer: WordEncoder
) -> None:
    choices: dict[str, Any] = {"document_encoder": newer, "alias": alias, "options": PAGES}
    assert source.reindex_with_model(target, shards=[], **choices) == ReindexReport(index=target, documents=0)
    assert newer.calls == []
    copied = 0
    for shard in reversed(range(SHARDS)):
        report = source.reindex_with_model(target, shards=[shard], **choices)
        copied += report.encoded
        assert report == ReindexReport(index=target, documents=copied, encoded=report.encoded)
        assert 0 < report.encoded < DOCUMENTS
        assert list(client.indices.get_alias(name=alias)) == [source.index]
        assert is_unfinished(client, target)
        assert not is_blocked(client, source.index)
    assert encoded(newer) == sorted(f"word{n}" for n in range(DOCUMENTS))
    assert source.reindex_with_model(target, shards=range(SHARDS), **choices).encoded == 0
    report = source.reindex_with_model(target, **choices)
    assert report == ReindexReport(index=target, documents=DOCUMENTS)
    assert len(encoded(newer)) == DOCUMENTS
    assert texts(client, target) == texts(client, source.index)
    assert list(client.indices.get_alias(name=alias)) == [target]
    assert not is_unfinished(client, target)
    for shards in ([], [0]):
        report = source.reindex_with_model(target, shards=shards, **choices)
        assert report == ReindexReport(index=target, documents=DOCUMENTS)


def test_what_is_written_to_the_source_between_parts_goes_over(
    source: NeuralSparseStore, client: Any, target: str, alias: str, newer: WordEncoder
) -> None:
    class Written(WordEncoder):
        def encode_documents(self, texts: Any, **options: Any) -> Any:
            source.write([{"id": f"late{len(self.calls)}", "text": "late"}])
            return super().encode_documents(texts, **options)

    writing = Written(newer.files)
    source.reindex_with_model(target, document_encoder=writing, shards=[0, 1], options=PAGES)
    assert writing.calls
    done = set(encoded(writing))
    changed = next(text for text in done if text.startswith("word")).removeprefix("word")
    gone = next(text for text in sorted(done) if text not in (f"word{changed}", "late")).removeprefix("word")
    source.write([{"id": changed, "text": "changed"}])
    source.delete([gone])
    report = source.reindex_with_model(target, document_encoder=newer, alias=alias, options=PAGES)
    assert report.documents == DOCUMENTS - 1 + len(writing.calls)
    assert texts(client, target) == texts(client, source.index)
    assert texts(client, target)[changed] == "changed"
    assert not done & set(encoded(newer)) - {"late"}
    assert list(client.indices.get_alias(name=alias)) == [target]


def test_documents_without_an_id_field_go_over_by_parts(
    source: NeuralSparseStore, client: Any, target: str, newer: WordEncoder
) -> None:
    rows = [line for n in range(40) for line in ({"index": {"_id": f"x{n}"}}, {"content": f"other{n}"})]
    client.bulk(index=source.index, body=rows, params={"refresh": "true"})
    for shard in range(SHARDS):
        source.reindex_with_model(target, document_encoder=newer, shards=[shard], options=PAGES)
    assert len(encoded(newer)) == DOCUMENTS + 40
    assert source.reindex_with_model(target, document_encoder=newer).encoded == 0
    assert texts(client, target) == texts(client, source.index)


def test_part_of_a_copy_whose_alias_was_moved_copies_and_ends_nothing(
    source: NeuralSparseStore,
    client: Any,
    target: str,
    alias: str,
    newer: WordEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(**_: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(client.indices, "put_settings", killed)
        with pytest.raises(Killed):
            source.reindex_with_model(target, document_encoder=newer, alias=alias)
    client.index(index=alias, id="1", body={"id": "1", "content": "by the alias"}, params={"refresh": "true"})
    report = source.reindex_with_model(target, document_encoder=newer, alias=alias, shards=range(SHARDS))
    assert report == ReindexReport(index=target, documents=DOCUMENTS)
    assert texts(client, target)["1"] == "by the alias"
    assert is_unfinished(client, target)
    assert is_blocked(client, source.index)
    source.reindex_with_model(target, document_encoder=newer, alias=alias)
    assert not is_unfinished(client, target)
    assert not is_blocked(client, source.index)


@pytest.mark.parametrize("wrong", [SHARDS, -1])
def test_shard_that_is_not_there_is_refused_before_anything_is_made(
    source: NeuralSparseStore, client: Any, target: str, newer: WordEncoder, wrong: int
) -> None:
    message = f"Index '{source.index}' has no shard {wrong}; its 3 shards count from 0 to 2"
    with pytest.raises(ValueError, match=message):
        source.reindex_with_model(target, document_encoder=newer, shards=[0, wrong])
    assert not client.indices.exists(index=target)
    source.reindex_with_model(target, document_encoder=newer, shards=[])
    with pytest.raises(ValueError, match=message):
        source.reindex_with_model(target, document_encoder=newer, shards=[wrong])


def test_document_without_text_that_comes_between_parts_is_named(
    source: NeuralSparseStore, client: Any, target: str, newer: WordEncoder
) -> None:
    source.reindex_with_model(target, document_encoder=newer, shards=[])
    client.index(index=source.index, id="bare", body={"id": "bare"}, params={"refresh": "true"})
    with pytest.raises(IndexSchemaError, match="have no text to encode: 'bare'"):
        source.reindex_with_model(target, document_encoder=newer, shards=range(SHARDS))
    report = source.reindex_with_model(target, document_encoder=newer, on_missing_text="keep", shards=range(SHARDS))
    assert (report.documents, report.without_text) == (DOCUMENTS + 1, 1)


async def test_awaited_store_copies_parts_alike(
    server: RunningServer, source: NeuralSparseStore, client: Any, target: str, alias: str, newer: WordEncoder
) -> None:
    choices: dict[str, Any] = {"document_encoder": newer, "alias": alias, "options": PAGES}
    async with AsyncNeuralSparseStore(source.index, url=server.url) as store:
        copied = 0
        for shards in ([], [0], [1, 2]):
            report = await store.reindex_with_model(target, shards=shards, **choices)
            copied += report.encoded
            assert report.documents == copied
            assert list(client.indices.get_alias(name=alias)) == [source.index]
            assert not is_blocked(client, source.index)
        await store.write([{"id": "late", "text": "late", "vector": {"late": 1.0}}])
        with pytest.raises(ValueError, match="has no shard 3"):
            await store.reindex_with_model(target, shards=[3], **choices)
        report = await store.reindex_with_model(target, **choices)
    assert report == ReindexReport(index=target, documents=DOCUMENTS + 1, encoded=1)
    assert encoded(newer) == sorted(["late", *(f"word{n}" for n in range(DOCUMENTS))])
    assert list(client.indices.get_alias(name=alias)) == [target]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_part_that_is_killed_at_any_request_is_continued_by_the_same_call(
    source: NeuralSparseStore,
    client: Any,
    make_store: MakeStore,
    target: str,
    alias: str,
    newer: WordEncoder,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
) -> None:
    whole = texts(client, source.index)
    for number in count(1):
        killed, again = WordEncoder(newer.files), WordEncoder(newer.files)
        try:
            with monkeypatch.context() as patch:
                end_at(client, patch, number, after=after)
                make_store().reindex_with_model(
                    target, document_encoder=killed, alias=alias, options=PAGES, shards=[0, 2]
                )
            break
        except Killed:
            pass
        assert not is_blocked(client, source.index)
        choices: dict[str, Any] = {"document_encoder": again, "alias": alias, "options": PAGES}
        make_store().reindex_with_model(target, shards=[0, 2], **choices)
        assert list(client.indices.get_alias(name=alias)) == [source.index]
        assert len(set(encoded(killed)) & set(encoded(again))) <= PAGES.batch_size
        report = make_store().reindex_with_model(target, **choices)
        assert report.documents == DOCUMENTS
        assert texts(client, target) == whole
        assert len(encoded(again)) == len(set(encoded(again)))
        assert list(client.indices.get_alias(name=alias)) == [target]
        client.indices.put_alias(index=source.index, name=alias)
        client.indices.delete(index=target)
    assert number > 10
