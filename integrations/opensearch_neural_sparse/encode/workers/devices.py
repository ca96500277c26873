"""Devices of encoding processes."""

from __future__ import annotations

from collections.abc import Sequence

from opensearch_neural_sparse.arguments import check_texts
from opensearch_neural_sparse.error_reasons import shown_value

CPU = "cpu"
MOST_WORKERS = 4096
"""Processes beyond those that any machine has cores for."""


def worker_devices(workers: int | None, devices: Sequence[str] | None, device: str | None) -> tuple[str, ...]:
    """Return the device of each encoding process; none where this process encodes.

    Args:
        workers: Number of processes.
        devices: Devices, one process for each, or as many on each where there are more workers.
        device: Device of all processes, where it is one.

    Raises:
        ValueError: They do not fit together.
    """
    if workers is not None and workers > MOST_WORKERS:
        raise ValueError(f"workers is {workers}; it must be {MOST_WORKERS} or less.")
    if devices is None:
        return () if workers is None or workers == 1 else (device or CPU,) * workers
    if isinstance(devices, str) or not isinstance(devices, Sequence) or not devices:
        raise ValueError(
            f"devices is a list such as ['cuda:0', 'cuda:1'], got {shown_value(devices)}. One device is device='...'."
        )
    if device is not None:
        raise ValueError(f"device={device!r} and devices={list(devices)!r} cannot both be given; leave one out.")
    check_texts(devices=devices)
    count = len(devices) if workers is None else workers
    if count % len(devices):
        raise ValueError(
            f"{count} workers cannot be shared evenly by {len(devices)} devices. Leave workers out for one process on "
            "each device, or give a multiple of their number."
        )
    return tuple(devices) * (count // len(devices))
