"""A release is ready: addresses, versions, workflow, and builds that anyone can repeat."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from opensearch_neural_sparse import __version__
from scripts.check_release import STATED, faults
from tests.paths import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOME: str = PROJECT["urls"]["Homepage"]
GITHUB = ROOT / ".github"
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_address_of_the_project_is_in_one_repository() -> None:
    assert [url for url in PROJECT["urls"].values() if not url.startswith(HOME)] == []
    assert _yaml(ROOT / "CITATION.cff")["repository-code"] == HOME
    templates = "".join(path.read_text(encoding="utf-8") for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
    addresses = re.findall(r"https://github\.com/[\w\-]+/[\w\-]+", templates)
    assert {*addresses} == {HOME}


def test_files_behind_addresses_exist() -> None:
    paths = [url.partition("/main/")[2] for url in PROJECT["urls"].values() if "/main/" in url]
    assert len(paths) == 2
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_classifiers_name_every_python_that_is_tested() -> None:
    workflow = _yaml(GITHUB / "workflows" / "ci.yml")
    tested = workflow["jobs"]["newest-dependencies"]["strategy"]["matrix"]["python"]
    prefix = "Programming Language :: Python :: 3."
    assert [f"3.{name.removeprefix(prefix)}" for name in PROJECT["classifiers"] if name.startswith(prefix)] == tested
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_version_changelog_and_citation_state_the_same_version() -> None:
    assert faults(f"v{__version__}", ROOT) == []


def test_citation_names_the_project_and_the_date_of_its_newest_release() -> None:
    citation = _yaml(ROOT / "CITATION.cff")
    assert (citation["title"], citation["license"]) == (PROJECT["name"], PROJECT["license"])
    assert f"## [{__version__}] - {citation['date-released']}\n" in CHANGELOG


def test_changelog_has_a_link_for_each_section() -> None:
    sections = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    links = dict(re.findall(r"^\[([^\]]+)\]: (\S+)$", CHANGELOG, re.MULTILINE))
    assert list(links) == sections
    assert sections[:2] == ["Unreleased", __version__]
    assert links["Unreleased"] == f"{HOME}/compare/v{__version__}...HEAD"
    assert links[__version__].startswith(HOME)
    assert links[__version__].endswith(f"v{__version__}")


def test_the_models_package_has_the_version_of_the_release() -> None:
    model = tomllib.loads((ROOT / "examples" / "models" / "pyproject.toml").read_text(encoding="utf-8"))
    assert model["project"]["version"] == __version__


@pytest.mark.parametrize("wrong", STATED)
def test_a_tag_that_a_file_does_not_state_is_refused(tmp_path: Path, wrong: str) -> None:
    texts = {
        "integrations/opensearch_neural_sparse/version.py": '__version__ = "{}"\n',
        "CITATION.cff": "version: {}\n",
        "CHANGELOG.md": "## [Unreleased]\n\n## [{}] - 2026-12-01\n\n## [0.0.1] - 2026-01-01\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.format("1.2.2" if name == wrong else "1.2.3"))
    assert faults("v1.2.3", tmp_path) == [f"{wrong} states 1.2.2, the tag 1.2.3."]


def test_only_the_jobs_that_need_an_identity_have_one() -> None:
    workflow = _yaml(GITHUB / "workflows" / "release.yml")
    rights = {name: job.get("permissions", workflow["permissions"]) for name, job in workflow["jobs"].items()}
    assert {name for name, right in rights.items() if right.get("id-token") == "write"} == {"attest", "publish"}
    assert "secrets." not in (GITHUB / "workflows" / "release.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", ["ci.yml", "release.yml"])
def test_workflows_run_targets_and_scripts_that_exist(workflow: str) -> None:
    steps = [step for job in _yaml(GITHUB / "workflows" / workflow)["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    targets = re.findall(r"^([a-z\-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = [word for line in commands for word in re.findall(r"(?:make|\.ci/run) ([a-z\-]+)", line)]
    scripts = [word for line in commands for word in re.findall(r"scripts/\w+\.py", line)]
    assert named
    assert [name for name in named if name not in targets] == []
    assert [name for name in scripts if not (ROOT / name).exists()] == []


@pytest.mark.slow
def test_two_builds_are_equal_and_hold_what_a_release_needs(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "build_distributions.py")
    command = [sys.executable, script, "--output", str(tmp_path / "dist")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = (tmp_path / "dist").glob("opensearch_neural_sparse-*.tar.gz")
    assert len(list((tmp_path / "dist").iterdir())) == 4
    assert len(list((tmp_path / "dist").glob("opensearch_neural_sparse_small_en-*"))) == 2
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {"README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "SECURITY.md", "pyproject.toml"} <= names
    again = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert again.returncode == 1
    assert "holds files; remove them" in again.stderr
