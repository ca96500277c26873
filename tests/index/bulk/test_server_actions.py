"""Which documents an ingest pipeline encodes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opensearch_neural_sparse import IndexSchema, ModelBinding, ServerEncoding, SparseDocument
from opensearch_neural_sparse.index.bulk.server_actions import ServerEncodedDrafts
from tests.index.binding.test_model_binding import BINDING as CLIENT_BINDING

BINDING = replace(CLIENT_BINDING, server=ServerEncoding(model_id="m", pipeline="p", content_sha256="c" * 64))
BEHIND_CONNECTOR = replace(BINDING, server=ServerEncoding(model_id="m", pipeline="p"))


def drafts_of(binding: ModelBinding = BINDING, *, keep_vectors: bool = True) -> ServerEncodedDrafts:
    return ServerEncodedDrafts(IndexSchema(), binding, "index", keep_vectors=keep_vectors)


def test_a_text_goes_to_the_pipeline_with_the_marker_of_the_model() -> None:
    draft = drafts_of()(SparseDocument(id="1", text="red"))
    assert draft.header == {"_id": "1"}
    assert draft.body == {"id": "1", "content": "red", "sparse_vector_model": BINDING.marker}
    assert draft.lacks == ()


@pytest.mark.parametrize("document", [{"text": ""}, {"text": " \n"}, {"metadata": {"year": 1}}])
def test_documents_without_words_pass_the_pipeline_by(document: dict[str, object]) -> None:
    draft = drafts_of()(SparseDocument(id="1", **document))  # type: ignore[arg-type]
    assert draft.header == {"_id": "1", "pipeline": "_none"}
    assert "sparse_vector_model" not in draft.body  # type: ignore[operator]
    assert draft.lacks == ("sparse_vector",)


def test_a_vector_that_was_given_stays_as_it_is() -> None:
    given = SparseDocument(id="1", text="red", vector={"red": 1.0})
    assert drafts_of()(given).header == {"_id": "1", "pipeline": "_none"}
    assert drafts_of(keep_vectors=False)(given).header == {"_id": "1"}


def test_a_template_is_refused_where_a_connector_would_replace_it() -> None:
    document = SparseDocument(id="1", text="see ${parameters.input}")
    body = drafts_of(BEHIND_CONNECTOR)(document).body
    assert isinstance(body, Exception)
    assert "its text holds '${parameters.', which a connector of the server replaces" in str(body)
    assert not isinstance(drafts_of()(document).body, Exception)
    assert not isinstance(drafts_of(BEHIND_CONNECTOR)(replace(document, text="${price}")).body, Exception)


def test_the_first_and_last_texts_are_a_sample() -> None:
    drafts = drafts_of()
    for number in range(20):
        drafts(SparseDocument(id=str(number), text="red" if number % 2 else "", routing=str(number)))
    assert drafts.sample == {str(number): str(number) for number in (1, 3, 5, 7, 9, 11, 13, 15, 17, 19)}
