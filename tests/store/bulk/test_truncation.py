"""Texts and queries that are longer than the model reads: one warning a write, with ids, and one a query."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    CachedDocumentEncoder,
    ChunkOptions,
    IndexSchema,
    NeuralSparseStore,
    TruncationWarning,
    WriteOptions,
    load_document_encoder,
)
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

LONG_QUERY = "river " * 600 + "moon"
CUT_QUERY = "The query has 601 tokens, more than the 512 that the model reads; the last 89 are not in its vector."
LIMIT, LONG = 16, "river " * 20
"""With beginning and end of text 22 tokens, 6 above the limit."""
SMALL_BATCHES = WriteOptions(batch_size=2)


@pytest.fixture
def store(client: Any, index_name: str) -> Iterator[NeuralSparseStore]:
    with NeuralSparseStore(
        index_name, client=client, model=SMALL_MODEL, encoder_options={"max_length": LIMIT}
    ) as store:
        store.create(settings={"number_of_shards": 1})
        yield store


def documents(count: int, text: str = LONG) -> list[dict[str, str]]:
    """Return long documents, each followed by a short one."""
    long = [{"id": f"long-{number}", "text": text} for number in range(count)]
    return [one for row in long for one in (row, {"id": row["id"].replace("long", "short"), "text": "moon"})]


def only_warning(caught: pytest.WarningsRecorder) -> TruncationWarning:
    (warning,) = caught
    assert isinstance(warning.message, TruncationWarning)
    return warning.message


def test_a_write_of_several_batches_warns_once_and_names_the_documents(store: NeuralSparseStore) -> None:
    with pytest.warns(TruncationWarning) as caught:
        store.write(iter(documents(7)), options=SMALL_BATCHES)
    warning = only_warning(caught)
    named = "'long-0', 'long-1', 'long-2', 'long-3', 'long-4' and 2 more"
    assert str(warning).startswith(
        f"7 documents have more than {LIMIT} tokens ({named}); what follows, 42 tokens in all, is in no vector."
    )
    assert warning.documents == {f"long-{number}": 6 for number in range(7)}
    assert store.count() == 14


async def test_an_awaited_write_warns_once(store: NeuralSparseStore, server: RunningServer) -> None:
    options: dict[str, Any] = {"model": SMALL_MODEL, "encoder_options": {"max_length": LIMIT}}
    async with AsyncNeuralSparseStore(store.index, url=server.url, **options) as awaited:
        with pytest.warns(TruncationWarning, match="3 documents have more than 16 tokens") as caught:
            await awaited.write(documents(3), options=SMALL_BATCHES)
        assert set(only_warning(caught).documents) == {"long-0", "long-1", "long-2"}
        with pytest.warns(TruncationWarning, match=r"1 document has more than 16 tokens \('short-0'\)"):
            await awaited.update_text({"short-0": LONG})


def test_a_text_of_just_the_limit_is_written_without_a_word(store: NeuralSparseStore) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.write(documents(1, text="river " * (LIMIT - 2)))


def test_texts_that_are_changed_or_encoded_anew_are_named(
    store: NeuralSparseStore, client: Any, other_index: str
) -> None:
    store.write([{"id": "1", "text": "moon"}, {"id": "2", "text": "river"}])
    with pytest.warns(TruncationWarning, match=r"1 document has more than 16 tokens \('1'\)"):
        store.update_text({"1": LONG})
    encoder = load_document_encoder(SMALL_MODEL, max_length=8)
    with pytest.warns(TruncationWarning) as caught:
        store.reindex_with_model(other_index, document_encoder=encoder, options=WriteOptions(batch_size=1))
    assert only_warning(caught).documents == {"1": 14}
    with pytest.warns(TruncationWarning) as caught:
        store.add_field("other", model=SMALL_MODEL, encoder_options={"max_length": 8})
    assert only_warning(caught).documents == {"1": 14}
    with pytest.warns(TruncationWarning) as caught:
        store.write([{"id": "3", "text": LONG}])
    cut = [dict(warning.message.documents) for warning in caught if isinstance(warning.message, TruncationWarning)]
    assert cut == [{"3": 6}, {"3": 14}]  # by each model


def test_chunks_are_written_without_a_word(client: Any, index_name: str) -> None:
    schema = IndexSchema(chunking=ChunkOptions(tokens=12, overlap=2))
    options: dict[str, Any] = {"model": SMALL_MODEL, "encoder_options": {"max_length": LIMIT}}
    with NeuralSparseStore(index_name, client=client, schema=schema, **options) as store, warnings.catch_warnings():
        warnings.simplefilter("error")
        store.create(settings={"number_of_shards": 1})
        store.write([{"id": "1", "text": LONG + "moon"}])
        assert [hit.id for hit in store.search("moon")] == ["1"]


def test_texts_are_named_behind_a_cache_when_they_are_encoded(client: Any, index_name: str, tmp_path: Path) -> None:
    encoder = load_document_encoder(SMALL_MODEL, max_length=LIMIT)
    with (
        CachedDocumentEncoder(encoder, tmp_path / "vectors.sqlite") as cached,
        NeuralSparseStore(index_name, client=client, document_encoder=cached) as store,
    ):
        store.create(settings={"number_of_shards": 1})
        with pytest.warns(TruncationWarning) as caught:
            store.write([{"id": "1", "text": LONG}, {"id": "2", "text": LONG}])
    assert only_warning(caught).documents == {"1": 6, "2": 6}


def test_a_refused_document_does_not_hide_that_others_were_cut(store: NeuralSparseStore) -> None:
    from opensearch_neural_sparse import BulkWriteError

    rows = [{"id": "bad", "text": "moon", "metadata": {"x": float("nan")}}, {"id": "long", "text": LONG}]
    with pytest.warns(TruncationWarning, match="'long'"), pytest.raises(BulkWriteError):
        store.write(iter(rows))


@pytest.mark.parametrize("search", ["search", "search_many", "hybrid_search"])
def test_a_query_that_is_cut_is_warned_of(store: NeuralSparseStore, search: str) -> None:
    store.write([{"id": "1", "text": "moon"}, {"id": "2", "text": "river"}])
    with pytest.warns(TruncationWarning) as caught:
        getattr(store, search)([LONG_QUERY] if search == "search_many" else LONG_QUERY)
    assert str(only_warning(caught)).startswith(CUT_QUERY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [hit.id for hit in store.search("river " * 511 + "moon")] == ["1", "2"]


async def test_an_awaited_query_that_is_cut_is_warned_of(store: NeuralSparseStore, server: RunningServer) -> None:
    store.write([{"id": "1", "text": "moon"}, {"id": "2", "text": "river"}])
    async with AsyncNeuralSparseStore(store.index, url=server.url, model=SMALL_MODEL) as awaited:
        with pytest.warns(TruncationWarning) as caught:
            assert [hit.id for hit in await awaited.search(LONG_QUERY)] == ["2"]
    assert str(only_warning(caught)).startswith(CUT_QUERY)
