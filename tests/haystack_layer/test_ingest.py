"""Loads of Haystack's documents by a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from haystack import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from opensearch_neural_sparse import Load
from tests.haystack_layer.conftest import MakeStore

DOCUMENTS = [Document(id=str(n), content=f"The river number {n}.", meta={"n": n}) for n in range(20)]


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.written, report.unchanged, report.refused, report.deleted


def test_repeated_load_writes_only_what_changed(make_store: MakeStore, tmp_path: Path) -> None:
    store, journal = make_store(return_embedding=True), tmp_path / "j"
    assert counts(store.ingest(Load(iter(DOCUMENTS), journal=journal))) == (20, 0, 0, 0)
    changed = [*DOCUMENTS[:15], Document(id="15", content="A lake.")]
    assert counts(store.ingest(Load(changed, journal=journal, sync=True))) == (1, 15, 0, 4)
    found = store.filter_documents({"field": "id", "operator": "==", "value": "15"})
    assert [document.content for document in found] == ["A lake."]
    assert found[0].sparse_embedding is not None


def test_several_processes_encode_a_load(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store(return_embedding=True, workers=2)
    assert store.to_dict()["init_parameters"]["workers"] == 2
    assert "workers" not in make_store().to_dict()["init_parameters"]
    assert counts(store.ingest(Load(DOCUMENTS, journal=tmp_path / "j"))) == (20, 0, 0, 0)
    assert all(document.sparse_embedding for document in store.filter_documents())


def test_given_embeddings_are_kept(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, tmp_path: Path
) -> None:
    store, journal = make_store(return_embedding=True), tmp_path / "j"
    embedded = embedder.run(DOCUMENTS[:3])["documents"]
    for expected in ((3, 0, 0, 0), (0, 3, 0, 0)):
        assert counts(store.ingest(Load(embedded, journal=journal))) == expected
    stored = {document.id: document.sparse_embedding for document in store.filter_documents()}
    assert {name: len(vector.indices) for name, vector in stored.items() if vector} == {
        document.id: len(document.sparse_embedding.indices) for document in embedded
    }


def test_document_that_no_index_can_take_is_reported(make_store: MakeStore, tmp_path: Path) -> None:
    report = make_store().ingest(Load([*DOCUMENTS[:2], Document(id="x" * 600, content="long")]))
    assert counts(report) == (2, 0, 1, 0)
    assert report.letters[0].place == "row 3"
    assert "1 to 512 bytes" in report.letters[0].reason


@pytest.mark.asyncio
async def test_awaited_load_continues_that_of_the_blocking_one(make_store: MakeStore, tmp_path: Path) -> None:
    store, journal = make_store(return_embedding=True), tmp_path / "j"
    store.ingest(Load(DOCUMENTS[:5], journal=journal))
    assert counts(await store.ingest_async(Load(DOCUMENTS, journal=journal))) == (15, 5, 0, 0)
