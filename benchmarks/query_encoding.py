"""Queries of a doc-only model: this package's table look-up against sentence-transformers, in one process.

    python -m benchmarks.query_encoding [MODEL_FOLDER]

Both give token -> weight. `ratio` is the median of single queries, `batch_ratio` that of a thousand at once.
"""

from __future__ import annotations

import itertools
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.report import note, percentile, print_report, ratio_of_medians, time_interleaved

MODEL = Path(__file__).parent.parent / "examples" / "models" / "small-en"
SINGLE_QUERIES = 600
BATCH = 1000
BATCH_ROUNDS = 15
BATCH_SIZES = (32, 128)
QUESTIONS = (
    "what causes {} in older people?",
    "How does {} affect the economy of small countries",
    "{} symptoms and treatment",
    "who discovered {}?",
    "best way to explain {} to a child",
    "Is {} more common in winter than in summer?",
    "the history of {} in the nineteenth century",
    "{} vs. its alternatives: what are the trade-offs of each approach?",
    "why was {} controversial",
    "definition {}",
)
TOPICS = (
    "vitamin D deficiency",
    "supersonic boundary layers",
    "inflation",
    "the Red Planet",
    "type 2 diabetes",
    "neural information retrieval",
    "the Panama Canal",
    "photosynthesis",
    "graph databases",
    "sleep apnea",
)
PLACES = (
    "in Europe",
    "today",
    "for beginners",
    "at scale",
    "in 1987",
    "near the coast",
    "",
    "again",
    "so far",
    "really",
)


def queries() -> list[str]:
    """Return a thousand questions of about eight words."""
    rows = itertools.product(QUESTIONS, TOPICS, PLACES)
    return [f"{question.format(topic)} {place}".strip() for question, topic, place in rows]


def main(folder: str) -> None:
    from sentence_transformers import SparseEncoder

    from opensearch_neural_sparse import load_query_encoder

    reference, own = SparseEncoder(folder, device="cpu"), load_query_encoder(folder)
    texts = queries()

    def reference_batch(batch: list[str], batch_size: int) -> Any:
        return reference.decode(reference.encode_query(batch, batch_size=batch_size, show_progress_bar=False))

    _check_equal(reference_batch(texts, 32), own.encode_queries(texts))
    note(f"{len(texts)} queries equal; measuring")
    single: dict[str, list[float]] = {"reference": [], "own": []}
    for text in texts[:: len(texts) // SINGLE_QUERIES or 1][:SINGLE_QUERIES]:
        pair = {
            "reference": lambda text=text: reference.decode(reference.encode_query(text)),
            "own": lambda text=text: own.encode_query(text),
        }
        for name, seconds in time_interleaved(pair, rounds=1).items():
            single[name] += seconds
    candidates = {f"reference_{size}": lambda size=size: reference_batch(texts, size) for size in BATCH_SIZES}
    batch = time_interleaved({**candidates, "own": lambda: own.encode_queries(texts)}, rounds=BATCH_ROUNDS)
    best = min(candidates, key=lambda name: statistics.median(batch[name]))
    print_report(
        {
            "benchmark": "query_encoding",
            **ratio_of_medians(single["reference"], single["own"]),
            **ratio_of_medians(batch[best], batch["own"], "batch_ratio"),
            "single_us": {name: round(1e6 * statistics.median(seconds), 1) for name, seconds in single.items()},
            "single_p95_us": {name: round(1e6 * percentile(seconds, 0.95), 1) for name, seconds in single.items()},
            "batch_ms": {name: round(1e3 * statistics.median(seconds), 1) for name, seconds in batch.items()},
            "batch": BATCH,
            "model": Path(folder).name,
        }
    )


def _check_equal(reference: list[list[tuple[str, float]]], own: list[Any]) -> None:
    for expected, vector in zip(reference, own, strict=True):
        given = dict(expected)
        if given.keys() != vector.keys() or any(abs(given[token] - vector[token]) > 1e-6 for token in given):
            raise SystemExit("The two disagree on a query; there is nothing to compare.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(MODEL))
