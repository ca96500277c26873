"""The page for Haystack's list of integrations: its front matter, and a table of contents of all that it has."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

import haystack_integrations.components.embedders.opensearch_neural_sparse as embedders
import haystack_integrations.components.preprocessors.opensearch_neural_sparse as preprocessors
import haystack_integrations.components.retrievers.opensearch_neural_sparse as retrievers
import haystack_integrations.components.super_components.opensearch_neural_sparse as super_components
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "haystack_integration_page.md").read_text(encoding="utf-8")
KEYS = {
    "layout", "name", "description", "authors", "pypi", "repo", "type", "report_issue", "logo", "version", "toc",
}  # fmt: skip
HEADING = re.compile(r"^(#{2,3}) (.*)$", re.MULTILINE)
CONTENTS = "Table of Contents"


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def front_matter() -> dict[str, Any]:
    _, block, _ = PAGE.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(block)
    return found


def test_front_matter_has_what_the_list_needs_and_names_this_project(project: dict[str, Any]) -> None:
    matter = front_matter()
    assert matter.keys() == KEYS
    assert (matter["layout"], matter["type"], matter["toc"]) == ("integration", "Document Store", True)
    assert matter["pypi"] == f"https://pypi.org/project/{project['name']}"
    assert (matter["repo"], matter["report_issue"]) == (project["urls"]["Source"], project["urls"]["Issues"])
    assert [author.keys() for author in matter["authors"]] == [{"name", "socials"}]
    oldest = next(re.search(r">=([\d.]+)", need) for need in project["optional-dependencies"]["haystack"])
    assert oldest is not None
    assert matter["version"] == f"Haystack {oldest[1]}"


def test_table_of_contents_has_every_heading() -> None:
    _, _, text = PAGE.split("---\n", 2)
    headings = [(len(level) - 2, title) for level, title in HEADING.findall(text) if title != CONTENTS]
    entries = re.findall(r"^( *)- \[([^\]]+)\]\(#([\w-]+)\)$", text, re.MULTILINE)
    assert [(len(indent) // 2, title) for indent, title, _ in entries] == headings
    assert [anchor for *_, anchor in entries] == [title.lower().replace(" ", "-") for _, title in headings]


def test_page_names_every_component_and_links_to_nothing_relative() -> None:
    rooms = (embedders, preprocessors, retrievers, super_components)
    assert [name for room in rooms for name in room.__all__ if f"`{name}`" not in PAGE] == []
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", PAGE) == []
