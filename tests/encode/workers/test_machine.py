from __future__ import annotations

import os
from pathlib import Path

import pytest

from opensearch_neural_sparse.encode.workers import machine
from opensearch_neural_sparse.encode.workers.machine import Machine, read_machine

GIBI = 2**30


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that stands for the system's: 4 hardware threads on 2 cores, and 8 GiB."""
    monkeypatch.setattr(machine, "SYSTEM", tmp_path / "cpu")
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    for cpu in range(4):
        _write(tmp_path / f"cpu/cpu{cpu}/topology/thread_siblings_list", f"{cpu % 2},{cpu % 2 + 2}")
    _write(tmp_path / "meminfo", f"MemTotal: {16 * GIBI // 1024} kB\nMemAvailable: {8 * GIBI // 1024} kB")
    return tmp_path


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_hardware_threads_of_one_core_count_once(system: Path) -> None:
    assert read_machine() == Machine(cores=2, memory=8 * GIBI)


def test_cores_that_the_process_may_not_use_do_not_count(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 3})
    assert read_machine().cores == 1


def test_a_container_of_version_2_has_limits(system: Path) -> None:
    _write(system / "own", "0::/job")
    _write(system / "groups/job/memory.max", str(3 * GIBI))
    _write(system / "groups/job/memory.current", str(2 * GIBI))
    _write(system / "groups/job/memory.stat", f"anon 5\ninactive_file {GIBI}")
    _write(system / "groups/job/cpu.max", "100000 100000")
    assert read_machine() == Machine(cores=1, memory=2 * GIBI)


def test_a_container_of_version_1_has_limits(system: Path) -> None:
    _write(system / "own", "4:memory:/job\n1:cpu:/\n3:cpuset:/")
    _write(system / "groups/memory/job/memory.limit_in_bytes", str(3 * GIBI))
    _write(system / "groups/memory/job/memory.usage_in_bytes", str(GIBI))
    _write(system / "groups/cpu/cpu.cfs_quota_us", "100000")
    _write(system / "groups/cpu/cpu.cfs_period_us", "100000")
    assert read_machine() == Machine(cores=1, memory=2 * GIBI)


def test_a_container_without_limits_has_those_of_the_machine(system: Path) -> None:
    _write(system / "own", "0::/")
    _write(system / "groups/memory.max", "max")
    _write(system / "groups/memory.current", "5")
    _write(system / "groups/cpu.max", "max 100000")
    assert read_machine() == Machine(cores=2, memory=8 * GIBI)


def test_a_system_that_does_not_say_has_unknown_memory(system: Path) -> None:
    (system / "meminfo").unlink()
    assert read_machine() == Machine(cores=2, memory=None)
