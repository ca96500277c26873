# ruff: noqa: RUF001  texts that look like others are the point
"""The vectors of sentence-transformers' own `encode_query`, on hundreds of texts, odd ones among them."""

import itertools
import json

import pytest

from benchmarks.query_encoding import queries
from opensearch_neural_sparse import IdfQueryEncoder, load_query_encoder
from tests.encode.texts import ODD_TEXTS
from tests.paths import DATA

ODD = [
    *filter(str.strip, ODD_TEXTS),
    "[PAD]",
    "[PAD] alpha [PAD]",
    "[UNK] [CLS] [SEP] [MASK]",
    "what does [MASK] mean in [SEP] bert",
    "##ing ##s #hash",
    "ALL CAPS Ünïcödé naïve Æsir ŒUVRE ﬁne ﬂow",
    "full width ＡＢＣ１２３",
    "日本の首都はどこですか",
    "北京今天天气怎么样？",
    "서울의 날씨는 어떻습니까",
    "दुनिया की सबसे ऊँची चोटी",
    "ما هي عاصمة مصر؟",
    "что такое нейронный поиск",
    "👩‍👩‍👧‍👦 family 🚀 emoji",
    "soft\u00adhyphen zero\u200bwidth non\u00a0breaking",
    "nul\x00byte and \x07 bell",
    "line\u2028separator and paragraph\u2029separator",
    "tab\tand\nnewline\r\nmixed",
    "x" * 500,
    "a" * 99 + " " + "b" * 101,
    "word " * 2000,
    "".join(f"w{number} " for number in range(700)),
    "C++ vs. C#: O(n^2)? don't! re-do e-mail@example.org https://example.org/a?b=c&d=1",
    "3.14159 1,000,000 $5 50% №7 ½",
    "Straße Ἀθῆναι İstanbul ſ K",
    "\ufeffbyte order mark",
    "combining e\u0301 a\u0308 \u0301alone",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𠜎",
]


def multilingual_questions(count: int) -> list[str]:
    files = sorted(DATA.glob("xquad/*/queries.jsonl"))
    if not files:
        pytest.skip(f"multilingual questions are not at {DATA}")
    rows = [[json.loads(line)["text"] for line in file.read_text().splitlines()] for file in files]
    return list(itertools.chain.from_iterable(itertools.islice(zip(*rows, strict=False), count // len(rows) + 1)))


def assert_equal_on(snapshot, texts: list[str]) -> None:
    from sentence_transformers import SparseEncoder

    reference = SparseEncoder(str(snapshot), device="cpu")
    encoder = load_query_encoder(snapshot)
    assert isinstance(encoder, IdfQueryEncoder)
    special = {encoder.tokenizer.tokens[index] for index in encoder.tokenizer.special_ids}
    assert len(texts) >= 500
    for text, vector in zip(texts, encoder.encode_queries(texts), strict=True):
        decoded = dict(reference.decode(reference.encode_query(text)))
        expected = {token: weight for token, weight in decoded.items() if token not in special}
        assert dict(vector) == pytest.approx(expected, abs=1e-6), ascii(text[:80])


def test_english_queries_are_equal(snapshot) -> None:
    assert_equal_on(snapshot(), queries()[::2] + ODD)


def test_queries_of_the_multilingual_vocabulary_are_equal(snapshot) -> None:
    assert_equal_on(snapshot(vocabulary="mbert", hidden=8), multilingual_questions(500) + ODD)


def test_prompt_of_a_model_is_put_before_queries_as_the_library_does(snapshot, tmp_path) -> None:
    import shutil

    from sentence_transformers import SparseEncoder

    folder = shutil.copytree(snapshot(), tmp_path / "prompted")
    config = json.loads((folder / "config_sentence_transformers.json").read_text())
    config["prompts"] = {"query": "question: ", "document": "passage: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
    reference, encoder = SparseEncoder(str(folder), device="cpu"), load_query_encoder(folder)
    for text in ("what is a neural index", "[MASK]ing words"):
        expected = dict(reference.decode(reference.encode_query(text)))
        expected.pop("[MASK]", None)
        assert dict(encoder.encode_query(text)) == pytest.approx(expected, abs=1e-6)
        assert "question" in encoder.encode_query(text)
