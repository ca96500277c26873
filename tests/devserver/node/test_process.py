from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver.node.process import NodeProcess, read_command_line

SLEEP = "import time, sys; print('up', flush=True); time.sleep(60)"
NEGLECT = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', '', 'token-of-this-test']); "
    "print(child.pid, flush=True); time.sleep(60)"
)
READ_INPUT = "import sys; sys.stdin.read()"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def foreign() -> Iterator[subprocess.Popen[bytes]]:
    """A process that was started by somebody else."""
    with subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def started(log: Path, code: str = SLEEP, *, lifeline: bool = False) -> NodeProcess:
    token = "token-of-this-test"
    return NodeProcess.start(
        [sys.executable, "-c", code, token], token=token, log=log, environment=os.environ, lifeline=lifeline
    )


def test_stopping_ends_the_process_and_waits(tmp_path: Path):
    process = started(tmp_path / "log")
    assert process.is_alive()
    process.stop()
    assert not process.is_alive()
    assert read_command_line(process.pid) == ""


def test_a_process_that_ignores_the_request_is_ended_with_force(tmp_path: Path):
    process = started(tmp_path / "log", STUBBORN)
    while not (tmp_path / "log").read_text():
        assert process.is_alive()
    process.stop(force=True)
    assert not process.is_alive()


def test_another_process_of_the_same_number_is_left_alone(foreign: subprocess.Popen[bytes]):
    reused = NodeProcess(pid=foreign.pid, token="token-of-a-server-long-gone")
    assert not reused.is_alive()
    reused.stop()
    assert foreign.poll() is None


def test_a_process_of_another_program_run_is_known_by_its_token(foreign: subprocess.Popen[bytes]):
    assert NodeProcess(pid=foreign.pid, token="time.sleep(60)").is_alive()


def test_a_number_that_nobody_has_is_dead(tmp_path: Path):
    process = started(tmp_path / "log", "")
    while process.is_alive():
        pass
    process.stop()
    assert not NodeProcess(pid=process.pid, token=process.token).is_alive()


def test_a_process_that_ended_without_its_parent_waiting_is_dead():
    with subprocess.Popen([sys.executable, "-c", NEGLECT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        process = NodeProcess(pid=int(parent.stdout.readline()), token="token-of-this-test")
        deadline = time.monotonic() + 10
        while process.is_alive():
            assert time.monotonic() < deadline, "an ended process of another parent counts as running"
        os.kill(process.pid, 0)  # the system still knows its number
        process.stop()
        parent.kill()


def test_a_lifeline_is_held_until_the_process_is_stopped(tmp_path: Path):
    process = started(tmp_path / "log", READ_INPUT, lifeline=True)
    assert process.is_alive()
    process.stop()
    assert not process.is_alive()


def test_it_runs_in_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(tmp_path: Path):
    process = started(tmp_path / "log")
    try:
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
    finally:
        process.stop(force=True)
