"""From activations [B, V] to token -> weight: one pass against sentence-transformers' collect and decode.

    python -m benchmarks.extraction [--rounds N]

Both start from the same batches, 32 texts of about 220 active tokens over 30,522. This package's time includes the
activation, which it does on what is not zero; that of sentence-transformers, done before on everything, is left out.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from benchmarks.random_models import ACTIVE_TOKENS, BERT_TOKENIZER, SMALL_MODEL
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved

BATCH, BATCHES = 32, 8


def main() -> None:
    import torch
    from sentence_transformers import SparseEncoder

    from opensearch_neural_sparse import Activation, SparseTokenizer
    from opensearch_neural_sparse.encode.engines.extraction import VectorMaker, entries_of

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer = SparseTokenizer.from_file(BERT_TOKENIZER)
    size = len(tokenizer.tokens)
    cut = torch.distributions.Normal(0, 1).icdf(torch.tensor(1 - ACTIVE_TOKENS / size))
    batches = [torch.randn(BATCH, size) - cut for _ in range(BATCHES)]
    arrays = [batch.numpy() for batch in batches]
    maker = VectorMaker(tokenizer.tokens, ())
    model = SparseEncoder(str(SMALL_MODEL), device="cpu", local_files_only=True)
    activated = [batch.relu().log1p() for batch in batches]

    def own() -> list[Any]:
        return [vector for array in arrays for vector in maker.vectors(entries_of(array, Activation.RELU), BATCH)]

    def theirs() -> list[dict[str, float]]:
        rows: list[Any] = []  # the statements of SparseEncoder.encode after its last layer
        for batch in activated:
            rows.extend(batch.to_sparse())
        return [dict(row) for row in model.decode(torch.stack(rows))]

    for vector, expected in zip(own(), theirs(), strict=True):
        if vector.keys() != expected.keys() or max(abs(vector[t] - expected[t]) for t in expected) > 1e-6:
            raise SystemExit("The two disagree; there is nothing to compare.")
    note("equal; measuring")
    seconds = time_interleaved({"sentence_transformers": theirs, "own": own}, rounds=rounds)
    microseconds = {name: 1e6 * statistics.median(times) / (BATCH * BATCHES) for name, times in seconds.items()}
    print_report(
        {
            "benchmark": "extraction",
            **ratio_of_medians(seconds["sentence_transformers"], seconds["own"]),
            "microseconds_per_text": {name: round(value, 1) for name, value in microseconds.items()},
            "texts": BATCH * BATCHES,
        }
    )


if __name__ == "__main__":
    main()
