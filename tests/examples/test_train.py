"""Training, on a few pairs, as a user would run it, and the rows it is fed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from examples.train.idf import count_idf
from examples.train.negatives import Mining, make_rows
from examples.train.pairs import Pair, read_pairs
from examples.train.sentences import with_sentences
from examples.train.stemmed import StemmedTeacher
from examples.train.teachers import fuse
from examples.train.topics import Topics, make_batches
from opensearch_neural_sparse import get_model, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from tests.paths import ROOT, SMALL_MODEL

TOKENIZER = SMALL_MODEL / "query_0_SparseStaticEmbedding" / "tokenizer.json"
THINGS = ("river", "engine", "violin", "glacier", "harbour", "falcon", "lantern", "orchard")
PLACES = ("Norway", "Peru", "Kenya", "Japan", "Canada", "Malta", "Chile", "Egypt")
PAIRS = [
    Pair(f"Where is the {thing} of {place}?", f"Visitors of {place} ask for the {thing}, which lies near the old town.")
    for thing in THINGS
    for place in PLACES
]


IN_BATCH = ["--queries", "1", "--batch-size", "16", "--teachers", "lexical"]


class ByNumber:
    """Scores that grow with a document's number."""

    def score(self, queries, documents):
        return np.tile(np.arange(len(documents), dtype=np.float32), (len(queries), 1))


def write_pairs(folder: Path) -> Path:
    """Write `PAIRS` as JSON lines."""
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(pair._asdict()) + "\n" for pair in PAIRS), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "loss",
    [
        ["contrastive", "kl", "--negatives", "1", "--batch-size", "8", "--teachers", "lexical"],
        ["in_batch_kl", *IN_BATCH, "--bf16"],
        ["in_batch_kl", *IN_BATCH, "stemmed", "stemmed", "--dropout", "0.1", "--student-scale", "20"],
    ],
    ids=["negatives", "topics", "stems"],
)
def test_a_few_steps_reduce_the_loss_and_leave_a_model_with_the_idf_of_its_corpus(
    loss: list[str], tmp_path: Path
) -> None:
    if missing := [name for name in ("accelerate", "datasets", "sentence_transformers") if find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} not installed (dependency group 'train', extra 'encode').")
    output = tmp_path / "model"
    options = ["--own-idf", "--steps", "4", "--max-length", "24", "--held-out", "0", "--learning-rate", "1e-4"]
    done = subprocess.run(
        [sys.executable, "-m", "examples.train", str(write_pairs(tmp_path)), str(output), *options, "--loss", *loss],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["after"]["loss"] < summary["before"]["loss"]
    _check_model(output)


def _check_model(folder: Path) -> None:
    idf = json.loads((folder / "idf.json").read_text(encoding="utf-8"))
    assert load_query_encoder(folder).encode_query("[SEP] glacier of Malta") == pytest.approx(
        {token: idf[token] for token in ("glacier", "of", "malta")}
    )
    assert idf["glacier"] > idf["old"] > 0 == idf["[SEP]"]
    (vector,) = load_document_encoder(folder).encode_documents(["The glacier of Malta."])
    assert "glacier" in vector
    assert get_model(folder).tokenizer == get_model(SMALL_MODEL).tokenizer == "bert-uncased"
    assert get_model(folder).max_length == get_model(SMALL_MODEL).max_length
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 50_000_000


def test_pairs_are_read_once_each_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = write_pairs(tmp_path)
    assert sorted(read_pairs([path, path], seed=1)) == sorted(PAIRS)
    path.write_text('{"query": "a", "positive": "b"}\n{"query": "a"}\n', encoding="utf-8")
    with pytest.raises(SystemExit, match=r"pairs\.jsonl, line 2"):
        read_pairs([path], seed=1)


def test_rarer_tokens_weigh_more_and_special_tokens_nothing() -> None:
    tokenizer = SparseTokenizer.from_file(TOKENIZER)
    idf = dict(zip(tokenizer.tokens, count_idf(tokenizer, ["the river", "the the lake"]), strict=True))
    assert idf["[CLS]"] == 0
    assert idf["the"] == pytest.approx(np.log(1.2))
    assert idf["river"] == pytest.approx(np.log(2))
    assert idf["glacier"] == pytest.approx(np.log(6))


def test_fused_scores_are_means_between_0_and_1_of_the_candidates_alone() -> None:
    one = np.array([[0, 5, 10, -np.inf]], dtype=np.float32)
    two = np.array([[-1, 1, 0, -np.inf]], dtype=np.float32)
    assert fuse([one, two]).tolist() == [[0, 0.75, 0.75, -np.inf]]


def test_the_stemmed_teacher_scores_forms_of_a_word_alike_and_stopwords_not_at_all() -> None:
    documents = ["The engines of trains.", "An engine's training.", "Rivers", "A glacier, and the glaciers of Malta"]
    engine, stopwords, glacier = StemmedTeacher().score(["engine", "and the", "glaciers"], documents)
    assert engine[0] == engine[1] == pytest.approx(np.log(2) * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2)))
    assert not stopwords.any()
    assert glacier.nonzero()[0].tolist() == [3]


def test_negatives_are_the_teachers_best_candidates_that_answer_no_other_pair_of_the_query() -> None:
    pairs = [Pair("q", "a"), Pair("r", "b"), Pair("s", "c"), Pair("q", "d")]
    mining = Mining(miners=[ByNumber()], teachers=[ByNumber()], count=1, scale=6)
    rows = make_rows(pairs, mining)
    assert rows[0] == {"query": "q", "positive": "a", "negative_1": "c", "label": [0, 6]}
    assert [row["negative_1"] for row in rows] == ["c", "d", "d", "c"]


