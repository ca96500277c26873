"""What a reader may choose on the web page: values of facets, a page of hits, weights, and two columns to compare."""

from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.examples.web.conftest import LONG, OpenPage

pytestmark = pytest.mark.newest_server


def _ids(page: Page, way: str) -> list[str | None]:
    return [hit.get_attribute("data-id") for hit in page.locator(f"section.{way} .hit").all()]


def _set(page: Page, weight: str, value: float) -> None:
    page.get_by_role("group", name="Weights").get_by_role("slider", name=weight, exact=True).fill(str(value))


def test_a_facet_counts_its_values_and_filters_by_one(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map")
    group = page.get_by_role("group", name="Filter by topic")
    expect(group.get_by_role("button")).to_have_text(["even 13", "odd 12"])
    group.get_by_role("button", name="odd").click()
    expect(page).to_have_url(f"{long_address}?q=map&topic=odd")
    expect(page.get_by_role("status")).to_have_text("12 hits by BM25, 12 hits by sparse, 12 hits by hybrid")
    chosen = group.get_by_role("button", name="odd 12", pressed=True)
    expect(chosen).to_be_visible()
    for way in ("bm25", "sparse", "hybrid"):
        assert {int(str(name)[-2:]) % 2 for name in _ids(page, way)} == {1}
    chosen.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"{LONG} hits by BM25")
    page.go_back()
    expect(page.get_by_role("status")).to_contain_text("12 hits by BM25")


def test_a_value_that_nothing_has_can_be_let_go(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map&kind=%3Ci%3Enone")
    expect(page.locator("section.sparse")).to_contain_text("No document has any of it.")
    page.get_by_role("group", name="Filter by kind").get_by_role("button", name="<i>none 0").click()
    expect(page.locator("section.sparse .hit")).to_have_count(10)


def test_hits_are_shown_ten_a_page(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map")
    pages = page.get_by_role("navigation", name="Pages of hits")
    expect(pages).to_contain_text("Page 1 of 3")
    expect(pages.get_by_role("button", name="Previous")).to_be_disabled()
    seen = _ids(page, "sparse")
    for number, count in ((2, 10), (3, 5)):
        pages.get_by_role("button", name="Next").click()
        expect(page).to_have_url(f"{long_address}?q=map&page={number}")
        expect(page.locator("section.sparse .hit")).to_have_count(count)
        expect(page.locator("section.sparse .rank").first).to_have_text(str(10 * number - 9))
        seen += _ids(page, "sparse")
    assert len(seen) == len(set(seen)) == LONG
    expect(pages.get_by_role("button", name="Next")).to_be_disabled()
    expect(pages.get_by_role("button", name="Previous")).to_be_focused()


def test_weights_move_hybrid_ranks_without_a_request(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map")
    expect(page.locator("section.hybrid .hit")).to_have_count(10)
    page.on("request", lambda request: pytest.fail(f"{request.url} was asked"))
    for weight, way in (("BM25", "sparse"), ("Sparse", "bm25")):
        _set(page, "BM25", 1)
        _set(page, "Sparse", 1)
        _set(page, weight, 0)
        assert _ids(page, "hybrid") == _ids(page, way)
    expect(page).to_have_url(f"{long_address}?q=map&sparse=0")
    expect(page.locator("section.hybrid").get_by_role("img").first).to_have_attribute("aria-label", "up 1")
    _set(page, "BM25", 0)
    expect(page.locator("section.hybrid")).to_contain_text("Both weights are 0.")
    page.get_by_role("button", name="Equal weights").click()
    expect(page).to_have_url(f"{long_address}?q=map")
    expect(page.locator("section.hybrid").get_by_role("img")).to_have_count(0)


def test_nearly_equal_weights_rank_as_the_server_does(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map")
    expect(page.locator("section.hybrid .hit")).to_have_count(10)
    by_server = [float(score[6:]) for score in page.locator("section.hybrid .score").all_text_contents()]
    page.evaluate("history.replaceState(null, '', '?q=map&bm25=0.9999')")
    page.reload()
    expect(page.get_by_role("button", name="Equal weights")).to_be_visible()
    by_page = [float(score[6:]) for score in page.locator("section.hybrid .score").all_text_contents()]
    assert by_page == pytest.approx(by_server, abs=0.0002)


def test_two_ways_are_compared_side_by_side(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map")
    page.get_by_label("Compare").select_option("BM25 and sparse")
    expect(page).to_have_url(f"{long_address}?q=map&compare=bm25+sparse")
    expect(page.locator("section:visible")).to_have_count(2)
    expect(page.locator("section.hybrid")).to_be_hidden()
    both = len({*_ids(page, "bm25")} & {*_ids(page, "sparse")})
    expect(page.locator("#shared")).to_have_text(f"{both} of the best 10 are in both")
    expect(page.locator("section.bm25 .chips").first).to_have_text(f"sparse #{LONG}")
    page.locator("section.bm25 .open").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("section.sparse .open").first).to_be_focused()
    page.get_by_label("Compare").select_option("all three")
    expect(page.locator("section:visible")).to_have_count(3)


def test_a_narrow_page_compares_by_two_tabs(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map&compare=bm25+sparse", viewport={"width": 360, "height": 740})
    expect(page.locator("section:visible .hit")).to_have_count(10)
    expect(page.locator("fieldset label:visible")).to_have_text(["BM25", "Sparse"])
    expect(page.locator("section.sparse")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_an_address_cannot_mean_is_left_out(long_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{long_address}?q=map&page=-3&compare=x&bm25=7&sparse=nan&topic=")
    expect(page.get_by_role("navigation", name="Pages of hits")).to_contain_text("Page 1 of 3")
    expect(page.locator("section:visible")).to_have_count(3)
    expect(page.get_by_role("button", name="Equal weights")).to_be_hidden()


@pytest.mark.parametrize("name", ["page.html", "..%2Fapp.py", "app.py", "page.js/x"])
def test_only_files_of_the_page_are_served(address: str, name: str) -> None:
    assert httpx.get(f"{address}page.js").status_code == 200
    assert httpx.get(address + name).status_code == 404
