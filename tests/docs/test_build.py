"""The documentation as a site: builds without a warning, lists all there is, needs no other host, fits a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import opensearch_neural_sparse
from opensearch_neural_sparse import get_model
from opensearch_neural_sparse.models.catalog.benchmarks import BM25_RELEVANCE
from opensearch_neural_sparse.models.registry import CATALOGUE
from opensearch_neural_sparse.models.spec import ModelSpec
from scripts import chromium
from tests.conftest import give_up
from tests.models.situations import SITUATIONS, Situation
from tests.paths import ROOT

DOCS = ROOT / "docs"
KNOWN = CATALOGUE
DOCUMENTED = re.compile(r"^\.\. auto(?:class|exception|function):: (\w+)$", re.MULTILINE)
FIGURE = re.compile(r"(?<![\w.])\.\d{3,4}|[\d,]+ (?:MB|s)\b|\d+\.\d / \d+\.\d|0\.4\d")
"""NDCG@10 and recall, sizes, seconds, p10 and p50, and the ratios of a hybrid request."""
HAYSTACK = "haystack_integrations.{}.opensearch_neural_sparse"
LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("link", "href")}
NOT_LOADED = {"canonical", "next", "prev", "index", "search", "author", "copyright"}
ELSEWHERE = re.compile(r"""(?:from|import|@import|url\()[\s"'(]*(?:https?:)?//[^\s"')]+""")
"""What a script or a style loads from a host that it names."""
OUTSIDE = """() => [...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect()
  if (!box.width || box.left < 0 || box.right < document.documentElement.clientWidth + 1) return false
  for (let around = element.parentElement; around.closest("article"); around = around.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(around).overflowX)) return false
  return !element.closest(".sidebar-drawer, .toc-drawer")
}).map(element => element.outerHTML.slice(0, 80))"""
"""What lies beyond the right edge and cannot be moved sideways; the drawers of the menus wait there."""
PACKAGES = (
    "opensearch_neural_sparse",
    "langchain_opensearch_neural_sparse",
    HAYSTACK.format("document_stores"),
    *(
        HAYSTACK.format(f"components.{kind}")
        for kind in ("embedders", "preprocessors", "retrievers", "super_components")
    ),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx", reason="the dependency group docs is not installed")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(folder / "trees")]
    done = subprocess.run(
        [*build, str(DOCS), str(folder / "html")], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.mark.slow
def test_site_builds_without_a_warning_and_describes_what_stores_inherit(site: Path) -> None:
    stores = (site / "reference" / "store.html").read_text(encoding="utf-8")
    assert 'id="opensearch_neural_sparse.NeuralSparseStore.hybrid_search"' in stores
    assert 'id="opensearch_neural_sparse.AsyncNeuralSparseStore.reindex_with_model"' in stores


@pytest.mark.slow
def test_site_describes_choices_and_what_retrievers_share(site: Path) -> None:
    for choice in opensearch_neural_sparse.Fusion:
        assert f">{choice.value}<" in (site / "reference" / "search.html").read_text(encoding="utf-8")
    retrievers = (site / "reference" / "langchain.html").read_text(encoding="utf-8")
    assert retrievers.count("How many documents to return") == 2


class _Loaded(HTMLParser):
    """Addresses that a page loads, and the code within it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        if dict(attrs).get("rel") not in NOT_LOADED:
            self.addresses += [value or "" for name, value in attrs if (tag, name) in LOADED]

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in {"script", "style"}:
            self.addresses += ELSEWHERE.findall(data)

    def elsewhere(self) -> list[str]:
        return [address for address in self.addresses if "//" in address]


def test_addresses_of_other_hosts_are_found() -> None:
    page = """<link rel="stylesheet" href="//a.example/x.css"><script src="https://b.example/x.js"></script>
        <script type="module">import x from "https://c.example/x.mjs";</script>
        <style>@import url("//d.example");</style>
        <link rel="next" href="https://e.example/next"><script src="own.js"></script><a href="https://f.example">far</a>"""
    found = _Loaded(page).elsewhere()
    assert [host for host in "abcdef" if f"//{host}.example" in " ".join(found)] == ["a", "b", "c", "d"]


@pytest.mark.slow
def test_site_shows_measures_secrets_and_links_as_they_are_meant(site: Path) -> None:
    assert not [page.name for page in site.rglob("*.html") if "mailto:" in page.read_text(encoding="utf-8")]
    haystack = re.sub(r"<[^>]+>", "", (site / "reference" / "haystack.html").read_text(encoding="utf-8"))
    assert "api_key=Secret.from_env_var('OPENSEARCH_API_KEY', strict=False)" in haystack
    assert "EnvVarSecret" not in haystack
    assert "](http" not in haystack


@pytest.mark.slow
def test_site_loads_no_script_style_or_picture_from_another_host(site: Path) -> None:
    pages = {page.name: _Loaded(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}
    assert len(pages) > 50
    assert {name: page.elsewhere() for name, page in pages.items() if page.elsewhere()} == {}
    styles = {style.name: ELSEWHERE.findall(style.read_text(encoding="utf-8")) for style in site.rglob("*.css")}
    assert styles["site.css"] == []
    assert {name: found for name, found in styles.items() if found} == {}


@pytest.mark.slow
def test_pages_fit_a_narrow_screen_and_show_their_pictures(site: Path) -> None:
    path = chromium.find()
    if path is None:
        give_up("No Chromium for this test. Where apt-get may be used, python scripts/chromium.py installs one.")
    wrong = {}
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=chromium.FLAGS) as it:
        page = it.new_page(viewport={"width": 360, "height": 780})
        for file in sorted(site.rglob("*.html")):
            page.goto(file.as_uri())
            missing = page.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)")
            if found := page.evaluate(OUTSIDE) + missing:
                wrong[file.name] = found
    assert wrong == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_reference_has_every_public_name_once(package: str) -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    sections = re.split(r"^\.\. currentmodule:: (\S+)$", pages, flags=re.MULTILINE)
    names = [
        name
        for home, section in zip(sections[1::2], sections[2::2], strict=True)
        if home == package
        for name in DOCUMENTED.findall(section)
    ]
    assert sorted(names) == sorted({*import_module(package).__all__} - {"__version__"})


def test_troubleshooting_has_every_error_and_warning() -> None:
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    public = {name for name in opensearch_neural_sparse.__all__ if name.endswith(("Error", "Warning"))}
    assert {*re.findall(r"^## (\w+(?:Error|Warning))$", page, re.MULTILINE)} == public - {"NeuralSparseError"}


def test_figures_of_choosing_a_way_to_search_are_measured_ones() -> None:
    page, measured = ((DOCS / name).read_text(encoding="utf-8") for name in ("choose_a_search.md", "performance.md"))
    figures = FIGURE.findall(page)
    assert len(figures) > 15
    assert [figure for figure in figures if figure not in measured] == []


@pytest.mark.parametrize("spec", KNOWN, ids=lambda spec: spec.name)
def test_choosing_a_model_shows_the_catalogue(spec: ModelSpec) -> None:
    assert _row(spec) in (DOCS / "choose_a_model.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.description)
def test_choosing_a_model_shows_the_situations(situation: Situation) -> None:
    values = {
        name: f"{value:_}" if isinstance(value, int) and not isinstance(value, bool) else repr(value).replace("'", '"')
        for name, value in situation.wanted.items()
    }
    call = ", ".join(f"{name}={value}" for name, value in values.items())
    runners_up = ", ".join(f"`{name}`" for name in situation.runners_up)
    row = (situation.description, f"`{call}`" if call else "", f"`{situation.choice}`", runners_up)
    assert f"| {' | '.join(row)} |" in (DOCS / "choose_a_model.md").read_text(encoding="utf-8").splitlines()


def test_choosing_a_model_shows_the_languages_of_miracl() -> None:
    multilingual, bge = (get_model(name).relevance for name in ("multilingual-v1", "bge-m3"))
    (pruned,) = multilingual.pruned
    tables = {
        "BM25": BM25_RELEVANCE.miracl,
        "`multilingual-v1`": multilingual.miracl,
        "`multilingual-v1`, `max_ratio:0.1`": pruned.scores,
        "`bge-m3`": bge.miracl,
    }
    lines = (DOCS / "choose_a_model.md").read_text(encoding="utf-8").splitlines()
    for name, scores in tables.items():
        mean = sum(scores[language] for language in multilingual.miracl) / len(multilingual.miracl)
        cells = [name, _figure(mean), *(_figure(scores.get(language)) for language in BM25_RELEVANCE.miracl)]
        assert f"| {' | '.join(cells)} |" in lines


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".lstrip("0")


def _row(spec: ModelSpec) -> str:
    beir, miracl, flops = spec.relevance.beir_average, spec.relevance.miracl_average, spec.relevance.flops
    languages = ", ".join(spec.languages) if len(spec.languages) == 1 else f"{len(spec.languages)} languages"
    licence = "none stated" if spec.licence == "NOASSERTION" else spec.licence
    cells = [
        f"`{spec.name}`",
        str(spec.mode),
        str(spec.max_length),
        f"{(spec.parameters or 0) / 1e6:.0f} M",
        languages,
        *map(_figure, (beir, miracl)),
        str(flops or ""),
        _figure(spec.relevance.msmarco),
        licence + (", gated" if spec.gated else ""),
    ]
    return f"| {' | '.join(cells)} |"
