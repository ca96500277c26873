"""Document encoding by several processes against one, in turns.

    python -m benchmarks.encoding_workers [WORKERS] [ROUNDS] [TEXTS]

One process has a thread for each core; the cores are divided among the threads of several. `ratio` is how many times
faster the processes are.
"""

from __future__ import annotations

import statistics
import sys
import time

from benchmarks.random_models import SMALL_MODEL, passages
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved
from opensearch_neural_sparse import load_document_encoder
from opensearch_neural_sparse.layer_support import collected_cuts


def main(workers: int = 2, rounds: int = 7, count: int = 240) -> None:
    """Measure and print the report."""
    texts = passages("doc-v3-distill", count)
    start = time.perf_counter()
    with (
        load_document_encoder(SMALL_MODEL, workers=workers) as several,
        load_document_encoder(SMALL_MODEL) as one,
        collected_cuts(),
    ):
        note(f"loaded in {time.perf_counter() - start:.1f} s")
        encoders = {"one": one, "several": several}
        for encoder in encoders.values():
            encoder.encode_documents(texts[:50])
        calls = {name: lambda encoder=encoder: encoder.encode_documents(texts) for name, encoder in encoders.items()}
        seconds = time_interleaved(calls, rounds=rounds)
    rates = {f"{name}_per_second": round(count / statistics.median(each), 1) for name, each in seconds.items()}
    ratio = ratio_of_medians(seconds["one"], seconds["several"])
    print_report({"workers": workers, "texts": count, "rounds": rounds, **rates, **ratio})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
