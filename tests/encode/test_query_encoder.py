import json
import warnings
from pathlib import Path

import pytest

from opensearch_neural_sparse import (
    IdfQueryEncoder,
    ModelFiles,
    ModelFilesError,
    QueryEncoder,
    SparseTokenizer,
    TruncationWarning,
    get_model,
    load_document_encoder,
    load_query_encoder,
    resolve_files,
)
from opensearch_neural_sparse.encode import query_encoder
from opensearch_neural_sparse.encode.query_encoder import NeuralQueryEncoder
from opensearch_neural_sparse.encode.truncation import collected_cuts
from tests import toy
from tests.paths import GOLDEN, SMALL_MODEL
from tests.snapshots import vocabulary_files


@pytest.fixture
def encoder(tmp_path: Path) -> QueryEncoder:
    return load_query_encoder(toy.write_doc_only(tmp_path))


def golden(name: str) -> tuple[str, dict[str, float]]:
    path = GOLDEN / "published_examples.json"
    if not path.is_file():
        pytest.skip(f"the published weights are not at {path}")
    weather = json.loads(path.read_text())["weather"]
    return weather["query"], weather[name]


def published_encoder(model: str, vocabulary: str) -> IdfQueryEncoder:
    tokenizer, idf = vocabulary_files(vocabulary)
    files = ModelFiles(spec=get_model(model), root=tokenizer.parent, query_tokenizer=tokenizer, idf=idf)
    return IdfQueryEncoder.from_files(files)


def test_published_weights_of_an_english_query_are_met() -> None:
    query, expected = golden("doc_only_english_query")
    vector = published_encoder("doc-v3-distill", "bert").encode_query(query)
    assert dict(vector) == pytest.approx(expected, abs=1e-6)
    assert len(vector) == 9


def test_published_weights_of_the_multilingual_model_are_met() -> None:
    query, expected = golden("multilingual_v1_query")
    assert dict(published_encoder("multilingual-v1", "mbert").encode_query(query)) == pytest.approx(expected, abs=5e-5)


def test_each_token_counts_once_in_the_order_of_its_first_occurrence(encoder: QueryEncoder) -> None:
    vector = encoder.encode_query("Mars planets, MARS planet mars")
    assert list(vector.items()) == [("mars", 5.0), ("planet", 4.25), ("##s", 0.5)]


def test_tokens_without_a_positive_weight_are_left_out(encoder: QueryEncoder) -> None:
    assert dict(encoder.encode_query("the rare red")) == {"red": 2.5}


@pytest.mark.parametrize("text", ["red [UNK]", "[CLS] red [SEP]", "red [PAD] [MASK]", "red unbeknownst", "red 日本 🚀"])
def test_special_and_unknown_tokens_are_left_out(encoder: QueryEncoder, text: str) -> None:
    assert dict(encoder.encode_query(text)) == {"red": 2.5}


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00", "\u200b", "[SEP]", "unbeknownst", "\u2028"])
def test_text_without_a_known_token_gives_an_empty_vector(encoder: QueryEncoder, text: str) -> None:
    assert len(encoder.encode_query(text)) == 0


def test_multilingual_model_never_yields_an_empty_token() -> None:
    encoder = published_encoder("multilingual-v1", "mbert")
    texts = ["\u2028", "a\u2028b", "\u2029", "\x00", "\u200b\u200c\u200d", "a\u00adb", "\ufeff", "##", "", "中\u2028文"]
    assert all("" not in vector and "##" not in vector for vector in encoder.encode_queries(texts))
    assert "##" in encoder.tokenizer.vocabulary


def test_long_query_is_cut_at_the_limit_of_the_model_or_the_one_given(tmp_path: Path) -> None:
    root = toy.write_doc_only(tmp_path)
    text = "red " * 47 + "planet mars"
    with pytest.warns(TruncationWarning, match="49 tokens, more than the 48 that the model reads; the last 1 "):
        assert set(load_query_encoder(root).encode_query(text)) == {"red", "planet"}
    with pytest.warns(TruncationWarning, match="the last 2 "):
        assert set(load_query_encoder(root, max_length=47).encode_query(text)) == {"red"}
    assert set(load_query_encoder(root, max_length=1000).encode_query(text)) == {"red", "planet", "mars"}


def test_query_of_two_thousand_words_is_cut_at_512_tokens() -> None:
    encoder = load_query_encoder(SMALL_MODEL)
    with pytest.warns(TruncationWarning, match="513 tokens"):
        assert "heart" not in encoder.encode_query("word " * 512 + "heart")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "heart" in encoder.encode_query("word " * 511 + "heart")
    assert encoder.tokenizer.dropped_tokens("word " * 2000) == 1488


