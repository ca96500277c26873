import pytest

from opensearch_neural_sparse import ModelFilesError
from opensearch_neural_sparse.evaluate.datasets.beir import read_collection
from opensearch_neural_sparse.evaluate.experiments.evaluation import evaluate_lexically
from opensearch_neural_sparse.evaluate.experiments.lexical_baseline import lexical_documents, load_lexical_encoder
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10
from tests.paths import DATA, MODELS
from tests.toy import IDF, write_json, write_tokenizer


@pytest.fixture
def encoder(tmp_path):
    write_tokenizer(tmp_path)
    write_json(tmp_path / "idf.json", IDF)
    return load_lexical_encoder(tmp_path)


def test_documents_hold_their_own_tokens_that_have_a_weight(encoder) -> None:
    vectors = lexical_documents(encoder, {"d": "the red planet [SEP] rare unknown"})
    assert set(vectors["d"]) == {"red", "planet"}


def test_a_token_counts_once_at_the_mean_length_and_repetition_counts_less_and_less(encoder) -> None:
    vectors = lexical_documents(encoder, {"d1": "red planet", "d2": "red red", "d3": "mars mars"})
    assert vectors["d1"].to_dict() == pytest.approx({"red": 1.0, "planet": 1.0})
    assert vectors["d2"]["red"] == pytest.approx(2 * 2.2 / 3.2)


def test_long_documents_weigh_less(encoder) -> None:
    vectors = lexical_documents(encoder, {"short": "red", "long": "red planet mars is planet"})
    assert vectors["long"]["red"] < 1 < vectors["short"]["red"]


def test_texts_without_a_token_are_empty(encoder) -> None:
    assert lexical_documents(encoder, {"d": "", "e": "the"}) == {"d": {}, "e": {}}


def test_a_missing_table_is_named(tmp_path) -> None:
    write_tokenizer(tmp_path)
    with pytest.raises(ModelFilesError, match=r"idf\.json"):
        load_lexical_encoder(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expected"), [("cranfield", 0.352), ("xquad/en", 0.970), ("scifact", 0.662)])
def test_the_baseline_has_its_known_numbers(name: str, expected: float) -> None:
    if not (DATA / name).is_dir() or not (MODELS / "bert-uncased").is_dir():
        pytest.skip(f"needs the collection {name} and the tokenizer bert-uncased")
    collection = read_collection(DATA / name)
    run = evaluate_lexically(collection, load_lexical_encoder(MODELS / "bert-uncased"), setting="bert-uncased")
    assert round(run.metrics[NDCG_AT_10], 3) == expected
