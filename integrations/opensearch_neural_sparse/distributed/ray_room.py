"""The CPUs and GPUs of a Ray cluster."""

from __future__ import annotations

from typing import Any


def ensure_room(workers: int, *, cpus: float, gpus: float, called: str = "worker", reading: bool = False) -> None:
    """Raise ValueError if Ray lacks CPUs or GPUs for all workers, because it would wait forever.

    Ray is started, or joined, where this program has not done so.

    Args:
        workers: How many workers there will be.
        cpus: CPUs that Ray reserves for each of them.
        gpus: GPUs that Ray reserves for each of them.
        called: What the caller's parameter calls one of them.
        reading: Whether one CPU has to stay free to read with.
    """
    import ray

    if workers < 1:
        raise ValueError(f"At least one {called} is needed, got {called}s={workers}.")
    if not ray.is_initialized():
        ray.init()
    resources: dict[str, Any] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    for kind, each, kept in (("CPU", cpus, int(reading)), ("GPU", gpus, 0)):
        there = float(resources.get(kind, 0))
        if workers * each > there - kept:
            excess = f"leave less than one of Ray's {there:g} CPUs to read with" if kept else f"exceed Ray's {there:g}"
            raise ValueError(
                f"{workers} {called}s of {each:g} {kind}s {excess}, and Ray would wait forever. Give fewer {called}s, "
                f"a smaller {kind.lower()}s=..., or more {kind}s by ray.init(num_{kind.lower()}s=...): Ray counts them "
                "without measuring."
            )
