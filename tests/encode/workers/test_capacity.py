from __future__ import annotations

import pytest

from opensearch_neural_sparse.encode.engines.engine import Engine
from opensearch_neural_sparse.encode.workers.capacity import (
    MEBI,
    Workload,
    default_threads,
    describe,
    find_obstacles,
)
from opensearch_neural_sparse.encode.workers.machine import Machine, read_machine

LARGE = Machine(cores=16, memory=64_000 * MEBI)
TWO_CORES = Machine(cores=2, memory=64_000 * MEBI)


def _workload(processes: int = 4, threads: int = 4, weights: int = 500 * MEBI, on_cpu: int | None = None) -> Workload:
    return Workload(
        processes=processes,
        on_cpu=processes if on_cpu is None else on_cpu,
        threads=threads,
        weights=weights,
        engine=Engine.ONNX,
    )


@pytest.mark.parametrize(("cores", "processes", "threads"), [(2, 2, 1), (16, 4, 4), (16, 3, 5), (2, 5, 1)])
def test_the_cores_are_divided_among_processes(cores: int, processes: int, threads: int) -> None:
    assert default_threads(Machine(cores=cores, memory=None), processes) == threads


def test_each_process_holds_the_weights() -> None:
    assert _workload(processes=4).memory == 4 * (500 + 250) * MEBI
    assert describe(_workload(), LARGE) == (
        "Encoding by 4 processes of 4 threads: some 3,000 MiB of memory; 64,000 MiB are available, 16 cores."
    )
    assert "how much is available is unknown" in describe(_workload(), Machine(cores=16, memory=None))


def test_what_fits_and_pays_is_no_obstacle() -> None:
    assert list(find_obstacles(_workload(), LARGE)) == []
    assert list(find_obstacles(_workload(), Machine(cores=16, memory=None))) == []
    assert list(find_obstacles(_workload(processes=2, on_cpu=0, threads=1), TWO_CORES)) == []


def test_memory_that_does_not_suffice_is_an_obstacle() -> None:
    (obstacle,) = find_obstacles(_workload(), Machine(cores=16, memory=2000 * MEBI))
    assert obstacle == (
        "4 encoding processes take some 3,000 MiB of memory, but 2,000 MiB are available. Give fewer workers."
    )


def test_more_threads_than_cores_are_an_obstacle() -> None:
    (obstacle,) = find_obstacles(_workload(threads=5), LARGE)
    assert obstacle.startswith("4 encoding processes of 5 threads share 16 cores, which is slower")
    assert "at most workers=16" in obstacle


def test_several_processes_do_not_pay_on_two_cores() -> None:
    (obstacle,) = find_obstacles(_workload(processes=2, threads=1), TWO_CORES)
    assert obstacle == (
        "On 2 cores, 2 encoding processes are at most 20 % faster than one, and each holds the model in memory. Leave "
        "workers out unless you want crashes isolated."
    )
    *_, obstacle = find_obstacles(_workload(processes=3, on_cpu=3, threads=1), Machine(cores=1, memory=None))
    assert obstacle.startswith("On 1 core, 3 encoding processes are at most")


def test_this_machine_has_a_core_and_memory() -> None:
    machine = read_machine()
    assert machine.cores >= 1
    assert machine.memory is None or machine.memory > 0
