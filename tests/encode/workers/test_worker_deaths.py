from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from opensearch_neural_sparse.encode.engines.engine import Engine
from opensearch_neural_sparse.encode.workers.parallel_encoder import ParallelDocumentEncoder
from opensearch_neural_sparse.encode.workers.worker_pool import MOST_DEATHS
from opensearch_neural_sparse.errors import EncodingWorkerError
from opensearch_neural_sparse.index.bulk.report import EncodingFailure
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.store.bulk.isolation import IsolatedEncoding
from tests.encode.agreement import assert_agree
from tests.encode.workers import loaders
from tests.encode.workers.test_parallel_encoder import FILES, MANY, fragile, wait_for_end
from tests.paths import ROOT, SMALL_MODEL

TEXTS = [f"text{number} word word word" for number in range(60)]


def test_the_batch_of_a_dead_process_is_encoded_by_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with fragile(tmp_path) as encoder:
        before = set(encoder.start().pids)
        vectors = encoder.encode_documents([*TEXTS, loaders.ONCE])
        assert len(set(encoder.pids) & before) == 1
    assert all(f"text{number}" in vector for number, vector in enumerate(vectors[:-1]))
    assert loaders.ONCE in vectors[-1]
    assert [text for text in caplog.messages if "ended" in text] == [
        "An encoding process ended (exit code -9); its batch of 5 texts is encoded again."
    ]


def test_processes_that_are_killed_at_random_moments_change_no_vector() -> None:
    chance = random.Random(0)
    encoder = ParallelDocumentEncoder(loaders.load_small, FILES, devices=("cpu", "cpu"), engine=Engine.ONNX, threads=1)
    with encoder:
        expected = encoder.encode_documents(MANY[:90])
        for _ in range(4):
            before = encoder.pids
            killer = threading.Timer(chance.uniform(0, 0.5), os.kill, [chance.choice(before), signal.SIGKILL])
            killer.start()
            assert_agree(encoder.encode_documents(MANY[:90]), expected)
            killer.join()
            encoder.encode_documents(MANY[:90])
            assert len(set(before) - set(encoder.pids)) == 1


def test_an_idle_process_that_was_killed_is_started_again() -> None:
    with fragile() as encoder:
        for pid in encoder.start().pids:
            os.kill(pid, signal.SIGKILL)
        assert "text1" in encoder.encode_documents(TEXTS)[1]


def test_a_text_that_ends_every_process_is_an_error_and_the_next_call_works() -> None:
    with fragile() as encoder:
        with pytest.raises(EncodingWorkerError, match=r"over the same 5 texts \(signal 9\)") as raised:
            encoder.encode_documents([*TEXTS, loaders.DEADLY])
        assert (raised.value.starting, raised.value.exit_code) == (False, -9)
        assert loaders.DEADLY not in str(raised.value)
        assert "text1" in encoder.encode_documents(TEXTS)[1]


def test_a_load_refuses_the_text_that_ends_processes_and_no_other() -> None:
    def add_vectors(documents: list[SparseDocument]) -> list[SparseDocument]:
        encoder.encode_documents([document.text for document in documents])
        return documents

    documents = [SparseDocument(id=str(number), text=text) for number, text in enumerate(["a", loaders.DEADLY, "b"])]
    with fragile() as encoder:
        good, bad, other = IsolatedEncoding(add_vectors)(documents)
    assert (good, other) == (documents[0], documents[2])
    assert isinstance(bad, EncodingFailure)
    assert bad.error_type == "EncodingWorkerError"


@pytest.mark.parametrize(
    ("load", "starts", "code"), [(loaders.die_at_start, MOST_DEATHS, -9), (loaders.exit_at_start, 1, 3)]
)
def test_processes_that_end_at_their_start_are_an_error(
    load: Callable[..., object], starts: int, code: int, tmp_path: Path
) -> None:
    encoder = ParallelDocumentEncoder(partial(load, tmp_path), FILES, devices=("cpu",), engine=Engine.ONNX)
    with pytest.raises(EncodingWorkerError, match="if __name__ == '__main__'") as raised:
        encoder.encode_documents(["a"])
    assert (raised.value.starting, raised.value.exit_code) == (True, code)
    assert len(list(tmp_path.iterdir())) == starts
    assert encoder.pids == []


def test_a_load_ends_where_processes_do_not_start(tmp_path: Path) -> None:
    load = partial(loaders.exit_at_start, tmp_path)
    encoder = ParallelDocumentEncoder(load, FILES, devices=("cpu",), engine=Engine.ONNX)
    documents = [SparseDocument(id=str(number), text="a") for number in range(5)]
    with pytest.raises(EncodingWorkerError):
        IsolatedEncoding(lambda some: encoder.encode_documents([one.text for one in some]))(documents)
    assert len(list(tmp_path.iterdir())) == 1


def _script(tmp_path: Path, *lines: str) -> list[str]:
    script = tmp_path / "script.py"
    script.write_text("\n".join(("from opensearch_neural_sparse import load_document_encoder", *lines)))
    return [sys.executable, str(script)]


def test_a_script_without_a_guard_is_told_of_it(tmp_path: Path) -> None:
    command = _script(tmp_path, f"load_document_encoder({str(SMALL_MODEL)!r}, workers=2)")
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "EncodingWorkerError: An encoding process ended while it started (exit code 1)" in result.stderr


LOOP = (
    "import signal",
    "if __name__ == '__main__':",
    "    signal.signal(signal.SIGINT, signal.default_int_handler)",  # a shell's background job is started deaf to it
    f"    encoder = load_document_encoder({str(SMALL_MODEL)!r}, workers=2)",
    "    print(*encoder.pids, flush=True)",
    "    while True:",
    "        encoder.encode_documents(['rain ' * 200] * 30)",
)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_a_killed_program(how: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(_script(tmp_path, *LOOP), cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pids = [int(pid) for pid in program.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(0.5)
        program.send_signal(how)
    wait_for_end(iter(pids))


def test_ctrl_c_ends_program_and_processes_with_one_traceback(tmp_path: Path) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(_script(tmp_path, *LOOP), cwd=ROOT, text=True, start_new_session=True, **pipes) as program:
        pids = [int(pid) for pid in program.stdout.readline().split()]
        time.sleep(0.5)
        os.killpg(program.pid, signal.SIGINT)
        try:
            _, errors = program.communicate(timeout=60)
        finally:
            program.kill()
    wait_for_end(iter(pids))
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
