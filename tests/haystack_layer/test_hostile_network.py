"""Writes and loads of the document store through a proxy that does harm."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from haystack import Document
from haystack.document_stores.errors import DocumentStoreError, DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from opensearch_neural_sparse import Load, WriteOptions
from tests.faulty_proxy import Fault, FaultyProxy, always, listed
from tests.haystack_layer.conftest import MakeStore

DOCUMENTS = [Document(id=str(n), content=f"The river number {n}.") for n in range(20)]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests be sent again at once, where the caller cannot say so."""
    monkeypatch.setattr(WriteOptions, "backoff", lambda options, attempt: 0.01)


def test_load_and_write_name_the_fault_and_go_on(make_store: MakeStore, server: Any, tmp_path: Path) -> None:
    assert make_store().count_documents() == 0
    with FaultyProxy(server.url, listed(Fault.RESET_AFTER, Fault.TOO_LARGE, kind="_bulk")) as proxy:
        load = Load(DOCUMENTS, journal=tmp_path / "j")
        assert make_store(hosts=proxy.url).ingest(load).written == 20
        assert proxy.faults == [Fault.RESET_AFTER, Fault.TOO_LARGE]
    with FaultyProxy(server.url, always(Fault.TOO_LARGE, kind="_bulk")) as proxy:
        report = make_store(hosts=proxy.url).ingest(Load(DOCUMENTS[:2], journal=tmp_path / "other"))
        assert (report.written, report.refused) == (0, 2)
        assert "status 413" in report.letters[0].reason
        with pytest.raises(DocumentStoreError, match="status 413"):
            make_store(hosts=proxy.url).write_documents(DOCUMENTS[:2], policy=DuplicatePolicy.OVERWRITE)
    assert make_store().count_documents() == 20


async def _write_async(store: Any, documents: list[Document], policy: DuplicatePolicy) -> int:
    try:
        return int(await store.write_documents_async(documents, policy=policy))
    finally:
        await store.close_async()


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
@pytest.mark.parametrize("schedule", [listed, always])
@pytest.mark.parametrize("policy", DuplicatePolicy, ids=lambda policy: policy.name)
def test_documents_of_which_the_answer_was_lost_are_counted_as_written(
    policy: DuplicatePolicy, schedule: Any, awaited: bool, make_store: MakeStore, server: Any
) -> None:
    older = 5
    make_store().write_documents(DOCUMENTS[:older])

    def write(url: str, documents: list[Document]) -> int:
        store = make_store(hosts=url)
        if awaited:
            return asyncio.run(_write_async(store, documents, policy))
        return int(store.write_documents(documents, policy=policy))

    with FaultyProxy(server.url, schedule(Fault.LATE_GATEWAY_TIMEOUT, kind="_bulk")) as proxy:
        assert write(proxy.url, DOCUMENTS[older:10]) == 10 - older
    with FaultyProxy(server.url, schedule(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        if policy is DuplicatePolicy.OVERWRITE:
            assert write(proxy.url, DOCUMENTS) == 20
        elif policy is DuplicatePolicy.SKIP:
            assert write(proxy.url, DOCUMENTS) == 10
        else:
            with pytest.raises(DuplicateDocumentError, match="10 documents have ids that exist already, 10 were writ"):
                write(proxy.url, DOCUMENTS)
    assert make_store().count_documents() == 20


def test_policy_to_skip_counts_no_duplicate_that_the_lost_answer_hides(make_store: MakeStore, server: Any) -> None:
    make_store().write_documents(DOCUMENTS)
    with FaultyProxy(server.url, listed(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        assert make_store(hosts=proxy.url).write_documents(DOCUMENTS, policy=DuplicatePolicy.SKIP) == 0
