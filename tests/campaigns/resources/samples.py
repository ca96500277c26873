"""What a process holds, sampled over a run, and whether it grows."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

WARM_UP = 0.4
"""Part of the samples at the beginning that are left out of a fit."""
MOST_GROWTH = {"rss_mb": 12.0, "threads": 2.0, "descriptors": 2.0}
"""What may be gained over the fitted part of a run: an allocator's slack, and nothing else."""
_PROCESS = Path("/proc/self")
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Sample:
    """What the process holds after some operations.

    Attributes:
        done: Operations so far.
        rss_mb: Resident memory in MiB.
        threads: Threads.
        descriptors: Open file descriptors.
    """

    done: int
    rss_mb: float
    threads: int
    descriptors: int


@dataclass(frozen=True)
class Growth:
    """A line through the samples of one thing.

    Attributes:
        name: Which thing.
        mean: Its mean.
        per_thousand: What a thousand operations add.
        total: What the fitted part of the run adds.
    """

    name: str
    mean: float
    per_thousand: float
    total: float

    @property
    def is_flat(self) -> bool:
        """Whether no more was gained than an allocator's slack."""
        return self.total <= MOST_GROWTH[self.name]


def take_sample(done: int) -> Sample:
    """Return what this process holds."""
    gc.collect()
    pages = int((_PROCESS / "statm").read_text().split()[1])
    threads, descriptors = len(list((_PROCESS / "task").iterdir())), len(os.listdir(_PROCESS / "fd"))  # noqa: PTH208
    return Sample(done, pages * os.sysconf("SC_PAGE_SIZE") / _MEBIBYTE, threads, descriptors)


def growths(samples: Sequence[Sample]) -> list[Growth]:
    """Return the line of least squares for each thing, without the warm-up.

    Raises:
        ValueError: Fewer than four samples are left.
    """
    kept = samples[int(len(samples) * WARM_UP) :]
    if len(kept) < 4:
        raise ValueError(f"A fit takes four samples or more after the warm-up, got {len(kept)}.")
    return [_growth(name, kept) for name in (each.name for each in fields(Sample)) if name != "done"]


def _growth(name: str, samples: Sequence[Sample]) -> Growth:
    done, held = [each.done for each in samples], [float(getattr(each, name)) for each in samples]
    middle, mean = sum(done) / len(done), sum(held) / len(held)
    spread = sum((each - middle) ** 2 for each in done)
    slope = sum((x - middle) * (y - mean) for x, y in zip(done, held, strict=True)) / spread
    return Growth(name, round(mean, 2), round(slope * 1000, 4), round(slope * (done[-1] - done[0]), 2))
