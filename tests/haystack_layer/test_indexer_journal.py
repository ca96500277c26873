"""An indexer by a journal: what a second run splits, embeds, writes and deletes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.components.preprocessors import DocumentSplitter
from haystack.document_stores.types import DuplicatePolicy

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.preprocessors.opensearch_neural_sparse import NeuralSparseDocumentSplitter
from haystack_integrations.components.super_components.opensearch_neural_sparse import OpenSearchNeuralSparseIndexer
from opensearch_neural_sparse import JournalMismatchError
from tests.haystack_layer.conftest import MakeStore
from tests.haystack_layer.test_indexer import DOCUMENTS, Lengths
from tests.paths import SMALL_MODEL


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(tmp_path / "articles.journal")


@pytest.fixture
def splitter() -> NeuralSparseDocumentSplitter:
    return NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=20, split_overlap=4)


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the documents that were embedded."""
    seen: list[str] = []
    plain = NeuralSparseDocumentEmbedder._text

    def noted(self: NeuralSparseDocumentEmbedder, document: Document) -> str:
        seen.append(document.id)
        return plain(self, document)

    monkeypatch.setattr(NeuralSparseDocumentEmbedder, "_text", noted)
    return seen


def counts(outcome: dict[str, Any]) -> tuple[int, int, int, int]:
    report = outcome["report"]
    assert outcome["documents_written"] == report["written"]
    return report["written"], report["unchanged"], report["refused"], report["deleted"]


def ids(store: Any) -> set[str]:
    return {document.id for document in store.filter_documents()}


@pytest.mark.parametrize("stock", [False, True], ids=["own splitter", "Haystack's splitter"])
def test_second_run_embeds_the_passages_that_changed_alone(
    make_store: MakeStore,
    embedder: NeuralSparseDocumentEmbedder,
    splitter: NeuralSparseDocumentSplitter,
    embedded: list[str],
    journal: str,
    stock: bool,
) -> None:
    cut = DocumentSplitter(split_length=20) if stock else splitter
    store = make_store(return_embedding=True)
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, splitter=cut, journal=journal)
    passages = cut.run(DOCUMENTS)["documents"]
    assert counts(indexer.run(DOCUMENTS)) == (len(passages), 0, 0, 0)
    assert set(embedded) == {passage.id for passage in passages}
    assert {document.id: document.meta for document in store.filter_documents()} == {
        passage.id: passage.meta for passage in passages
    }
    assert all(document.sparse_embedding is not None for document in store.filter_documents())
    embedded.clear()
    assert counts(indexer.run(DOCUMENTS)) == (0, len(passages), 0, 0)
    assert embedded == []
    longer = [DOCUMENTS[0], Document(id="hearts", content=f"{DOCUMENTS[1].content} And rests.", meta={"year": 2026})]
    indexer.run(longer)
    kept = {passage.id for passage in passages}
    expected = {passage.id: passage.content for passage in cut.run(longer)["documents"]}
    assert 0 < len(set(embedded)) < len(expected) / 2
    assert {document.id: document.content for document in store.filter_documents()} == expected
    assert set(embedded) >= expected.keys() - kept


def test_passages_that_a_document_no_longer_has_are_deleted_and_written_when_they_are_back(
    make_store: MakeStore,
    embedder: NeuralSparseDocumentEmbedder,
    splitter: NeuralSparseDocumentSplitter,
    journal: str,
) -> None:
    store = make_store()
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, splitter=splitter, journal=journal)
    indexer.run(DOCUMENTS)
    before = ids(store)
    assert counts(indexer.run([Document(id="rivers", content="Rivers carry water.")]))[0] == 1
    assert ids(store) == {"rivers#0"} | {name for name in before if name.startswith("hearts#")}
    indexer.run([Document(id="rivers", content="")])
    assert ids(store) == {name for name in before if name.startswith("hearts#")}
    indexer.run(DOCUMENTS)
    assert ids(store) == before


def test_sync_deletes_documents_that_are_gone_and_of_this_source_alone(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, splitter: NeuralSparseDocumentSplitter, journal: str
) -> None:
    store = make_store()
    OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder).run([Document(id="other", content="A dog.")])
    options: dict[str, Any] = {"document_store": store, "embedder": embedder, "splitter": splitter, "sync": True}
    indexer = OpenSearchNeuralSparseIndexer(**options, journal=journal, source="articles")
    indexer.run(DOCUMENTS)
    hearts = {name for name in ids(store) if name.startswith("hearts#")}
    written, unchanged, refused, deleted = counts(indexer.run(DOCUMENTS[1:]))
    assert (written, unchanged, refused) == (0, len(hearts), 0)
    assert deleted > 1
    assert ids(store) == hearts | {"other"}
    with pytest.raises(JournalMismatchError, match="its source is 'articles'"):
        OpenSearchNeuralSparseIndexer(**options, journal=journal).run(DOCUMENTS)


