"""The encoder killed in the middle of a load by the shell or by Haystack's indexer: run again, nothing is missing."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.preprocessors.opensearch_neural_sparse import NeuralSparseDocumentSplitter
from haystack_integrations.components.super_components.opensearch_neural_sparse import OpenSearchNeuralSparseIndexer
from haystack_integrations.components.super_components.opensearch_neural_sparse.composite import DocumentStep
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import DocumentEncoder, NeuralSparseStore, RemoteEncoderError
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL
from tests.serving.conftest import MAIN, KillableService
from tests.serving.test_kills import REMOTE, SETTINGS, ensure_all_stored

pytestmark = [pytest.mark.slow, pytest.mark.newest_server]

ROWS = {str(n): f"The river number {n} runs to the sea, and boat {n * 7} waits in the harbour." for n in range(1000)}
ARTICLES = [
    Document(id=f"article {n}", content=" ".join(f"Boat {n * 7 + k} waits in harbour {k}." for k in range(12)))
    for n in range(120)
]
ROUNDED = 2**-8
"""Relative error of weights that are written as the index keeps them."""


def start_ingest(server: RunningServer, index: str, url: str, *arguments: str) -> subprocess.Popen[str]:
    """Start the load in a process of its own."""
    command = [sys.executable, "-c", MAIN, "ingest", index, *arguments, "--model", str(SMALL_MODEL)]
    return subprocess.Popen(
        [*command, "--batch-size", "10", "--encoder-url", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENSEARCH_URL": server.url},
    )


def wait_for_documents(client: Any, index: str, least: int) -> None:
    """Wait until an index holds some documents."""
    deadline = monotonic() + 60
    while client.count(index=index)["count"] < least:
        assert monotonic() < deadline, f"{index} holds fewer than {least} documents"
        sleep(0.02)
        client.indices.refresh(index=index)


@pytest.mark.parametrize("by_journal", [True, False], ids=["journal", "no-journal"])
def test_command_says_what_was_written_and_finishes_when_it_is_repeated(
    by_journal: bool,
    server: RunningServer,
    client: Any,
    index_name: str,
    service: KillableService,
    encoder: DocumentEncoder,
    tmp_path: Path,
) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in ROWS.items()))
    arguments = [str(source), *(("--journal", str(tmp_path / "journal")) if by_journal else ())]
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create(settings=SETTINGS)
    first = start_ingest(server, index_name, service.url, *arguments)
    wait_for_documents(client, index_name, random.randrange(20, 200))
    service.kill()
    out, err = first.communicate(timeout=120)
    assert first.returncode == 1, (out, err)
    (reason,) = [line for line in err.splitlines() if " written (" not in line]  # but for lines of progress
    assert reason.startswith(f"Stopped early: The encoder at {service.url} did not answer")
    written = ensure_all_stored(client, index_name, encoder, complete=False, tolerance=ROUNDED, texts=ROWS)
    assert 0 < written < len(ROWS)
    assert out.startswith(f"{written} of ")
    assert f"documents written to {index_name}" in out
    service.start()
    second = start_ingest(server, index_name, service.url, *arguments, "--json")
    out, err = second.communicate(timeout=120)
    assert second.returncode == 0, err
    outcome = json.loads(out)
    kept = written if by_journal else 0
    assert (outcome["written"], outcome["unchanged"]) == (len(ROWS) - kept, kept)
    assert (outcome["left"], outcome["refused"], outcome["stopped"]) == (0, [], None)
    ensure_all_stored(client, index_name, encoder, complete=True, tolerance=ROUNDED, texts=ROWS)


class InterruptingSplitter:
    """Splits documents, and kills the encoder shortly after it was given some of them."""

    def __init__(self, splitter: NeuralSparseDocumentSplitter, service: KillableService, place: int) -> None:
        self._splitter, self._service, self._left = splitter, service, place

    def run(self, documents: list[Document]) -> dict[str, Any]:
        if 0 < self._left <= len(documents):
            Timer(random.random() / 20, self._service.kill).start()
        self._left -= len(documents)
        return self._splitter.run(documents)


@pytest.mark.parametrize("by_journal", [True, False], ids=["journal", "no-journal"])
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "async"])
def test_indexer_names_the_encoder_and_finishes_when_it_runs_again(
    blocking: bool,
    by_journal: bool,
    server: RunningServer,
    client: Any,
    index_name: str,
    service: KillableService,
    encoder: DocumentEncoder,
    tmp_path: Path,
) -> None:
    def run(splitter: DocumentStep) -> dict[str, Any]:
        store = OpenSearchNeuralSparseDocumentStore(
            hosts=server.url, index=index_name, model=str(SMALL_MODEL), settings=SETTINGS
        )
        embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, url=service.url, remote_options=REMOTE, progress_bar=False)
        options = {"journal": str(tmp_path / "journal")} if by_journal else {}
        indexer = OpenSearchNeuralSparseIndexer(
            document_store=store, embedder=embedder, splitter=splitter, policy="overwrite", batch_size=10, **options
        )
        try:
            return indexer.run(ARTICLES) if blocking else asyncio.run(indexer.run_async(ARTICLES))
        finally:
            embedder.close()
            store.close()

    plain = NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=20, split_overlap=4)
    passages = {passage.id: str(passage.content) for passage in plain.run(ARTICLES)["documents"]}
    assert len(passages) > 2 * len(ARTICLES)
    with pytest.raises(RemoteEncoderError, match=f"The encoder at {service.url} did not answer"):
        run(InterruptingSplitter(plain, service, random.randrange(30, 60)))
    written = ensure_all_stored(client, index_name, encoder, complete=False, tolerance=ROUNDED, texts=passages)
    assert 0 < written < len(passages)
    service.start()
    outcome = run(plain)
    kept = outcome["report"]["unchanged"] if by_journal else 0
    assert kept == (written if by_journal else 0)
    assert outcome["documents_written"] == len(passages) - kept
    ensure_all_stored(client, index_name, encoder, complete=True, tolerance=ROUNDED, texts=passages)
