"""Compare the tag of a release with the version, the changelog and the citation file.

python scripts/check_release.py v0.1.0
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = "integrations/opensearch_neural_sparse/version.py"
STATED = {
    VERSION: r'^__version__ = "([^"]+)"$',
    "CITATION.cff": r"^version: (\S+)$",
    "CHANGELOG.md": r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$",
}
"""File -> where it states a version; the first place counts."""


def stated_versions(root: Path = ROOT) -> dict[str, str | None]:
    """Return file -> the version that it states, None where it states none."""
    texts = {name: (root / name).read_text(encoding="utf-8") for name in STATED}
    found = {name: re.search(pattern, texts[name], re.MULTILINE) for name, pattern in STATED.items()}
    return {name: match and match[1] for name, match in found.items()}


def faults(tag: str, root: Path = ROOT) -> list[str]:
    """Return a line for each file that does not state the version of the tag."""
    wanted = tag.removeprefix("v")
    stated = stated_versions(root)
    return [
        f"{name} states {found or 'no version'}, the tag {wanted}." for name, found in stated.items() if found != wanted
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tag", help="for example v0.1.0")
    if found := faults(parser.parse_args().tag):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
