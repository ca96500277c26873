"""Training from a cross-encoder's scores, by the L1 penalty, and in mini-batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from examples.train.negatives import Mining, make_rows
from examples.train.score_file import ScoreFile
from tests.examples.test_train import PAIRS, ByNumber
from tests.examples.training import needs_torch, train, write_backbone, write_cross_encoder

pytestmark = pytest.mark.usefixtures("training_apart")


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("loss", ["margin_mse", "kl"])
def test_a_cross_encoder_teaches_and_scores_each_pair_once(
    loss: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = write_cross_encoder(tmp_path / "teacher")
    options = ["--loss", loss, "--negatives", "2", "--teacher", str(teacher), "--penalty", "0"]
    options += ["--backbone", str(write_backbone(tmp_path / "backbone", "bert", num_hidden_layers=2))]
    first = train(tmp_path, *options, capsys=capsys)
    assert first["after"]["loss"] < first["before"]["loss"]
    assert first["teacher"]["computed"] > 0 == first["teacher"]["found"]
    (tmp_path / "model").rename(tmp_path / "first")
    second = train(tmp_path, *options, capsys=capsys)
    assert second["teacher"] == {"computed": 0, "found": first["teacher"]["computed"]}
    assert second["after"] == pytest.approx(
        first["after"], rel=0.01
    )  # sums of several threads differ in their last digits


@needs_torch
@pytest.mark.slow
def test_rows_have_the_cross_encoder_s_scores_of_the_candidates_alone(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    from examples.train.cross_encoder import CrossEncoderTeacher

    model = CrossEncoder(str(write_cross_encoder(tmp_path / "teacher")))
    teacher = CrossEncoderTeacher(model, ScoreFile(tmp_path / "scores"))
    mining = Mining(miners=[ByNumber()], teachers=[], count=2, depth=3, scale=2.0, cross_encoder=teacher)
    rows = make_rows(PAIRS[:8], mining)
    assert teacher.computed == 8 * (3 + 1)  # three candidates of each query, and its answer
    for row in rows:
        texts = [row["positive"], row["negative_1"], row["negative_2"]]
        scores = model.predict([(row["query"], text) for text in texts], activation_fn=Identity())
        assert row["label"] == pytest.approx((2 * scores).tolist(), rel=1e-4, abs=1e-4)
        assert row["label"][1] >= row["label"][2]


@needs_torch
@pytest.mark.slow
def test_a_teacher_with_other_weights_finds_no_scores_and_one_with_two_is_refused(tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    from examples.train.cross_encoder import CrossEncoderTeacher

    model, file = CrossEncoder(str(write_cross_encoder(tmp_path / "teacher"))), ScoreFile(tmp_path / "scores")
    everything = np.ones((1, 2), dtype=bool)
    for _ in range(2):
        teacher = CrossEncoderTeacher(model, file)
        before = teacher.score_candidates(["q"], ["a", "b"], everything)
    assert (teacher.computed, teacher.found) == (0, 2)
    with torch.no_grad():
        model.model.classifier.bias.add_(1)
    changed = CrossEncoderTeacher(model, file)
    after = changed.score_candidates(["q"], ["a", "b"], everything)
    assert (changed.computed, changed.found) == (2, 0)
    assert after == pytest.approx(before + 1, abs=1e-5)
    with pytest.raises(SystemExit, match="gives 2 scores a pair"):
        CrossEncoderTeacher(CrossEncoder(str(write_cross_encoder(tmp_path / "two", labels=2))), file)


@needs_torch
@pytest.mark.slow
def test_the_l1_penalty_is_the_mean_sum_of_priced_weights_of_documents_above_the_threshold(tmp_path: Path) -> None:
    import torch

    from examples.train.losses import IdfL1, make_loss
    from examples.train.student import load_backbone

    backbone = write_backbone(tmp_path / "backbone", "bert", num_hidden_layers=2)
    student = load_backbone(str(backbone), [pair.positive for pair in PAIRS])
    idf = torch.tensor(student.idf)
    vectors = torch.zeros(2, len(idf))
    vectors[0, 10:13] = 2.0
    vectors[1, 20] = 7.0
    price = idf[idf > 0].mean() / idf.clamp(min=1)
    loss = make_loss(student, ["contrastive"], penalty=1.0, active=1, regularizer="l1")
    assert isinstance(loss.document_regularizer, IdfL1)
    found = loss.document_regularizer.compute_loss_from_embeddings(vectors)
    assert float(found) == pytest.approx(float(2 * price[10:13].sum() / 2))


@needs_torch
@pytest.mark.slow
def test_mini_batches_give_the_loss_and_gradients_of_the_whole_batch(tmp_path: Path) -> None:
    import torch

    from examples.train.losses import make_loss
    from examples.train.pooling import pooling_winners
    from examples.train.student import load_backbone

    backbone = write_backbone(tmp_path / "backbone", "distilbert", n_layers=2)
    student = load_backbone(str(backbone), [pair.positive for pair in PAIRS])
    student.drop_out(0.0)
    columns = [("query", [pair.query for pair in PAIRS[:6]]), ("document", [pair.positive for pair in PAIRS[:6]])]

    def learn(mini_batch: int | None) -> list[torch.Tensor]:
        loss = make_loss(student, ["contrastive"], penalty=0.1, active=5, mini_batch=mini_batch)
        features = [{**student.encoder.preprocess(texts, task=task), "task": task} for task, texts in columns]
        parameters = [weight for weight in student.encoder.parameters() if weight.requires_grad]
        student.encoder.zero_grad()
        total = sum(loss(features).values())
        total.backward()
        return [total.detach(), *(weight.grad.clone() for weight in parameters if weight.grad is not None)]

    with pooling_winners(student):
        whole, parts = learn(None), learn(2)
    assert len(whole) == len(parts) > 10
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@needs_torch
@pytest.mark.slow
def test_mini_batches_and_the_l1_penalty_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backbone = write_backbone(tmp_path / "backbone", "roberta", num_hidden_layers=2)
    options = ["--backbone", str(backbone), "--mini-batch", "3", "--regularizer", "l1", "--active", "20"]
    summary = train(tmp_path, *options, "--penalty", "0.1", "--steps", "8", capsys=capsys)
    assert summary["after"]["active"] < summary["before"]["active"]


def test_a_file_that_is_none_of_scores_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores"
    path.write_text("query,text,score\n" * 100, encoding="utf-8")
    with pytest.raises(SystemExit, match=r"scores cannot keep scores .*--teacher-scores"):
        ScoreFile(path)
