"""Models with byte-level BPE, and with a transformer for queries of their own, end to end."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    ModelFilesError,
    ModelMismatchError,
    NeuralSparseStore,
    load_document_encoder,
    load_query_encoder,
    resolve_files,
)
from opensearch_neural_sparse.index.documents.feature_weights import stored_weight
from opensearch_neural_sparse.models.registry import get_model
from tests.conftest import RunningServer
from tests.sparse_encoders import SENTENCES, save_bi_encoder, save_router

pytest.importorskip("sentence_transformers")
pytestmark = pytest.mark.slow

TEXTS = {str(place): text for place, text in enumerate(SENTENCES)}
QUERY = "the red planet"
TORCH = {"engine": "torch"}


@pytest.fixture(scope="module", params=["modernbert", "router", "sum"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model"
    if request.param == "router":
        return save_router(path, prompts={"query": "Paris ", "document": "Mars "}, body="roberta")
    body, pooling = ("modernbert", "max") if request.param == "modernbert" else ("xlm-roberta", "sum")
    return save_bi_encoder(path, body, pooling=pooling)


def exact_scores(folder: Path) -> dict[str, float]:
    """Return the score of each text, of the weights that the server stores."""
    query = load_query_encoder(folder, engine="torch").encode_query(QUERY)
    vectors = load_document_encoder(folder, engine="torch").encode_documents(list(TEXTS.values()))

    def score(vector: Mapping[str, float]) -> float:
        return query.dot({token: stored_weight(weight) for token, weight in vector.items()})

    scores = {id_: score(vector) for id_, vector in zip(TEXTS, vectors, strict=True)}
    return dict(sorted(scores.items(), key=lambda entry: -entry[1]))


def test_the_server_ranks_by_exact_scores(server: RunningServer, index_name: str, folder: Path) -> None:
    options: dict[str, Any] = {"url": server.url, "model": folder, "encoder_options": TORCH}
    with NeuralSparseStore(index_name, **options) as store:
        store.create(settings={"number_of_shards": 1})
        assert store.write({"id": id_, "text": text} for id_, text in TEXTS.items()).written == len(TEXTS)
        hits = store.search(QUERY, explain=True, size=len(TEXTS))
        expected = exact_scores(folder)
        assert [hit.id for hit in hits] == [*expected]
        assert [hit.score for hit in hits] == pytest.approx([*expected.values()], rel=1e-5)
        query = load_query_encoder(folder, engine="torch").encode_query(QUERY)
        assert {match.token for match in hits[0].matches or ()} <= query.keys()
        files = resolve_files(get_model(folder))
        stamp = store.open().binding
        assert stamp is not None
        assert (stamp.query_sha256, stamp.weights_sha256) == (files.query_sha256, files.weights_sha256)
    with NeuralSparseStore(index_name, **options) as again:
        assert [hit.id for hit in again.search(QUERY, size=len(TEXTS))] == [*expected]


def test_the_same_documents_with_another_query_side_are_refused(
    server: RunningServer, index_name: str, tmp_path: Path
) -> None:
    one, other = save_router(tmp_path / "one"), save_router(tmp_path / "other", query_seed=7)
    with NeuralSparseStore(index_name, url=server.url, model=one, encoder_options=TORCH) as store:
        store.create()
        store.write([{"id": "1", "text": SENTENCES[0]}])
    with (
        NeuralSparseStore(index_name, url=server.url, model=other, encoder_options=TORCH) as store,
        pytest.raises(ModelMismatchError, match="queries are encoded with another tokenizer or other weights"),
    ):
        store.search(QUERY)


def test_an_archive_for_the_server_is_refused_where_queries_have_their_own_transformer(tmp_path: Path) -> None:
    from opensearch_neural_sparse.server_models.archive import write_document_archive

    files = resolve_files(get_model(save_router(tmp_path / "model")))
    with pytest.raises(ModelFilesError, match="a transformer of its own for queries, which a model in the server"):
        write_document_archive(files, tmp_path)
