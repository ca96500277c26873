"""Figures of the catalogue that publishers state outside OpenSearch's model cards, as data by source."""

import pytest

from opensearch_neural_sparse import get_model, list_models
from opensearch_neural_sparse.models.catalog.benchmarks import BM25_RELEVANCE

SENTENCE_TRANSFORMERS = {  # sentence-transformers, docs/sparse_encoder/pretrained_models.md: MRR@10, BEIR-13 in percent
    "v2-distill": (None, 52.8),
    "v1": (None, 52.4),
    "splade-v3": (40.2, 51.7),
    "granite-embedding-30m-sparse": (None, 50.8),
    "splade-cocondenser-selfdistil": (37.6, 50.7),
    "splade_v2_distil": (36.8, 50.6),
    "splade-cocondenser-ensembledistil": (38.0, 50.5),
    "splade-v3-distilbert": (38.7, 50.0),
    "Splade_PP_en_v2": (37.8, 49.4),
    "splade-v3-lexical": (40.0, 49.1),
    "Splade_PP_en_v1": (37.2, 48.7),
    "splade_v2_max": (34.0, 46.4),
    "doc-v3-gte": (None, 54.6),
    "doc-v3-distill": (None, 51.7),
    "doc-v2-distill": (None, 50.4),
    "doc-v2-mini": (None, 49.7),
    "doc-v1": (None, 49.0),
    "splade-v3-doc": (None, 47.0),
}
MODEL_CARDS = {  # model cards of rasyosef/splade-mini and splade-tiny
    "splade-mini": (34.1, 44.5),
    "splade-tiny": (30.9, 40.6),
}
REPRODUCTIONS = {  # Pyserini docs/experiments-unicoil.md; Anserini regressions-msmarco-passage-unicoil-noexp.md
    "unicoil-msmarco-passage": (35.1, None),
    "unicoil-noexp-msmarco-passage": (31.5, None),
}
BLOG = {  # OpenSearch blog 2023-12-05, "Improving document retrieval with sparse semantic encoders", table I
    "TREC-COVID": 0.688,
    "NFCorpus": 0.327,
    "NQ": 0.326,
    "HotpotQA": 0.602,
    "FiQA": 0.254,
    "ArguAna": 0.472,
    "Touche": 0.347,
    "DBPedia": 0.287,
    "SCIDOCS": 0.165,
    "FEVER": 0.649,
    "Climate-FEVER": 0.186,
    "SciFact": 0.690,
    "Quora": 0.789,
}
MIRACL = "ar bn en es fa fi fr hi id ja ko ru sw te th zh de yo"
M3 = {  # arXiv 2402.03216, MIRACL dev, NDCG@10 in percent: the mean, then a language each
    "BM25": "31.9 39.5 48.2 26.7 7.7 28.7 45.8 11.5 35.0 29.7 31.2 37.1 25.6 35.1 38.3 49.1 17.5 12.0 56.1",
    "Sparse": "53.9 67.1 68.9 43.8 38.6 45.1 65.4 35.3 48.2 48.9 56.1 61.5 44.5 57.9 79.1 70.9 36.1 32.5 70.0",
}


def percent(value: float | None) -> float | None:
    return None if value is None else pytest.approx(value / 100)


@pytest.mark.parametrize(("name", "figures"), (SENTENCE_TRANSFORMERS | MODEL_CARDS | REPRODUCTIONS).items())
def test_means_are_the_published_ones(name: str, figures: tuple[float | None, float | None]) -> None:
    relevance = get_model(name).relevance
    assert (relevance.msmarco, relevance.beir_average) == (percent(figures[0]), percent(figures[1]))


def test_every_model_has_a_source_or_no_figures() -> None:
    sourced = {*SENTENCE_TRANSFORMERS, *MODEL_CARDS, *REPRODUCTIONS, "multilingual-v1", "bge-m3"}
    assert {spec.name for spec in list_models() if spec.relevance.settings or spec.relevance.msmarco} == sourced


def test_bm25_is_the_baseline_that_opensearch_measured() -> None:
    assert dict(BM25_RELEVANCE.beir) == BLOG
    assert BM25_RELEVANCE.beir_average == pytest.approx(sum(BLOG.values()) / len(BLOG), abs=5e-4)
    assert BM25_RELEVANCE.msmarco == 0.180


@pytest.mark.parametrize(
    ("row", "relevance"), [("BM25", BM25_RELEVANCE), ("Sparse", get_model("bge-m3").relevance)], ids=["bm25", "bge-m3"]
)
def test_miracl_rows_are_those_of_the_paper_of_bge_m3(row, relevance) -> None:
    mean, *values = [float(value) for value in M3[row].split()]
    assert relevance.miracl_average == percent(mean)
    assert dict(relevance.miracl) == pytest.approx(
        {language: value / 100 for language, value in zip(MIRACL.split(), values, strict=True)}
    )


def test_tokens_of_a_text_are_the_measured_ones() -> None:
    relevance = get_model("splade-v3").relevance  # announcement of SPARSEUP, MS MARCO
    assert (relevance.query_tokens, relevance.document_tokens) == (25, 170)
