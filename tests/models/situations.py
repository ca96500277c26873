"""Described situations, the call for each, and the model that it recommends; docs/choose_a_model.md shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Situation:
    """A situation and its recommendation.

    Attributes:
        description: What is wanted, in words.
        wanted: Arguments of `recommend_model`.
        choice: Name of the recommended model.
        runners_up: Names of the next ones.
        reasons: Parts of the reasons.
    """

    description: str
    wanted: dict[str, Any]
    choice: str
    runners_up: tuple[str, ...]
    reasons: tuple[str, ...]


SITUATIONS = (
    Situation(
        description="English, nothing else asked",
        wanted={},
        choice="doc-v3-gte",
        runners_up=("v2-distill", "v1"),
        reasons=("BM25 there: 0.445.", "trained on 7 of these collections", "looked up in a table", "prunes documents"),
    ),
    Situation(
        description="English, fast searches on small machines",
        wanted={"priority": "speed"},
        choice="doc-v2-mini",
        runners_up=("doc-v3-gte", "doc-v3-distill"),
        reasons=(
            "Left out, not above BM25 (0.445): splade-mini, splade-tiny.",
            "Weighed in this order: cost of encoding a query, FLOPS, parameters, published NDCG@10.",
        ),
    ),
    Situation(
        description="English, little memory for documents, no engine for queries",
        wanted={"mode": "doc-only", "max_params": 70_000_000},
        choice="doc-v3-distill",
        runners_up=("doc-v2-distill", "doc-v2-mini"),
        reasons=("On the others alone: doc-v3-distill 0.394", "Left out, more than 70 million parameters"),
    ),
    Situation(
        description="English, articles of 4,000 tokens",
        wanted={"min_context": 4000},
        choice="doc-v3-gte",
        runners_up=(),
        reasons=("documents of 8192 tokens", "Left out, no published NDCG@10 to compare: bge-m3."),
    ),
    Situation(
        description="English, a GPU beside the search, the smallest transformer at each query",
        wanted={"mode": "bi-encoder", "priority": "speed"},
        choice="granite-embedding-30m-sparse",
        runners_up=("v2-distill", "v1"),
        reasons=("milliseconds and an engine", "50,265 token ids exceed the 32,767", "No FLOPS are published"),
    ),
    Situation(
        description="English, research without commercial use, bi-encoder of BERT's size",
        wanted={"mode": "bi-encoder", "commercial": False, "max_params": 110_000_000},
        choice="v2-distill",
        runners_up=("v1", "splade-v3"),
        reasons=(
            "v1 0.524, splade-v3 0.517",
            "Left out, no published NDCG@10 to compare: unicoil-msmarco-passage",
        ),
    ),
    Situation(
        description="Spanish and Finnish",
        wanted={"languages": ["es", "fi"]},
        choice="multilingual-v1",
        runners_up=("bge-m3",),
        reasons=("MIRACL (es, fi): multilingual-v1 0.655, bge-m3 0.520.", "BM25 there: 0.268.", "105,879 token ids"),
    ),
    Situation(
        description="French reports of 4,000 tokens",
        wanted={"languages": ["fr"], "min_context": 4000},
        choice="bge-m3",
        runners_up=(),
        reasons=("Left out, documents of fewer than 4000 tokens only: multilingual-v1.", "568 million parameters"),
    ),
    Situation(
        description="Thai",
        wanted={"languages": ["th"]},
        choice="bge-m3",
        runners_up=(),
        reasons=("MIRACL (th): bge-m3 0.709.", "BM25 there: 0.491.", "Left out, not made for th: v1"),
    ),
    Situation(
        description="Italian, of which nothing is published",
        wanted={"languages": ["it"]},
        choice="bge-m3",
        runners_up=(),
        reasons=("No NDCG@10 is published for all of: it. Judge some queries", "Licence: MIT."),
    ),
)
