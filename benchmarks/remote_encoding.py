"""Encoding by the service against encoding in this process, in turns.

    python -m benchmarks.remote_encoding [ROUNDS] [TEXTS] [CLIENTS]

The service is a process of its own, with all cores, as the encoder here has. `one` sends a text a request, `many` does
so from several clients at once, `lists` sends 32 texts a request. Each ratio is the texts a second of that against one
call of the encoder here with all texts; latencies are those of single requests. `resident_mb` is the service's memory.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

from benchmarks.random_models import SMALL_MODEL, passages
from benchmarks.report import note, percentile, print_report, ratio_of_medians, time_interleaved
from opensearch_neural_sparse import load_document_encoder
from opensearch_neural_sparse.layer_support import collected_cuts

MAIN = "from opensearch_neural_sparse.cli import main; main()"
LIST = 32


def main(rounds: int = 5, count: int = 128, clients: int = 32) -> None:
    """Measure and print the report."""
    texts = passages("doc-v3-distill", count)
    latencies: dict[str, list[float]] = {"one": [], "many": []}
    with (
        served() as url,
        load_document_encoder(SMALL_MODEL, engine="onnx") as encoder,
        collected_cuts(),
        httpx.Client(base_url=url, timeout=120, limits=httpx.Limits(max_connections=clients)) as client,
    ):

        def send(part: Sequence[str], name: str = "") -> None:
            start = time.perf_counter()
            client.post("/encode", json={"texts": part}).raise_for_status()
            if name:
                latencies[name].append(time.perf_counter() - start)

        def from_many() -> None:
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(lambda text: send([text], "many"), texts))

        calls = {
            "in_process": lambda: encoder.encode_documents(texts),
            "one": lambda: [send([text], "one") for text in texts],
            "many": from_many,
            "lists": lambda: [send(texts[start : start + LIST]) for start in range(0, count, LIST)],
        }
        send(texts[:LIST])
        encoder.encode_documents(texts[:LIST])
        before = resident_mb(client)
        seconds = time_interleaved(calls, rounds=rounds)
        after = resident_mb(client)
        batches = metric(client, "neural_sparse_batch_texts_sum") / metric(client, "neural_sparse_batch_texts_count")
    rates = {f"{name}_per_second": round(count / statistics.median(each), 1) for name, each in seconds.items()}
    ratios: dict[str, float] = {}
    for name in ("one", "many", "lists"):
        ratios |= ratio_of_medians(seconds["in_process"], seconds[name], prefix=f"{name}_ratio")
    shares = {"p50": 0.5, "p99": 0.99}
    waits = {
        f"{name}_{label}_ms": round(1000 * percentile(each, share), 1)
        for name, each in latencies.items()
        for label, share in shares.items()
    }
    memory = {"resident_mb_before": round(before), "resident_mb_after": round(after)}
    setting = {"texts": count, "rounds": rounds, "clients": clients, "texts_a_batch": round(batches, 1)}
    print_report({**setting, **rates, **ratios, **waits, **memory})


@contextmanager
def served() -> Iterator[str]:
    """Run the service until the end of the block; its address."""
    options = ("--engine", "onnx", "--port", "0")
    command = [sys.executable, "-c", MAIN, "serve-encoder", str(SMALL_MODEL), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            note(f"the service answers on {url}")
            yield url
        finally:
            process.terminate()


def metric(client: httpx.Client, name: str) -> float:
    """Return a metric of the service."""
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def resident_mb(client: httpx.Client) -> float:
    """Return the memory of the service."""
    return metric(client, "process_resident_memory_bytes") / (1 << 20)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
