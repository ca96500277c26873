"""What is installed and run to build the project is pinned, and checked by hash or commit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.paths import ROOT

PROJECT = "opensearch-neural-sparse"
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
ENTRY = re.compile(r"^([\w.\-\[\]]+)==([^\s;]+)(?: ; [^\\]+)?(?: \\)?$")
DEMO_EXTRAS = ("async", "cli", "devserver", "haystack", "langchain", "onnx")


def pins(name: str) -> dict[str, list[str]]:
    """Return package -> the versions that a lock file has of it, several where platforms differ."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if (entry := ENTRY.match(line)) is not None:
            found.setdefault(canonicalize_name(entry[1].partition("[")[0]), []).append(entry[2])
    return found


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirements_of(extras: tuple[str, ...], groups: tuple[str, ...]) -> Iterator[Requirement]:
    content = project()
    optional, listed = content["project"]["optional-dependencies"], content["dependency-groups"]

    def of_group(name: str) -> Iterator[str]:
        for entry in listed[name]:
            yield from of_group(entry["include-group"]) if isinstance(entry, dict) else [entry]

    rows = [*content["project"]["dependencies"]] if extras else []
    rows += [row for extra in extras for row in optional[extra]]
    rows += [row for group in groups for row in of_group(group)]
    return (found for row in rows if (found := Requirement(row)).name != PROJECT)


EXTRAS = tuple(project()["project"]["optional-dependencies"])


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("dev", EXTRAS, ("dev",)),
        ("demo", DEMO_EXTRAS, ("web", "build")),
        ("audit", (), ("audit",)),
        ("uv", (), ("installer",)),
        ("oldest", EXTRAS, ("oldest",)),
        ("package", (), ("package",)),
    ],
    ids=["dev", "demo", "audit", "uv", "oldest", "package"],
)
def test_lock_files_hold_what_the_project_requires(lock: str, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    locked = pins(lock)
    unmet = [
        str(requirement)
        for requirement in requirements_of(extras, groups)
        if not (versions := locked.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version, prereleases=True) for version in versions)
    ]
    assert unmet == [], "run make lock"


def minimum_of(requirement: Requirement) -> Version | None:
    """Return the least version that a requirement allows, as it is written."""
    return next((Version(each.version) for each in requirement.specifier if each.operator == ">="), None)


def test_lock_of_the_oldest_versions_holds_the_minimum_of_each_requirement() -> None:
    """1.26.2 counts as the minimum 1.26: another package may refuse the first correction releases."""
    locked, newer = pins("oldest"), []
    for requirement in requirements_of(EXTRAS, ()):
        minimum, (version, *others) = minimum_of(requirement), locked[canonicalize_name(requirement.name)]
        assert minimum is not None, f"{requirement} has no minimum"
        if others or Version(version).release[: len(minimum.release)] != minimum.release:
            newer.append(f"{requirement}: {version}")
    assert newer == [], "raise the minimum in pyproject.toml, or find what keeps the older one out"


def test_page_of_supported_versions_states_the_oldest_that_are_locked() -> None:
    page = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| ([a-z\-]+) \| (\d\S*) \| \d\S* \|", page, re.MULTILINE))
    locked = pins("oldest")
    assert {"opensearch-py", "haystack-ai", "langchain-core", "sentence-transformers"} <= stated.keys()
    assert {name: [version] for name, version in stated.items()} == {name: locked[name] for name in stated}


@pytest.mark.parametrize("lock", [path.stem for path in LOCKS])
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_actions_are_pinned_by_commit() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
        assert used
        assert [name for name in used if re.fullmatch(r"[\w\-/]+@[0-9a-f]{40}", name) is None] == []


def test_updates_cover_packages_and_actions() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "github-actions"}


def test_security_rules_are_linted() -> None:
    assert "S" in project()["tool"]["ruff"]["lint"]["select"]
