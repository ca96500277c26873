"""Cross-encoders by both backends, on a small random model."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sentence_transformers", reason="the encode extra is not installed")
pytest.importorskip("onnx", reason="the onnx extra is not installed")

from opensearch_neural_sparse import CrossEncoderReranker, MissingDependencyError, ModelFilesError, RerankerError
from opensearch_neural_sparse.rerank.rerank_options import Rerank
from opensearch_neural_sparse.rerank.scoring import score_texts
from tests.paths import SMALL_MODEL
from tests.rerank.cross_encoders import write_cross_encoder

QUERY = "why do cats purr?"
TEXTS = ["Cats purr when they are content.", "A red planet.", "", "word " * 200, "\ud800 odd", "cats"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cross_encoder(tmp_path_factory.mktemp("cross-encoder") / "tiny")


@pytest.mark.parametrize("max_length", [None, 24])
def test_both_backends_give_the_logits_of_the_original(model: Path, max_length: int | None) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForSequenceClassification.from_pretrained(model).eval()
    texts = [text for text in TEXTS if "\ud800" not in text]
    inputs = tokenizer(
        [QUERY] * len(texts), texts, truncation=True, max_length=max_length or 64, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = network(**inputs).logits[:, 0].tolist()
    assert len({round(score, 3) for score in expected}) > 3
    for options in ({"backend": "torch"}, {"backend": "onnx"}, {"backend": "onnx", "batch_size": 2, "threads": 1}):
        scores = CrossEncoderReranker(model, max_length=max_length, **options).score(QUERY, texts)
        assert scores == pytest.approx(expected, abs=1e-4), options


def test_half_a_surrogate_pair_is_no_failure(model: Path) -> None:
    scores = CrossEncoderReranker(model, backend="onnx").score(QUERY, TEXTS)
    assert len(scores) == len(TEXTS)


def test_making_one_loads_nothing_and_copies_share_the_model(model: Path) -> None:
    missing = CrossEncoderReranker("/nowhere/at/all")
    assert "torch" in repr(missing)
    reranker = CrossEncoderReranker(model, backend="onnx")
    assert deepcopy(reranker) is reranker
    scores = reranker.score(QUERY, TEXTS)
    reranker.close()
    assert reranker.score(QUERY, TEXTS) == scores
    assert pickle.loads(pickle.dumps(reranker)).score(QUERY, TEXTS) == scores
    assert reranker.score(QUERY, []) == []


def test_onnx_runs_without_torch(model: Path) -> None:
    program = (
        "import sys\n"
        "from opensearch_neural_sparse import CrossEncoderReranker\n"
        f"CrossEncoderReranker({str(model)!r}, backend='onnx').score('cats', ['dogs'])\n"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_what_is_no_cross_encoder_is_refused_with_the_reason(model: Path, backend: Any, tmp_path: Path) -> None:
    def refused(path: str | Path, problem: str) -> None:
        with pytest.raises(ModelFilesError, match=problem):
            CrossEncoderReranker(path, backend=backend).score(QUERY, TEXTS)

    refused("nowhere at all", "is neither a folder nor a hub id")
    refused(SMALL_MODEL / "document_0_MLMTransformer", r"is no cross-encoder: its config.json has .*MaskedLM")
    refused(write_cross_encoder(tmp_path / "labels", labels=3), "has 3 labels; a reranker has one")
    bare = Path(shutil.copytree(model, tmp_path / "bare"))
    for file in ("model.safetensors", "onnx/model.onnx"):
        (bare / file).unlink()
    refused(bare, "has neither model.safetensors" if backend == "torch" else "model.onnx is missing")


def test_damaged_graph_is_named(model: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(model, tmp_path / "broken"))
    (broken / "onnx" / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelFilesError, match=r"model\.onnx is not a graph that ONNX Runtime loads"):
        CrossEncoderReranker(broken, backend="onnx").score(QUERY, TEXTS)


def test_damaged_activation_is_named(model: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(model, tmp_path / "broken"))
    file = broken / "config.json"
    file.write_text(file.read_text().replace('"hidden_act": "gelu"', '"hidden_act": [1]'))
    with pytest.raises(ModelFilesError, match=r"config\.json: field 'hidden_act' is .*, not a text"):
        CrossEncoderReranker(broken).score(QUERY, TEXTS)


@pytest.mark.parametrize(("backend", "module"), [("torch", "sentence_transformers"), ("onnx", "onnxruntime")])
def test_missing_extra_is_named_before_a_model_is_looked_for(
    backend: Any, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    reranker = CrossEncoderReranker("no-such/model", backend=backend, local_files_only=True)
    with pytest.raises(MissingDependencyError, match=module):
        reranker.score(QUERY, TEXTS)


def test_failure_to_load_names_the_reranker_in_a_search(tmp_path: Path) -> None:
    rerank = Rerank(CrossEncoderReranker(tmp_path))
    with pytest.raises(RerankerError, match=r"Reranker CrossEncoderReranker failed: .*config\.json"):
        score_texts(rerank, QUERY, TEXTS)


def test_options_without_effect_are_refused(model: Path) -> None:
    with pytest.raises(ValueError, match="onnx_file and threads has no effect with backend='torch'"):
        CrossEncoderReranker(model, onnx_file="x.onnx", threads=1)
    with pytest.raises(ValueError, match="device has no effect with backend='onnx'"):
        CrossEncoderReranker(model, backend="onnx", device="cpu")
    with pytest.raises(ValueError, match="batch_size is a whole number of 1 or more, got 0"):
        CrossEncoderReranker(model, batch_size=0)
    with pytest.raises(ValueError, match="RerankerBackend is one of 'torch', 'onnx'"):
        CrossEncoderReranker(model, backend="openvino")  # type: ignore[arg-type]