def test_pairs_without_enough_other_texts_give_no_row() -> None:
    mining = Mining(miners=[ByNumber()], teachers=[ByNumber()], count=3)
    assert make_rows([Pair("q", "a"), Pair("r", "b"), Pair("s", "c")], mining) == []


def test_batches_hold_texts_that_the_teachers_find_alike_with_all_scores_among_them() -> None:
    pairs = [Pair(f"{thing} of {place}", f"{thing} {place}") for place in PLACES for thing in THINGS]
    rows = make_batches(pairs, Topics(teachers=[ByPlace()], size=8, queries=2, scale=3), texts=len(pairs), seed=1)
    assert sorted(row["positive"] for row in rows) == sorted(pair.positive for pair in pairs)
    for start in range(0, len(rows), 8):
        batch = rows[start : start + 8]
        assert len({row["positive"].split()[1] for row in batch}) == 1
        assert all(row["query_1"] == row["query_2"] == " of ".join(row["positive"].split()) for row in batch)
        assert np.asarray([row["label"] for row in batch]).tolist() == [[[3.0] * 8] * 2] * 8


class ByPlace:
    """1 where query and document end with the same word."""

    def score(self, queries, documents):
        ends = [np.array([text.split()[-1] for text in side]) for side in (queries, documents)]
        return (ends[0][:, None] == ends[1]).astype(np.float32)


def test_a_query_s_own_text_is_never_below_another_in_what_is_learnt() -> None:
    pairs = [Pair("q", "a"), Pair("r", "b"), Pair("s", "c"), Pair("t", "d")]
    rows = make_batches(pairs, Topics(teachers=[ByNumber()], size=4, queries=1, scale=6), texts=4, seed=1)
    order = [row["positive"] for row in rows]
    label = dict(zip(order, rows[order.index("a")]["label"][0], strict=True))
    assert label == {"a": 6, "b": 2, "c": 4, "d": 6}


def test_a_long_text_loses_a_sentence_that_becomes_its_query() -> None:
    sentences = [f"The {thing} of this town is old and well known." for thing in THINGS]
    short = Pair("And this?", "It is short.")
    made = list(with_sentences([Pair("What?", " ".join(sentences)), short], 2, seed=3))
    question, removed, kept = made[:3]
    assert question.query == "What?"
    assert question.positive == removed.positive == kept.positive
    assert removed.query in sentences
    assert kept.query in sentences
    assert question.positive.split() == [
        word for sentence in sentences if sentence != removed.query for word in sentence.split()
    ]
    assert kept.query in question.positive
    assert made[3:] == [short]


def test_means_of_weights_and_scaled_and_shifted_logits_are_what_their_names_say() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encode')")
    pytest.importorskip("sentence_transformers", reason="extra 'encode'")
    from examples.train.student import load_student

    student, text = load_student(str(SMALL_MODEL), [], own_idf=False), ["The glacier of Malta."]
    before = student.encoder.encode_document(text, convert_to_sparse_tensor=False)
    start = {name: weight.clone() for name, weight in student.transformer.auto_model.state_dict().items()}
    student.scale_logits(0.25)
    scaled = student.encoder.encode_document(text, convert_to_sparse_tensor=False)
    torch.testing.assert_close(scaled, (0.25 * before.expm1().expm1()).log1p().log1p(), rtol=1e-4, atol=1e-5)
    student.shift_logits(0.1)
    shifted = student.encoder.encode_document(text, convert_to_sparse_tensor=False)
    expected = (scaled.expm1().expm1() - 0.1).clamp(min=0).log1p().log1p()
    torch.testing.assert_close(shifted, expected, rtol=1e-4, atol=1e-5)
    student.shift_logits(-0.1)
    student.blend(start, 0.5)
    bias = student.transformer.auto_model.cls.predictions.decoder.bias
    torch.testing.assert_close(bias, 0.625 * start["cls.predictions.decoder.bias"])
    student.blend(start, 1.0)
    assert torch.equal(student.encoder.encode_document(text, convert_to_sparse_tensor=False), before)


def test_pooling_the_winners_alone_gives_the_vectors_and_gradients_of_pooling_all() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encode')")
    modules = pytest.importorskip("sentence_transformers.sparse_encoder.modules", reason="extra 'encode'")
    from examples.train.pooling import WinnersPooling

    torch.manual_seed(0)
    decoder = torch.nn.Linear(6, 5000)
    hidden = torch.randn(3, 7, 6, requires_grad=True)
    mask = torch.tensor([[1] * 7, [1] * 4 + [0] * 3, [1] * 2 + [0] * 5])
    target = torch.randn(3, 5000)

    def learn(pooled: torch.Tensor) -> list[torch.Tensor]:
        return [pooled, *torch.autograd.grad((pooled * target).sum(), [hidden, decoder.weight, decoder.bias])]

    whole = modules.SpladePooling("max", activation_function="log1p_relu")
    one = learn(WinnersPooling(decoder)({"token_embeddings": hidden, "attention_mask": mask})["sentence_embedding"])
    other = learn(whole({"token_embeddings": decoder(hidden), "attention_mask": mask})["sentence_embedding"])
    for mine, theirs in zip(one, other, strict=True):
        torch.testing.assert_close(mine, theirs)
