"""Writes and loads of the vector store through a proxy that does harm."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document

from opensearch_neural_sparse import BulkWriteError, Load, ServerRequestError, WriteOptions
from tests.faulty_proxy import Fault, FaultyProxy, always, listed
from tests.langchain_layer.conftest import MakeStore

DOCUMENTS = [Document(id=str(n), page_content=f"river {n}") for n in range(20)]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests be sent again at once, where the caller cannot say so."""
    monkeypatch.setattr(WriteOptions, "backoff", lambda options, attempt: 0.01)


def test_load_and_write_name_the_fault_and_go_on(make_store: MakeStore, server: Any, tmp_path: Path) -> None:
    with FaultyProxy(server.url, listed(Fault.RESET_AFTER, Fault.TOO_LARGE, kind="_bulk")) as proxy:
        store = make_store(url=proxy.url, client=None)
        assert store.ingest(Load(DOCUMENTS, journal=tmp_path / "j")).written == 20
        assert proxy.faults == [Fault.RESET_AFTER, Fault.TOO_LARGE]
    with FaultyProxy(server.url, always(Fault.TOO_LARGE, kind="_bulk")) as proxy:
        store = make_store(url=proxy.url, client=None)
        report = store.ingest(Load(DOCUMENTS[:2], journal=tmp_path / "other"))
        assert (report.written, report.refused) == (0, 2)
        assert "status 413" in report.letters[0].reason
        with pytest.raises(BulkWriteError, match="status 413"):
            store.add_documents(DOCUMENTS[:2])
    with (
        FaultyProxy(server.url, always(Fault.PAGE, kind="_search")) as proxy,
        pytest.raises(ServerRequestError, match="not what OpenSearch sends"),
    ):
        make_store(url=proxy.url, client=None).similarity_search("river")


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.CUT, Fault.BROKEN_JSON], ids=lambda fault: fault.name)
def test_documents_of_which_every_answer_is_lost_are_added_and_deleted(
    fault: Fault, make_store: MakeStore, server: Any
) -> None:
    direct, ids = make_store(), [str(document.id) for document in DOCUMENTS]
    with FaultyProxy(server.url, always(fault, kind="_bulk")) as proxy:
        store = make_store(url=proxy.url, client=None)
        assert store.add_documents(DOCUMENTS) == ids
        assert asyncio.run(store.aadd_documents(DOCUMENTS)) == ids
        assert len(direct.get_by_ids(ids)) == len(ids)
        assert store.delete(ids[:10])
        assert asyncio.run(store.adelete(ids[10:]))
    assert direct.get_by_ids(ids) == []


def test_documents_that_never_arrived_are_named(make_store: MakeStore, server: Any) -> None:
    direct = make_store()
    direct.add_documents(DOCUMENTS[:5])
    changed = [Document(id=each.id, page_content=f"lake {each.id}") for each in DOCUMENTS[:10]]
    with FaultyProxy(server.url, always(Fault.RESET_BEFORE, kind="_bulk")) as proxy:
        store = make_store(url=proxy.url, client=None, write_options=WriteOptions(max_retries=0))
        with pytest.raises(BulkWriteError, match="0 written, 10 failed, 0 of unknown outcome") as error:
            store.add_documents(changed)
    assert {failure.error_type for failure in error.value.report.failed} == {"not_written"}
    assert {each.page_content for each in direct.get_by_ids([str(each.id) for each in changed])} == {
        each.page_content for each in DOCUMENTS[:5]
    }
