from pathlib import Path

import pytest

from opensearch_neural_sparse import ModelFilesError, SparseTokenizer
from tests import toy
from tests.paths import SMALL_MODEL
from tests.snapshots import vocabulary_files

BERT = SMALL_MODEL / "query_0_SparseStaticEmbedding" / "tokenizer.json"


@pytest.fixture
def toy_file(tmp_path: Path) -> Path:
    toy.write_tokenizer(tmp_path)
    return tmp_path / "tokenizer.json"


def test_queries_have_no_special_tokens_and_documents_have(toy_file: Path) -> None:
    tokenizer = SparseTokenizer.from_file(toy_file)
    assert [tokenizer.tokens[index] for index in tokenizer.query_ids("Red planets")] == ["red", "planet", "##s"]
    (document,) = tokenizer.batch_document_ids(["Red planets"])
    assert [tokenizer.tokens[index] for index in document] == ["[CLS]", "red", "planet", "##s", "[SEP]"]


def test_ids_tokens_and_special_ids_are_those_of_the_file() -> None:
    tokenizer = SparseTokenizer.from_file(BERT)
    assert len(tokenizer.tokens) == len(tokenizer.vocabulary) == 30_522
    assert all(tokenizer.vocabulary[token] == index for index, token in enumerate(tokenizer.tokens))
    assert tokenizer.special_ids == {0, 100, 101, 102, 103}


def test_padding_and_truncation_of_the_file_are_switched_off(tmp_path: Path) -> None:
    padding = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None}
    toy.write_tokenizer(
        tmp_path,
        padding=padding | {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        truncation={"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
    )
    tokenizer = SparseTokenizer.from_file(tmp_path / "tokenizer.json")
    assert len(tokenizer.query_ids("red planet mars")) == 3
    assert [len(ids) for ids in tokenizer.batch_query_ids(["red", "red planet mars"])] == [1, 3]


def test_truncation_is_the_one_asked_for_and_tells_what_it_drops(toy_file: Path) -> None:
    tokenizer = SparseTokenizer.from_file(toy_file, max_length=4)
    text = "red " * 11
    assert len(tokenizer.query_ids(text)) == len(tokenizer.batch_document_ids([text])[0]) == 4
    assert tokenizer.dropped_tokens(text) == 7
    assert tokenizer.dropped_tokens(text, add_special_tokens=True) == 9
    assert tokenizer.dropped_tokens("red planet") == 0
    assert tokenizer.dropped_tokens("red planet", add_special_tokens=True) == 0


@pytest.mark.parametrize("repeated", [11, 3000], ids=["short", "long"])
def test_documents_are_read_once_for_their_ids_and_what_was_cut(toy_file: Path, repeated: int) -> None:
    tokenizer = SparseTokenizer.from_file(toy_file, max_length=4)
    texts = ["red " * repeated, "red planet", ""]
    for given in (texts, texts[:1]):
        read = tokenizer.batch_cut_documents(given)
        assert [ids for ids, _ in read] == tokenizer.batch_document_ids(given)
        assert [dropped for _, dropped in read] == [
            tokenizer.dropped_tokens(text, add_special_tokens=True) for text in given
        ]
    assert read[0][1] == repeated - 2


def test_without_a_limit_nothing_is_dropped() -> None:
    tokenizer = SparseTokenizer.from_file(BERT)
    assert len(tokenizer.query_ids("word " * 2000)) == 2000
    assert tokenizer.dropped_tokens("word " * 2000) == 0
    ((ids, dropped),) = tokenizer.batch_cut_documents(["word " * 2000])
    assert (len(ids), dropped) == (2002, 0)


def test_batch_equals_one_by_one() -> None:
    tokenizer = SparseTokenizer.from_file(BERT, max_length=8)
    texts = ["", "heart attack", "a much longer text than eight tokens would ever allow for", "日本語", "[MASK] x"]
    assert tokenizer.batch_query_ids(texts) == [tokenizer.query_ids(text) for text in texts]


def test_multilingual_file_ships_padding_and_truncation_which_have_no_effect() -> None:
    file, _ = vocabulary_files("mbert")
    tokenizer = SparseTokenizer.from_file(file)
    assert len(tokenizer.query_ids("word " * 2000)) == 2000
    assert [len(ids) for ids in tokenizer.batch_query_ids(["word", "word word"])] == [1, 2]
    assert len(tokenizer.tokens) == 105_879


@pytest.mark.parametrize("content", ["", "{}", '{"model": {}}'])
def test_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json is not the file of a fast tokenizer"):
        SparseTokenizer.from_file(tmp_path / "tokenizer.json")


def test_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json is missing"):
        SparseTokenizer.from_file(tmp_path / "tokenizer.json")


def test_half_of_a_surrogate_pair_is_left_out(toy_file: Path) -> None:
    tokenizer = SparseTokenizer.from_file(toy_file)
    expected = tokenizer.query_ids("red planet")
    assert tokenizer.query_ids("red \ud83d planet") == expected
    assert tokenizer.batch_query_ids(["red \udc00planet", "red planet"]) == [expected, expected]
    assert len(tokenizer.batch_document_ids(["\ud83d"])[0]) == 2


def test_what_is_no_text_is_refused(toy_file: Path) -> None:
    with pytest.raises(TypeError):
        SparseTokenizer.from_file(toy_file).batch_query_ids(["red", None])
