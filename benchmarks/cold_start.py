"""A process that encodes one query of a doc-only model: seconds from its start to its end, and memory.

python -m benchmarks.cold_start [MODEL_FOLDER]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.report import print_report

MODEL = Path(__file__).parent.parent / "examples" / "models" / "small-en"
RUNS = 11
CODE = """
import json, resource, sys
from opensearch_neural_sparse import load_query_encoder
tokens = len(load_query_encoder(sys.argv[1]).encode_query("What's the weather in ny now?"))
kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
print(json.dumps({"tokens": tokens, "megabytes": kilobytes / 1024, "torch": "torch" in sys.modules,
    "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2])}))
"""


def main(folder: str) -> None:
    seconds, results = [], []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        run = subprocess.run([sys.executable, "-c", CODE, folder], capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - start)
        results.append(json.loads(run.stdout))
    seconds, results = seconds[1:], results[1:]  # the first run reads files that later ones find in the page cache
    print_report(
        {
            "benchmark": "cold_start",
            "seconds": round(statistics.median(seconds), 3),
            "seconds_low": round(min(seconds), 3),
            "seconds_high": round(max(seconds), 3),
            "cpu_seconds": round(statistics.median(result["cpu"] for result in results), 3),
            "megabytes": round(statistics.median(result["megabytes"] for result in results), 1),
            "torch_imported": any(result["torch"] for result in results),
            "runs": RUNS,
            "model": Path(folder).name,
        }
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(MODEL))
