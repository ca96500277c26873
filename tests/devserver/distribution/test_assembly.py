from __future__ import annotations

import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver.distribution.assembly import PARTIAL, assemble, distribution_path
from opensearch_neural_sparse.devserver.distribution.java import find_java
from opensearch_neural_sparse.devserver.distribution.lock import load_lock, parse_lock
from opensearch_neural_sparse.devserver.progress import Progress, Step
from opensearch_neural_sparse.errors import DevServerError

ASSEMBLE = """
from opensearch_neural_sparse.devserver.distribution.assembly import assemble
from opensearch_neural_sparse.devserver.distribution.lock import load_lock
from opensearch_neural_sparse.devserver.distribution.java import find_java
assemble(load_lock("3.6.0"), find_java())
"""


def kill_during_assembly(cache: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ASSEMBLE])
    deadline = time.monotonic() + 60
    while not list(cache.glob(f"distributions/{PARTIAL}*/distribution/lib/*.jar")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_assembly_is_never_taken_for_a_whole_one(downloaded_cache: Path):
    kill_during_assembly(downloaded_cache)
    lock = load_lock("3.6.0")
    assert not distribution_path(lock).exists()
    leftovers = list(downloaded_cache.glob(f"distributions/{PARTIAL}*"))
    assert leftovers

    reports: list[Progress] = []
    whole = assemble(lock, find_java(), on_progress=reports.append)
    assert not any(leftover.exists() for leftover in leftovers)
    assert [path.name for path in whole.parent.iterdir()] == [whole.name]
    assert {path.name for path in whole.iterdir()} == {"launcher", "lib", "modules", "plugins"}
    assert [report.step for report in reports] == [Step.ASSEMBLE], "every part is downloaded"
    assert_modules_are_described(whole)

    before = whole.stat().st_mtime_ns
    assert assemble(lock, find_java()) == whole
    assert whole.stat().st_mtime_ns == before, "a whole one is used as it is"


def assert_modules_are_described(whole: Path) -> None:
    for module in load_lock("3.6.0").modules:
        rows = (whole / "modules" / module.name / "plugin-descriptor.properties").read_text().splitlines()
        described = dict(row.split("=", 1) for row in rows)
        assert described["name"] == module.name
        assert described["opensearch.version"] == "3.6.0"
        expected = "RuntimeAnalysis" if module.name == "analysis-common" else module.classname
        assert described["classname"] == expected
    with zipfile.ZipFile(whole / "modules" / "analysis-common" / "runtime-analysis.jar") as jar:
        assert "RuntimeAnalysis.class" in jar.namelist()


def test_a_damaged_part_stops_the_assembly(downloaded_cache: Path):
    lock = load_lock("3.6.0")
    damaged = downloaded_cache / "artifacts" / lock.lib[0].sha256 / lock.lib[0].filename
    damaged.unlink()
    damaged.write_bytes(b"damaged")
    with pytest.raises(DevServerError, match=lock.lib[0].sha256):
        assemble(lock, find_java())
    assert not distribution_path(lock).exists()
    assert not damaged.exists()


def test_another_lock_is_another_distribution():
    lock = load_lock("3.6.0")
    content = f'{{"format": 1, "version": "3.6.0", "java": 21, "lib": [], "modules": {{}}, "plugins": {{}}, \
"compiler": {{"artifact": "g:n:1", "sha256": "{"0" * 64}", "bytes": 1}}}}'
    assert distribution_path(lock) != distribution_path(parse_lock(content.encode()))
