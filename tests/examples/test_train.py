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
from examples.train.teachers import fuse
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


class ByNumber:
    """Scores that grow with a document's number."""

    def score(self, queries, documents):
        return np.tile(np.arange(len(documents), dtype=np.float32), (len(queries), 1))


def _written(folder: Path) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(pair._asdict()) + "\n" for pair in PAIRS), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_few_steps_reduce_the_loss_and_leave_a_model_with_the_idf_of_its_corpus(tmp_path: Path) -> None:
    if missing := [name for name in ("accelerate", "datasets", "sentence_transformers") if find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} not installed (dependency group 'train', extra 'encode').")
    output = tmp_path / "model"
    options = ["--own-idf", "--steps", "4", "--batch-size", "8", "--max-length", "24", "--held-out", "0"]
    learnt = ["--loss", "contrastive", "kl", "--negatives", "1", "--teachers", "lexical", "--learning-rate", "1e-4"]
    done = subprocess.run(
        [sys.executable, "-m", "examples.train", str(_written(tmp_path)), str(output), *options, *learnt],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"},
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
    path = _written(tmp_path)
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


def test_negatives_are_the_teachers_best_candidates_that_answer_no_other_pair_of_the_query() -> None:
    pairs = [Pair("q", "a"), Pair("r", "b"), Pair("s", "c"), Pair("q", "d")]
    mining = Mining(miners=[ByNumber()], teachers=[ByNumber()], count=1, scale=6)
    rows = make_rows(pairs, mining)
    assert rows[0] == {"query": "q", "positive": "a", "negative_1": "c", "label": [0, 6]}
    assert [row["negative_1"] for row in rows] == ["c", "d", "d", "c"]


def test_pairs_without_enough_other_texts_give_no_row() -> None:
    mining = Mining(miners=[ByNumber()], teachers=[ByNumber()], count=3)
    assert make_rows([Pair("q", "a"), Pair("r", "b"), Pair("s", "c")], mining) == []
