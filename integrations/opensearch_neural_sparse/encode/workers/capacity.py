"""Whether a machine has the memory and the cores for several encoding processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.engines.engine import Engine

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.workers.machine import Machine

MEBI = 2**20
ENGINE_BYTES: Mapping[Engine, int] = {Engine.ONNX: 250 * MEBI, Engine.TORCH: 1100 * MEBI}
"""Memory of a process beside the weights: interpreter, libraries and one batch, as measured on Linux."""
FEW_CORES = 2
"""Up to this many cores, one process keeps them busy."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Resources that encoding processes take.

    Attributes:
        processes: Their number.
        on_cpu: How many of them run on the CPU.
        threads: Threads of each.
        weights: Bytes of the model's weights.
        engine: The inference engine.
    """

    processes: int
    on_cpu: int
    threads: int
    weights: int
    engine: Engine

    @property
    def memory(self) -> int:
        """Bytes that all processes take."""
        return self.processes * (self.weights + ENGINE_BYTES[self.engine])


def default_threads(machine: Machine, processes: int) -> int:
    """Return the number of threads of each process, so that all together keep the cores busy."""
    return max(1, machine.cores // processes)


def describe(workload: Workload, machine: Machine) -> str:
    """Return what processes take and what the machine has."""
    return (
        f"Encoding by {workload.processes} processes of {workload.threads} threads: some {_mebi(workload.memory)} of "
        f"memory; {_available(machine)}, {machine.cores} cores."
    )


def find_obstacles(workload: Workload, machine: Machine) -> Iterator[str]:
    """Yield why processes will not fit, or will not pay, and the way out."""
    if machine.memory is not None and workload.memory > machine.memory:
        yield (
            f"{workload.processes} encoding processes take some {_mebi(workload.memory)} of memory, but "
            f"{_available(machine)}. Give fewer workers."
        )
    if workload.on_cpu * workload.threads > machine.cores:
        yield (
            f"{workload.on_cpu} encoding processes of {workload.threads} threads share {machine.cores} cores, which is "
            f"slower than a thread for each core. Give at most workers={machine.cores}, or fewer threads."
        )
    if workload.on_cpu > 1 and machine.cores <= FEW_CORES:
        cores = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
        yield (
            f"On {cores}, {workload.on_cpu} encoding processes are at most 20 % faster than one, and each holds the "
            "model in memory. Leave workers out unless you want crashes isolated."
        )


def _available(machine: Machine) -> str:
    return "how much is available is unknown" if machine.memory is None else f"{_mebi(machine.memory)} are available"


def _mebi(size: int) -> str:
    return f"{round(size / MEBI):,} MiB"