@pytest.mark.parametrize("threshold", [1, 1000])
def test_many_queries_that_are_cut_are_warned_of_once(monkeypatch: pytest.MonkeyPatch, threshold: int) -> None:
    monkeypatch.setattr(query_encoder, "BATCH_THRESHOLD", threshold)
    encoder = load_query_encoder(SMALL_MODEL)
    with pytest.warns(TruncationWarning) as caught:
        encoder.encode_queries(["river " * 600 + "moon", "moon", "river " * 600 + "moon", "river " * 512])
    (warning,) = caught
    assert str(warning.message).startswith(
        "2 queries have more tokens than the 512 that the model reads; the last 178 "
    )


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_a_query_that_a_transformer_cuts_is_warned_of_as_a_query(engine: str) -> None:
    pytest.importorskip("torch" if engine == "torch" else "onnxruntime")
    encoder = NeuralQueryEncoder(load_document_encoder(SMALL_MODEL, engine=engine, max_length=8))
    with pytest.warns(TruncationWarning) as caught:
        encoder.encode_query("river " * 9 + "moon")
    (warning,) = caught
    assert str(warning.message).startswith("The query has 12 tokens, more than the 8 that the model reads; the last 4 ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode_query("river " * 6)


@pytest.mark.parametrize("threshold", [1, 1000])
def test_many_queries_give_the_vectors_of_one_by_one(encoder, monkeypatch: pytest.MonkeyPatch, threshold: int) -> None:
    monkeypatch.setattr(query_encoder, "BATCH_THRESHOLD", threshold)
    texts = ["red planet", "", "  ", "mars is the red planet", "[CLS]", "red " * 100]
    assert encoder.encode_queries(texts) == [encoder.encode_query(text) for text in texts]
    assert encoder.encode_queries([]) == []


def test_prompt_is_put_before_every_query_that_is_not_blank(tmp_path: Path) -> None:
    root = toy.write_doc_only(tmp_path)
    toy.write_json(root / "config_sentence_transformers.json", {"prompts": {"query": "mars ", "document": "red "}})
    encoder = load_query_encoder(root)
    assert set(encoder.encode_query("planet")) == {"mars", "planet"}
    assert encoder.encode_query("  ") == {}
    assert set(load_query_encoder(root, prompt="").encode_query("planet")) == {"planet"}


def test_query_encoder_is_loaded_from_files_that_were_resolved_before() -> None:
    files = resolve_files(get_model(SMALL_MODEL))
    query = "heart attack symptoms"
    vector = load_query_encoder(files).encode_query(query)
    assert vector == load_query_encoder(str(SMALL_MODEL)).encode_query(query)
    assert set(vector) == {"heart", "attack", "symptoms"}


def test_engine_options_for_a_model_that_needs_none_are_refused() -> None:
    with pytest.raises(TypeError, match=r"\['device'\]"):
        load_query_encoder(SMALL_MODEL, device="cuda")


def test_table_is_not_looked_for_in_a_bi_encoder(tmp_path: Path) -> None:
    files = resolve_files(get_model(toy.write_bi_encoder(tmp_path)))
    with pytest.raises(ModelFilesError, match="bi-encoder"):
        IdfQueryEncoder.from_files(files)


def test_weights_for_another_vocabulary_are_refused(tmp_path: Path) -> None:
    toy.write_tokenizer(tmp_path)
    with pytest.raises(ValueError, match="one for each of the 12 tokens, got 1"):
        IdfQueryEncoder(SparseTokenizer.from_file(tmp_path / "tokenizer.json"), [1.0])


def test_bi_encoder_encodes_queries_as_it_encodes_documents(snapshot) -> None:
    model = snapshot(mode="bi-encoder", architecture="distilbert")
    queries = load_query_encoder(model)
    documents = load_document_encoder(model)
    texts = ["heart attack", "", "currently new york is rainy"]
    assert queries.encode_queries(texts) == documents.encode_documents(texts)
    assert queries.encode_query(texts[0]) == documents.encode_documents(texts[:1])[0]
    assert len(queries.encode_query(texts[0])) > 10
    assert isinstance(queries, QueryEncoder)


def test_cuts_of_queries_are_collected_by_the_query_without_its_prompt() -> None:
    texts = ["river " * 600 + "moon", "moon"]
    with warnings.catch_warnings(), collected_cuts() as cuts:
        warnings.simplefilter("error")
        load_query_encoder(SMALL_MODEL, prompt="search ").encode_queries(texts)
        load_query_encoder(SMALL_MODEL).encode_query("moon " * 513)
        NeuralQueryEncoder(load_document_encoder(SMALL_MODEL, max_length=8)).encode_query("stone " * 9)
    assert cuts == {texts[0]: (90, 512), "moon " * 513: (1, 512), "stone " * 9: (3, 8)}
