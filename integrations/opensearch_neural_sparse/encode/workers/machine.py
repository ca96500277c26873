"""Cores and memory that this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYSTEM = Path("/sys/devices/system/cpu")
MEMINFO = Path("/proc/meminfo")
OWN_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
KIBI = 1024


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Resources for encoding.

    Attributes:
        cores: Physical cores.
        memory: Bytes of available memory; None where the system does not say.
    """

    cores: int
    memory: int | None


def read_machine() -> Machine:
    """Read the cores and the memory that this process may use, limits of a container included."""
    limits = [limit for limit in (_free_memory(), *_group_memory()) if limit is not None]
    return Machine(cores=_cores(), memory=min(limits, default=None))


def _cores() -> int:
    """Return the number of physical cores: hardware threads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    siblings = {_text(SYSTEM / f"cpu{cpu}/topology/thread_siblings_list") or cpu for cpu in os.sched_getaffinity(0)}
    return max(1, min([len(siblings), *_group_cores()]))


def _group_cores() -> Iterator[int]:
    for folder in _group_folders("cpu"):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal():
            yield round(int(quota) / int(period))
        quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():
            yield round(int(quota) / int(period))


def _free_memory() -> int | None:
    for line in _text(MEMINFO).splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) * KIBI
    return None


def _group_memory() -> Iterator[int]:
    """Yield what each limit of a container leaves; file caches count as free."""
    for folder in _group_folders("memory"):
        limits = [(folder / "memory.max", folder / "memory.current")]
        limits.append((folder / "memory.limit_in_bytes", folder / "memory.usage_in_bytes"))
        for limit, used in ((_text(limit), _text(used)) for limit, used in limits):
            if limit.isdecimal() and used.isdecimal():
                yield int(limit) - int(used) + _file_cache(folder)


def _file_cache(folder: Path) -> int:
    counts = dict(line.split(" ", 1) for line in _text(folder / "memory.stat").splitlines() if " " in line)
    return int(counts.get("total_inactive_file", counts.get("inactive_file", 0)))


def _group_folders(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control group and of its root, of version 2 and of version 1."""
    for line in _text(OWN_GROUPS).splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" or controller in controllers.split(","):
            root = GROUPS if number == "0" else GROUPS / controllers
            yield from dict.fromkeys((root / path.lstrip("/"), root))


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8").strip()
    return ""
