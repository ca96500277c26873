"""Put what the snippets of pages print beneath them: `OPENSEARCH_URL=... python docs/show_outputs.py PAGE...`.

Each block of Python that is followed by a block of text has its output there.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
SNIPPET = re.compile(r"```python\n(.*?)```\n(\n```text\n.*?```\n)?", re.DOTALL)


def with_outputs(page: str) -> str:
    """Run the snippets of a page in order, and return it with what they print."""
    names: dict[str, Any] = {}
    printed = StringIO()  # one for all snippets: a handler of logs that the first one makes goes on writing to it

    def run(found: re.Match[str]) -> str:
        start = printed.tell()
        with redirect_stdout(printed):
            exec(found[1], names)  # noqa: S102  the page is ours
        shown = f"\n```text\n{printed.getvalue()[start:]}```\n" if found[2] else ""
        return f"```python\n{found[1]}```\n{shown}"

    return SNIPPET.sub(run, page)


def show(page: str) -> str:
    """Return a page of the docs with what its snippets print."""
    return with_outputs((DOCS / page).read_text(encoding="utf-8"))


if __name__ == "__main__":
    os.chdir(DOCS.parent)
    for name in sys.argv[1:] or ["tutorial.md"]:
        (DOCS / name).write_text(show(name), encoding="utf-8")