def test_both_vectors_of_whole_documents_with_metadata_that_is_embedded(
    make_store: MakeStore, embedded: list[str], journal: str
) -> None:
    store = make_store(embedding_dim=2, return_embedding=True)
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, meta_fields_to_embed=["title"], progress_bar=False)
    titled = [Document(id="1", content="A stone.", meta={"title": "Geology", "_routing": "r"})]
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=store, embedder=embedder, dense_embedder=Lengths(), journal=journal
    )
    assert counts(indexer.run(titled)) == (1, 0, 0, 0)
    assert counts(indexer.run(titled)) == (0, 1, 0, 0)
    assert embedded == ["1"]
    (found,) = store.filter_documents()
    expected = embedder.run(titled)["documents"][0].sparse_embedding
    assert found.sparse_embedding.indices == expected.indices
    assert found.embedding == [8, 1]
    assert found.meta == {"title": "Geology"}


def test_what_fails_is_reported_and_the_rest_written(
    make_store: MakeStore,
    embedder: NeuralSparseDocumentEmbedder,
    splitter: NeuralSparseDocumentSplitter,
    journal: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, failed = make_store(), tmp_path / "failed.jsonl"
    options: dict[str, Any] = {"document_store": store, "embedder": embedder, "splitter": splitter}
    indexer = OpenSearchNeuralSparseIndexer(**options, journal=journal, dead_letters=str(failed))
    mixed = [Document(id="none", content=None), Document(id="x" * 600, content="Long."), Document(id="1", content="A.")]
    outcome = indexer.run(mixed)
    assert counts(outcome) == (1, 0, 2, 0)
    assert not outcome["report"]["complete"]
    assert "Not all documents were indexed: 1 written, 0 unchanged, 2 refused" in caplog.text
    letters = [json.loads(line) for line in failed.read_text(encoding="utf-8").splitlines()]
    assert [letter["place"] for letter in letters] == ["none", f"{'x' * 600}:1"]
    strict = OpenSearchNeuralSparseIndexer(**options, journal=journal, max_errors=0)
    stopped = strict.run(mixed)["report"]["stopped"]
    assert stopped.startswith("More than 0 rows failed")


def test_embedder_that_returns_other_documents_is_refused(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, journal: str
) -> None:
    cutting = DocumentSplitter(split_length=5)
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=make_store(), embedder=embedder, dense_embedder=cutting, journal=journal
    )
    with pytest.raises(ValueError, match="By a journal, embedders return each document"):
        indexer.run(DOCUMENTS)


def test_pipeline_continues_after_yaml_and_asynchronously(
    make_store: MakeStore, splitter: NeuralSparseDocumentSplitter, journal: str
) -> None:
    pipeline = Pipeline()
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=make_store(),
        embedder=NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False),
        splitter=splitter,
        journal=journal,
        source="articles",
        sync=True,
        max_errors=3,
    )
    pipeline.add_component("indexer", indexer)
    loaded = Pipeline.loads(saved := pipeline.dumps())
    assert loaded.dumps() == saved
    assert {"journal", "source", "sync", "max_errors"} < indexer.to_dict()["init_parameters"].keys()
    assert "dead_letters" not in indexer.to_dict()["init_parameters"]
    written = loaded.run({"indexer": {"documents": DOCUMENTS}})["indexer"]["documents_written"]
    assert written > 2
    loaded.close()

    async def index() -> dict[str, Any]:
        try:
            return (await pipeline.run_async({"indexer": {"documents": DOCUMENTS[1:]}}))["indexer"]
        finally:
            await pipeline.close_async()

    again = asyncio.run(index())
    assert counts(again)[0] == 0
    assert again["report"]["unchanged"] + again["report"]["deleted"] == written
    pipeline.close()


def test_what_was_saved_without_a_journal_has_no_keys_of_one(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder
) -> None:
    parameters = OpenSearchNeuralSparseIndexer(document_store=make_store(), embedder=embedder).to_dict()
    assert parameters["init_parameters"].keys() == {
        *("document_store", "embedder", "splitter", "dense_embedder", "policy", "batch_size"),
    }


def test_options_that_do_not_go_together_are_refused(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, journal: str
) -> None:
    options: dict[str, Any] = {"document_store": make_store(), "embedder": embedder}
    with pytest.raises(ValueError, match="source, sync need a journal"):
        OpenSearchNeuralSparseIndexer(**options, source="articles", sync=True)
    with pytest.raises(ValueError, match="max_errors is -1; it must be 0 or more"):
        OpenSearchNeuralSparseIndexer(**options, journal=journal, max_errors=-1)
    for policy in ("skip", "fail"):
        with pytest.raises(ValueError, match=f"policy '{policy}' cannot be used with a journal"):
            OpenSearchNeuralSparseIndexer(**options, journal=journal, policy=policy)
    with pytest.raises(ValueError, match="policy 'skip' cannot be used with a journal"):
        OpenSearchNeuralSparseIndexer(**options, journal=journal).run(DOCUMENTS, policy=DuplicatePolicy.SKIP)
