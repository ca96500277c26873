"""The command line in processes of its own, which begin with its modules loaded and may take little memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

MOST_MEMORY = 6 * 2**30
"""Bytes of address space that a command may take; the libraries alone map some two gigabytes."""


@dataclass(frozen=True)
class Done:
    """How a command ended; the status is None where it did not within its time."""

    status: int | None
    out: str
    err: str


def run_command(arguments: list[str], environment: Mapping[str, str], *, seconds: float) -> Done:
    """Run the command line, and end it after some seconds."""
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        process = _context().Process(target=_main, args=(arguments, dict(environment), str(out), str(err)))
        process.start()
        process.join(seconds)
        hung = process.is_alive()
        if hung:
            process.kill()
            process.join()
        said = [each.read_text(errors="replace") if each.exists() else "" for each in (out, err)]
        return Done(None if hung else process.exitcode, *said)


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["opensearch_neural_sparse.cli.app", "onnxruntime", "pyarrow.parquet", "tests.toy"])
    return context


def _main(arguments: list[str], environment: Mapping[str, str], out: str, err: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    os.environ.update(environment)
    for number, name in ((1, out), (2, err)):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY), number)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")  # not those that a test captures
    from opensearch_neural_sparse.cli import main

    try:
        main(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
