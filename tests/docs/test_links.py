"""Every link inside the project leads to a file that is there, and to a heading that it has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT

FRONT_PAGES = [ROOT / "README.md", ROOT / "examples" / "models" / "small-en" / "README.md"]
"""Pages that a package index shows, where a relative link goes nowhere."""
PAGES = [*sorted(ROOT.glob("[A-Z]*.md")), FRONT_PAGES[1], *sorted((ROOT / "docs").rglob("*.md"))]
HOME: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Homepage"]
OURS = (f"{HOME}/blob/main/", f"{HOME.replace('github.com', 'raw.githubusercontent.com')}/main/")
"""Addresses of the project's own files, as pages and as pictures."""
LINK = re.compile(r"(?:\]\(|^\[[^\]]+\]: )(?!mailto:)([^)#\s]*)(?:#([^)\s]*))?", re.MULTILINE)
SHORTCUT = re.compile(r"(?<!\])\[([^\]\[]+)\](?![\(\[:])|\]\[([^\]]+)\]")
DEFINED = re.compile(r"^\[([^\]]+)\]: ", re.MULTILINE)
HEADING = re.compile(r"^#{1,6} (.*)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    """Return what GitHub and the site call the headings of a page."""
    headings = HEADING.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _broken(page: Path) -> list[str]:
    broken = []
    for target, anchor in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
        prefix = next((prefix for prefix in OURS if target.startswith(prefix)), None)
        if prefix is None and target.startswith(("http:", "https:")):
            continue
        file = ROOT / target.removeprefix(prefix) if prefix else page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(f"{target}#{anchor}")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    assert _broken(page) == []


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# What it is\n[a](#what-it-is) [b](#what-it-was) [c](other.md) [d](https://example.com) [e] [f]\n\n"
        f"[e]: {OURS[0]}docs/index.md\n[f]: {OURS[0]}docs/index.md#nowhere\n"
    )
    assert _broken(page) == ["#what-it-was", "other.md#", f"{OURS[0]}docs/index.md#nowhere"]


@pytest.mark.parametrize("page", FRONT_PAGES, ids=["the package", "the small model"])
def test_front_pages_of_packages_work_on_a_package_index(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [target for target, _ in LINK.findall(text)]
    assert any(target.startswith(OURS) for target in targets)
    assert [target for target in targets if not target.startswith("https://")] == []
    defined = DEFINED.findall(text)
    used = {shortcut or full for shortcut, full in SHORTCUT.findall(re.sub(r"`[^`]*`", "", text))}
    assert sorted(used) == sorted(defined)
