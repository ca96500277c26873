"""Training from backbones other than BERT, and the options of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from examples.train.idf import count_idf
from examples.train.train import main
from opensearch_neural_sparse import (
    list_models,
    load_document_encoder,
    load_query_encoder,
    register_model,
)
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from tests.encode.agreement import assert_agree, reference_vectors
from tests.encode.architectures import SIZE
from tests.examples.test_train import PAIRS
from tests.examples.training import needs_torch, train, write_backbone, write_cross_encoder

pytestmark = pytest.mark.usefixtures("training_apart")
BACKBONES: dict[str, dict[str, Any]] = {
    "distilbert": {"n_layers": 2},
    "modernbert": {"num_hidden_layers": 2},
    "roberta": {"num_hidden_layers": 2, "vocab_size": SIZE + 12},
}
"""Architecture -> options of its config; one has more rows than its tokenizer has tokens, as published models do."""
TEXTS = ["The glacier of Malta.", "Visitors of Norway ask for the engine, which lies near the old town. " * 3, "x"]


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("architecture", BACKBONES)
def test_a_backbone_is_trained_saved_registered_and_encodes_the_same_in_both_engines(
    architecture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backbone = write_backbone(tmp_path / "backbone", architecture, **BACKBONES[architecture])
    sharper = ["--save-dtype", "fp32", "--logit-scale", "0.5", "--logit-shift", "0.01"]
    summary = train(tmp_path, "--backbone", str(backbone), *sharper, capsys=capsys)
    assert summary["after"]["loss"] < summary["before"]["loss"]

    folder, name = tmp_path / "model", f"trained-{architecture}"
    spec = register_model(folder, name=name)
    assert spec in list_models()
    assert (spec.mode, spec.activation, spec.pooling) == ("doc-only", "log1p_relu", "max")
    by_torch, by_onnx = (
        load_document_encoder(name, engine=engine, threads=1).encode_documents(TEXTS) for engine in ("torch", "onnx")
    )
    assert all(len(vector) > 10 for vector in by_torch)
    assert_agree(by_onnx, by_torch)
    assert_agree(by_torch, reference_vectors(folder, TEXTS))

    tokenizer = SparseTokenizer.from_file(backbone / "tokenizer.json")
    idf = dict(zip(tokenizer.tokens, count_idf(tokenizer, [pair.positive for pair in PAIRS]), strict=True))
    query = "Where is Malta?"
    tokens = {tokenizer.tokens[index] for index in tokenizer.query_ids(query)}
    assert load_query_encoder(name).encode_query(query) == pytest.approx({token: idf[token] for token in tokens})


@needs_torch
@pytest.mark.slow
def test_a_backbone_without_a_head_is_refused(tmp_path: Path) -> None:
    from examples.train.student import load_backbone

    folder = write_cross_encoder(tmp_path / "model")
    with pytest.raises(SystemExit, match=r"BertForSequenceClassification.* has no masked language model head"):
        load_backbone(str(folder), ["a text"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backbone", "a", "--from", "b"], "not allowed with"),
        (["--teacher", "a"], "--loss kl or margin_mse"),
        (["--teacher", "a", "--loss", "in_batch_kl", "--held-out", "0"], "--loss kl or margin_mse"),
        (["--teacher", "a", "--loss", "kl"], "needs --negatives 1"),
        (["--teacher-scores", "a"], "needs --teacher"),
        (["--mini-batch", "0"], "less than 1"),
        (["--mini-batch", "2", "--loss", "in_batch_kl", "--held-out", "0"], "--mini-batch goes with"),
    ],
)
def test_options_that_contradict_are_refused(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "pairs.jsonl"), str(tmp_path / "model"), *options])
    assert message in capsys.readouterr().err
