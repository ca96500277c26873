"""Loads of LangChain's documents by a journal."""

from __future__ import annotations

from pathlib import Path

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from opensearch_neural_sparse import IndexSchema, Load, RefusedRow
from tests.langchain_layer.conftest import MakeStore
from tests.langchain_layer.fakes import SharedVocabularyEncoder

DOCUMENTS = [Document(id=str(n), page_content=f"river {n}", metadata={"n": n}) for n in range(30)]


class CountedEmbedding(DeterministicFakeEmbedding):
    """Remembers how many texts it embedded."""

    count: int = 0

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.count += len(texts)
        return super().embed_documents(texts)


def test_repeated_load_embeds_only_what_changed(make_store: MakeStore, tmp_path: Path) -> None:
    embedding = CountedEmbedding(size=8)
    store = make_store(embedding=embedding, schema=IndexSchema(embedding_dimension=8))
    load = Load(iter(DOCUMENTS), journal=tmp_path / "j", source="rivers")
    assert store.ingest(load, batch_size=7).written == 30
    assert embedding.count == 30
    changed = [*DOCUMENTS[:20], Document(id="20", page_content="a lake")]
    report = store.ingest(Load(changed, journal=tmp_path / "j", source="rivers", sync=True))
    assert (report.written, report.unchanged, report.deleted) == (1, 20, 9)
    assert embedding.count == 31
    assert {document.page_content for document in store.get_by_ids(["20", "29"])} == {"a lake"}


async def test_awaited_load_continues_that_of_the_blocking_one(make_store: MakeStore, tmp_path: Path) -> None:
    store, journal = make_store(), tmp_path / "j"
    assert store.ingest(Load(DOCUMENTS[:10], journal=journal)).written == 10
    report = await store.aingest(Load(DOCUMENTS, journal=journal), batch_size=5)
    assert (report.written, report.unchanged) == (20, 10)
    await store.aclose()


def test_documents_without_ids_keep_theirs(
    make_store: MakeStore, tmp_path: Path, encoder: SharedVocabularyEncoder
) -> None:
    store = make_store()
    rows = [Document(page_content="red"), RefusedRow(place="page 2", reason="it is an image"), "blue"]
    for written in (2, 0):
        report = store.ingest(Load(rows, journal=tmp_path / "j"))
        assert (report.written, report.refused) == (written, 1)
    assert store.store.count() == 2
