from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.document_stores.opensearch_neural_sparse import DocumentSparseEmbedding, QuerySparseEmbedding
from opensearch_neural_sparse import ModelFiles, SparseVector, get_model, resolve_files
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from tests.paths import SMALL_MODEL


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    return resolve_files(get_model(SMALL_MODEL))


@pytest.fixture(scope="module")
def binding(files: ModelFiles) -> ModelBinding:
    return ModelBinding.of(files, text_field="content")


def test_copies_of_a_document_keep_which_model_made_its_embedding(binding: ModelBinding) -> None:
    embedding = DocumentSparseEmbedding([3, 1], [0.5, 2.0], binding)
    document = Document(content="x", sparse_embedding=embedding)
    for twin in (copy.deepcopy(document), copy.copy(document), replace(document, score=1.0)):
        assert twin.sparse_embedding.binding is binding
        assert twin.sparse_embedding == embedding
    assert copy.deepcopy(embedding).indices is not embedding.indices


def test_embedding_holds_its_vector_until_its_numbers_are_changed(binding: ModelBinding) -> None:
    vector = SparseVector({"a": 0.5, "b": 2.0})
    embedding = DocumentSparseEmbedding.of(vector, {"a": 3, "b": 1}, binding)
    assert (embedding.indices, embedding.values, embedding.binding) == ([3, 1], [0.5, 2.0], binding)
    assert embedding.vector is vector
    for twin in (copy.deepcopy(embedding), copy.copy(embedding)):
        assert (type(twin), twin.vector, twin.binding) == (DocumentSparseEmbedding, vector, binding)
    assert copy.deepcopy(Document(sparse_embedding=embedding)).sparse_embedding.vector is vector
    assert DocumentSparseEmbedding([3, 1], [0.5, 2.0], binding).vector is None
    assert replace(embedding, values=[0.5, 2.0]).vector is None


@pytest.mark.parametrize(
    "change",
    [
        lambda embedding: embedding.values.__setitem__(0, 0.25),
        lambda embedding: embedding.indices.__setitem__(0, 4),
        lambda embedding: embedding.indices.reverse(),
        lambda embedding: (embedding.indices.pop(), embedding.values.pop()),
        lambda embedding: (embedding.indices.append(7), embedding.values.append(1.0)),
    ],
)
def test_changed_embedding_no_longer_stands_for_its_vector(change: Callable[[Any], object]) -> None:
    embedding = DocumentSparseEmbedding.of(SparseVector({"a": 0.5, "b": 2.0}), {"a": 3, "b": 1}, None)
    change(embedding)
    assert embedding.vector is None


def test_query_embedding_can_be_copied_although_model_files_cannot(files: ModelFiles) -> None:
    twin = copy.deepcopy({"query": QuerySparseEmbedding([3], [0.5], files)})["query"]
    assert twin.files is files
    assert twin.values == [0.5]


def test_embedding_whose_numbers_were_changed_no_longer_names_a_model(binding: ModelBinding) -> None:
    embedding = DocumentSparseEmbedding([3, 1], [0.5, 2.0], binding)
    assert replace(embedding, values=[1.0, 1.0]).binding is None


def test_embedding_equals_and_serialises_as_a_plain_one(binding: ModelBinding) -> None:
    embedding = DocumentSparseEmbedding([3, 1], [0.5, 2.0], binding)
    plain = SparseEmbedding([3, 1], [0.5, 2.0])
    assert embedding == plain
    assert plain == embedding
    assert embedding != SparseEmbedding([3, 1], [0.5, 2.5])
    assert embedding != "text"
    assert embedding.to_dict() == plain.to_dict()
    assert DocumentSparseEmbedding.from_dict(embedding.to_dict()) == plain
    with_vector = DocumentSparseEmbedding.of(SparseVector({"a": 0.5, "b": 2.0}), {"a": 3, "b": 1}, binding)
    assert with_vector == embedding
    assert with_vector.to_dict() == plain.to_dict()
    with_origin = Document(id="1", sparse_embedding=with_vector)
    assert with_origin.to_dict() == Document(id="1", sparse_embedding=plain).to_dict()
    assert Document.from_dict(with_origin.to_dict()) == with_origin


def test_pickled_embedding_is_a_plain_one(files: ModelFiles) -> None:
    made = DocumentSparseEmbedding.of(SparseVector({"a": 0.5}), {"a": 3}, None)
    assert type(pickle.loads(pickle.dumps(made))) is SparseEmbedding
    thawed = pickle.loads(pickle.dumps(QuerySparseEmbedding([3], [0.5], files)))
    assert type(thawed) is SparseEmbedding
    assert thawed.indices == [3]


def test_repr_shows_no_vector(binding: ModelBinding) -> None:
    assert repr(DocumentSparseEmbedding([3, 1], [0.5, 2.0], binding)) == "DocumentSparseEmbedding(2 tokens)"


def test_embedding_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="Length"):
        QuerySparseEmbedding([1, 2], [0.5])
