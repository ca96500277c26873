"""The torch engine on a GPU, in bfloat16 and float32, against sentence-transformers on the same GPU.

python -m benchmarks.gpu [--shape NAME] [--texts N] [--rounds N]

`skipped` says why nothing was measured. `share_of_ceiling` is the arithmetic of the model's matrices, done in the time
measured, as a share of what a large matrix product reaches on this GPU in the same number format.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from benchmarks.random_models import SHAPES, model_folder, passages
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved

DTYPES = ("bfloat16", "float32")
BATCH_SIZES = (32, 128)


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=list(SHAPES), default="doc-v3-distill")
    parser.add_argument("--texts", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print_report({"benchmark": "gpu", "skipped": "torch finds no CUDA device"})
        return
    base = passages(arguments.shape, 200)
    texts = [base[number % len(base)] for number in range(arguments.texts)]
    results = {dtype: measure(arguments.shape, dtype, texts, arguments.rounds) for dtype in DTYPES}
    print_report(
        {
            "benchmark": "gpu",
            "device": torch.cuda.get_device_name(),
            "shape": arguments.shape,
            "texts": len(texts),
            **results,
        }
    )


def measure(name: str, dtype: str, texts: list[str], rounds: int) -> dict[str, Any]:
    import torch
    from sentence_transformers import SparseEncoder

    from opensearch_neural_sparse import load_document_encoder

    folder = model_folder(name)
    own = load_document_encoder(folder, engine="torch", device="cuda", dtype=dtype)
    model = SparseEncoder(str(folder), device="cuda", local_files_only=True).to(getattr(torch, dtype))

    def theirs(size: int) -> list[Any]:
        vectors = model.encode_document(texts, batch_size=size, show_progress_bar=False)
        return [dict(row) for row in model.decode(vectors)]

    calls = {f"bs{size}": (lambda size=size: theirs(size)) for size in BATCH_SIZES}
    candidates = {**calls, "own": lambda: own.encode_documents(texts)}
    note(f"{dtype}: warming up")
    for call in candidates.values():
        call()
    memory = {label: _peak_megabytes(call) for label, call in candidates.items()}
    seconds = time_interleaved(candidates, rounds=rounds)
    tokens = sum(map(len, own.tokenizer.batch_document_ids(texts)))
    fastest = statistics.median(seconds["own"])
    ceiling = _ceiling(getattr(torch, dtype))
    return {
        **{key: value for label in calls for key, value in _ratio(seconds, label).items()},
        "texts_per_second": {label: round(len(texts) / statistics.median(t), 1) for label, t in seconds.items()},
        "share_of_ceiling": round(tokens * _operations(name) / fastest / ceiling, 3),
        "ceiling_tflops": round(ceiling / 1e12, 1),
        "peak_mb": memory,
    }


def _ratio(seconds: dict[str, list[float]], label: str) -> dict[str, float]:
    return ratio_of_medians(seconds[label], seconds["own"], f"ratio_{label}")


def _operations(name: str) -> int:
    """Return the floating-point operations of a token: two for each weight of a matrix that it meets."""
    shape = SHAPES[name]
    layer = 4 * shape.hidden**2 + 2 * shape.hidden * shape.inner
    vocabulary = 105_879 if shape.tokenizer.parent.name.startswith("mbert") else 30_522
    return 2 * (shape.layers * layer + shape.hidden**2 + shape.hidden * vocabulary)


def _ceiling(dtype: Any) -> float:
    """Return the operations a second of a large matrix product."""
    import torch

    matrix = torch.randn(8192, 8192, device="cuda", dtype=dtype)
    matrix @ matrix
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(20):
        matrix @ matrix
    end.record()
    torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (start.elapsed_time(end) / 1000)


def _peak_megabytes(call: Any) -> int:
    import torch

    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    return round((torch.cuda.max_memory_allocated() - before) / 2**20)


if __name__ == "__main__":
    main()
