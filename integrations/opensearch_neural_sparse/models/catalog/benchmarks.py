"""Rows of the benchmarks' published tables, and those of BM25 as the baseline of all models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from opensearch_neural_sparse.models.relevance import Relevance

_BEIR = (
    "TREC-COVID",
    "NFCorpus",
    "NQ",
    "HotpotQA",
    "FiQA",
    "ArguAna",
    "Touche",
    "DBPedia",
    "SCIDOCS",
    "FEVER",
    "Climate-FEVER",
    "SciFact",
    "Quora",
)
_MIRACL = ("bn", "te", "es", "fr", "id", "hi", "ru", "ar", "zh", "fa", "ja", "fi", "sw", "ko", "en")
_MIRACL_MORE = ("th", "de", "yo")


def beir(rows: Sequence[float]) -> Mapping[str, float]:
    """Return NDCG@10 by collection, in the order of the published tables."""
    return MappingProxyType(dict(zip(_BEIR, rows, strict=True)))


def miracl(rows: Sequence[float], more: Sequence[float] = ()) -> Mapping[str, float]:
    """Return NDCG@10 by language code.

    Args:
        rows: Of the 15 languages that OpenSearch publishes, in its order.
        more: Of Thai, German and Yoruba, the other languages of MIRACL.
    """
    return MappingProxyType(dict(zip((*_MIRACL, *(_MIRACL_MORE if more else ())), (*rows, *more), strict=True)))


BM25_RELEVANCE = Relevance(
    beir=beir((0.688, 0.327, 0.326, 0.602, 0.254, 0.472, 0.347, 0.287, 0.165, 0.649, 0.186, 0.690, 0.789)),
    beir_average=0.445,
    miracl=miracl(
        (0.482, 0.383, 0.077, 0.115, 0.297, 0.350, 0.256, 0.395, 0.175, 0.287, 0.312, 0.458, 0.351, 0.371, 0.267),
        (0.491, 0.120, 0.561),
    ),
    miracl_average=0.319,
    msmarco=0.180,
)
"""Published relevance of BM25, below which no model is recommended.

BEIR: OpenSearch's article on sparse semantic encoders (2023-12-05), the mean over these 13 rows (its own mean, .419,
has Amazon ESCI as the 14th). MIRACL: the table of arXiv 2402.03216, 18 languages; OpenSearch's card states the same
rows for its 15, of mean .305. MS MARCO: the model card of `rasyosef/splade-mini`.
"""
