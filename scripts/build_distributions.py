"""Build the wheels and source distributions twice, and keep them where both builds are equal byte by byte.

    python scripts/build_distributions.py [--output dist]

They are those of opensearch-neural-sparse, and of opensearch-neural-sparse-small-en, the bundled model.
The builder is the hatchling of this environment, and the time in the archives that of the last commit
(`SOURCE_DATE_EPOCH` names another), so that anyone who has the commit can repeat the build and compare hashes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = (ROOT, ROOT / "examples" / "models")
DEFAULT_TIME = "1580601600"
"""The time hatchling writes where none is given; for a checkout without git."""


def source_time() -> str:
    """Return the seconds that archives state: `SOURCE_DATE_EPOCH`, or the time of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    log = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or DEFAULT_TIME


def build(folder: Path, time: str) -> dict[str, str]:
    """Build the distributions into a folder, and return file name -> SHA-256."""
    for project in PROJECTS:
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(project)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": time})
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="an empty or missing folder; default dist/")
    output: Path = parser.parse_args().output
    if output.exists() and any(output.iterdir()):
        sys.exit(f"{output} holds files; remove them, or give another --output.")
    time = source_time()
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        hashes, again = build(Path(first), time), build(Path(second), time)
        if hashes != again:
            sys.exit(f"Two builds differ: {hashes} and {again}.")
        shutil.copytree(first, output, dirs_exist_ok=True)
    for name, digest in hashes.items():
        print(f"{digest}  {name}")


if __name__ == "__main__":
    main()
