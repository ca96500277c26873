"""The demo, on fewer documents, as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.demo.__main__ import QUESTIONS
from examples.demo.reference import LONGEST, language_reference, passage_documents, passages
from opensearch_neural_sparse import NeuralSparseStore, SparseDocument, WriteOptions, load_document_encoder
from tests.paths import ROOT, SMALL_MODEL

pytestmark = pytest.mark.newest_server

DOCUMENTS = 150
ANSWERS = {
    "how do I handle an error": "may be handled by the surrounding code block",
    "how do I sort a list by a key": "key specifies a function of one argument",
    "clean up after an error": "can be used to specify cleanup code",
    "leave a loop early": "It terminates the nearest enclosing loop",
}
"""Question of the demo -> words of the passage that answers it."""
ASKED_TOPICS = {"exceptions", "break", "continue", "while", "for", "with", "raise", "typesseq", "string-methods"}
"""Topics of which the passages are searched here, where encoding all of them would take a minute."""
TOPIC = """Loops
*****

Loops *repeat* a block until some
condition holds; see below for a list of them.

+------+
| none |
+------+

class loop(name)

   stop()

      Stop the loop that is named, at once,
      unless it has ended by itself already.

      Changed in version 3.99: It stops, whatever else was written about it before.

Here is one more paragraph of prose, which belongs to the heading once again.

   while True:
       pass"""


@pytest.mark.slow
def test_demo_answers_and_leaves_no_index_and_reuses_its_vectors(server, client, tmp_path: Path) -> None:
    first, second = (_run_demo(server.url, tmp_path) for _ in range(2))
    assert f"{DOCUMENTS} passages now, 0 vectors reused" in first
    assert f"0 passages now, {DOCUMENTS} vectors reused" in second
    assert f"Wrote {DOCUMENTS} documents" in second
    assert second.count("sparse, rank 1:") == 4
    assert second.count("Answer from these passages alone.") == 2
    assert not client.indices.exists(index="opensearch-neural-sparse-demo")


def _run_demo(url: str, cache: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--limit", str(DOCUMENTS)],
        cwd=ROOT,
        env={**os.environ, "OPENSEARCH_URL": url, "OPENSEARCH_NEURAL_SPARSE_CACHE": str(cache), "DEMO_KEEP": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\n", " ")


def test_a_question_finds_a_passage_that_answers_it_first_in_some_way(server: Any, index_name: str) -> None:
    assert {*ANSWERS} == {*QUESTIONS}
    documents = language_reference()
    candidates = [document for document in documents if document.metadata["topic"] in ASKED_TOPICS]
    assert len(candidates) > 80
    vectors = load_document_encoder(SMALL_MODEL, engine="onnx").encode_documents([one.text for one in candidates])
    with NeuralSparseStore(index_name, url=server.url, model=str(SMALL_MODEL)) as store:
        store.create(settings={"number_of_shards": 1})
        rows = [
            SparseDocument(id=one.id, text=one.text, metadata=one.metadata, vector=vector)
            for one, vector in zip(candidates, vectors, strict=True)
        ]
        store.write(rows, options=WriteOptions(refresh=True))
        for question, answer in ANSWERS.items():
            searches = (store.match_search, store.search, store.hybrid_search)
            assert any(answer in search(question, size=1)[0].text for search in searches), question


def test_passages_have_ids_and_texts_of_their_own() -> None:
    documents = language_reference()
    assert len(documents) > 700
    assert len({document.id for document in documents}) == len({document.text for document in documents})
    assert {"str.split", "dict.get", "The break statement", "pdb break"} <= {document.id for document in documents}
    assert {document.metadata["kind"] for document in documents} == {"prose", "definition", "example"}


def test_a_topic_is_cut_by_headings_and_definitions() -> None:
    documents = passage_documents({"loops": TOPIC, "all about loops": f"Everything\n**********\n\n{TOPIC}"})
    assert {document.id: document.text.partition("\n\n")[2] for document in documents} == {
        "Loops": "Loops repeat a block until some condition holds; see below for a list of them.",
        "loop.stop": "Stop the loop that is named, at once, unless it has ended by itself already.",
        "Loops 2": "Here is one more paragraph of prose, which belongs to the heading once again.\n\n"
        "   while True:\n       pass",
    }
    assert {document.metadata["topic"] for document in documents} == {"loops"}


def test_paragraphs_are_joined_and_long_prose_is_cut_at_sentences() -> None:
    sentence = "x" * (LONGEST // 2) + "."
    assert [*passages(["summary", "detail", "y" * LONGEST])] == ["summary\n\ndetail", "y" * LONGEST]
    assert [*passages([" ".join([sentence] * 5)])] == [sentence] * 5
    assert [*passages(["code\n" * LONGEST])] == ["code\n" * LONGEST]
