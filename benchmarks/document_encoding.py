"""Documents: this package's engines against sentence-transformers at its best, texts in, token -> weight out.

    python -m benchmarks.document_encoding [--shape NAME] [--texts N] [--rounds N] [--threads N]

The models have random weights and a published model's shape, so times, memory and float32 agreement carry over.
`torch.ratio_bs8` is how many times faster the torch engine is than sentence-transformers at batch size 8; `medium` are
the same calls under `torch.set_float32_matmul_precision("medium")`, a switch that a library must not set by itself.
`memory_mb` is the rise of the peak over the loaded model, each in a process of its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.random_models import SHAPES, model_folder, passages
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved

ENGINES = ("torch", "onnx")
CANDIDATES = ("bs1", "bs8", "bs32", "medium_bs1", "medium_bs8", *ENGINES)
NEGLIGIBLE = 1e-4
MEMORY_TEXTS = 64
"""The peak is that of the batch with the longest texts; more texts take time and add little."""
Encode = Callable[[list[str]], Sequence[Mapping[str, float]]]


def main() -> None:
    arguments = _arguments()
    if arguments.memory:
        print(json.dumps(_memory(arguments.memory, arguments)))
        return
    texts = passages(arguments.shape, arguments.texts)
    candidates = {name: _load(name, arguments) for name in CANDIDATES}
    note(f"{len(texts)} passages, {arguments.threads} threads; comparing")
    differences = _differences(candidates, texts)
    note(f"{differences}; measuring {arguments.rounds} rounds")
    processor: dict[str, list[float]] = {name: [] for name in candidates}
    calls = {name: _counting(encode, texts, processor[name]) for name, encode in candidates.items()}
    seconds = time_interleaved(calls, rounds=arguments.rounds)
    print_report(
        {
            "benchmark": "document_encoding",
            "shape": arguments.shape,
            "texts": len(texts),
            "threads": arguments.threads,
            "rounds": arguments.rounds,
            **{engine: _ratios(seconds, engine) for engine in ENGINES},
            "difference": differences,
            "seconds": {name: round(statistics.median(times), 2) for name, times in seconds.items()},
            "cpu_seconds": {name: round(statistics.median(times), 2) for name, times in processor.items()},
            "memory_mb": {} if arguments.no_memory else _memories(arguments),
        }
    )


def _counting(encode: Encode, texts: list[str], processor: list[float]) -> Callable[[], None]:
    """Return a call that notes the processor time it takes, which other programs on the machine disturb less."""

    def call() -> None:
        start = time.process_time()
        encode(texts)
        processor.append(time.process_time() - start)

    return call


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=list(SHAPES), default="doc-v3-distill")
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-memory", action="store_true", help="leave the memory out, which takes a run of each")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    return parser.parse_args()


def _load(name: str, arguments: argparse.Namespace) -> Encode:
    folder = model_folder(arguments.shape)
    if name in ENGINES:
        from opensearch_neural_sparse import load_document_encoder

        if name == "torch":
            import torch

            torch.set_num_threads(arguments.threads)
            return load_document_encoder(folder, engine="torch", device="cpu").encode_documents
        return load_document_encoder(folder, engine="onnx", threads=arguments.threads).encode_documents
    return _reference(name, str(folder), arguments.threads)


_models: dict[str, Any] = {}


def _reference(name: str, folder: str, threads: int) -> Encode:
    import torch
    from sentence_transformers import SparseEncoder

    torch.set_num_threads(threads)
    model = _models.setdefault(folder, None) or SparseEncoder(folder, device="cpu", local_files_only=True)
    _models[folder] = model
    size = int(name.rpartition("bs")[2])

    def encode(texts: list[str]) -> list[dict[str, float]]:
        with _precision("medium" if name.startswith("medium") else "highest"):
            vectors = model.encode_document(texts, batch_size=size, show_progress_bar=False)
        return [dict(row) for row in model.decode(vectors)]

    return encode


@contextmanager
def _precision(wanted: str) -> Iterator[None]:
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(wanted)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _ratios(seconds: Mapping[str, list[float]], engine: str) -> dict[str, float]:
    baselines = [name for name in seconds if name not in ENGINES]
    found = [ratio_of_medians(seconds[name], seconds[engine], f"ratio_{name}") for name in baselines]
    return {key: value for ratios in found for key, value in ratios.items()}


def _differences(candidates: Mapping[str, Encode], texts: list[str]) -> dict[str, float]:
    """Return the largest difference of a weight, the special tokens aside, and check that the tokens are the same."""
    expected = candidates["bs8"](texts)
    found: dict[str, float] = {}
    for name in ("bs32", *ENGINES):
        worst = 0.0
        for vector, reference in zip(candidates[name](texts), expected, strict=True):
            for token in {*vector, *reference} - {"[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"}:
                one, other = vector.get(token, 0.0), reference.get(token, 0.0)
                if max(one, other) > NEGLIGIBLE and not min(one, other):
                    raise SystemExit(f"{name} and sentence-transformers disagree on a token; nothing to compare.")
                worst = max(worst, abs(one - other))
        found[name] = worst
    return found


def _memories(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    found = {}
    for name in ("bs8", "bs32", *ENGINES):
        note(f"measuring the memory of {name}")
        texts = min(MEMORY_TEXTS, arguments.texts)
        options = ("--shape", arguments.shape, "--texts", str(texts), "--threads", str(arguments.threads))
        command = (sys.executable, "-m", "benchmarks.document_encoding", "--memory", name, *options)
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    return found


def _memory(name: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Return the memory of this process before encoding, after a first text, and how far the peak rises over it."""
    encode = _load(name, arguments)
    encode(["A first text, so that everything is in place."])
    gc.collect()
    base = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of loading
    encode(passages(arguments.shape, arguments.texts))
    return {"loaded": round(base), "rise": round(_status("VmHWM") - base)}


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    main()
