"""Queries and results on the web page, in a real browser over real servers."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.examples.web.conftest import OpenPage

pytestmark = pytest.mark.newest_server

COLUMNS = ("bm25", "sparse", "hybrid")


def test_a_question_is_answered_in_three_columns(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.get_by_role("searchbox", name="Question").fill("river map")
    page.get_by_role("button", name="Search").click()
    for way, hits in zip(COLUMNS, (4, 5, 5), strict=True):
        column = page.locator(f"section.{way}")
        expect(column.locator(".hit")).to_have_count(hits)
        expect(column.locator(".facts")).to_have_text(re.compile(r"^\d+ ms, of which OpenSearch took \d+$"))
        expect(column.locator(".hit .score").first).to_have_text(re.compile(r"^score \d+\.\d+$"))
        marked = column.locator("[data-id='geo.river'] mark")
        expect(marked).to_have_text(["river"])
    expect(page.get_by_role("status")).to_have_text("4 hits by BM25, 5 hits by sparse, 5 hits by hybrid")
    assert page.get_by_role("list", name="Hits by").count() == 3


def test_learned_tokens_are_chips_and_legs_tell_their_ranks(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=ocean")
    sparse, hybrid = (page.locator(f"section.{way} [data-id='geo.river']") for way in ("sparse", "hybrid"))
    expect(sparse.locator(".chips li")).to_have_text(["+ ocean 0.75"])
    expect(hybrid.locator(".chips li")).to_have_text(["BM25 none", "sparse #2", "+ ocean 0.75"])
    expect(page.locator("section.bm25 .hit")).to_have_count(1)


def test_a_hybrid_hit_that_words_alone_found_says_so(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=carries")
    expect(page.locator("section.sparse .hit")).to_have_count(0)
    hit = page.locator("section.hybrid .hit")
    expect(hit.locator(".chips li")).to_have_text(["BM25 #1", "sparse none"])
    hit.locator(".open").click()
    expect(hit.locator(".more")).to_have_text("It has no token of the question.")


@pytest.mark.parametrize("way", COLUMNS)
def test_what_tokens_gave_sums_to_the_score(address: str, open_page: OpenPage, way: str) -> None:
    page = open_page(f"{address}?q=a+river+map")
    hit = page.locator(f"section.{way} [data-id='geo.atlas']")
    hit.locator(".text").click()
    gave = sum(float(cell) for cell in hit.locator("td:last-child").all_text_contents())
    scores = page.locator(f"section.{'sparse' if way == 'hybrid' else way} [data-id='geo.atlas'] .score")
    assert gave == pytest.approx(float(scores.text_content().removeprefix("score ")), abs=0.02)


def test_the_address_holds_the_question(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=deep+water")
    field = page.locator("#q")
    expect(field).to_have_value("deep water")
    expect(page.locator("section.sparse .hit")).to_have_count(2)
    field.fill("map & compass")
    field.press("Enter")
    expect(page).to_have_url(f"{address}?q=map+%26+compass")
    expect(page.locator("section.sparse .hit").first).to_have_attribute("data-id", "geo.atlas")
    page.go_back()
    expect(field).to_have_value("deep water")
    expect(page.locator("section.sparse .hit")).to_have_count(2)
    expect(page).to_have_title("deep water: three searches")


def test_everything_is_done_by_keyboard(address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.keyboard.press("/")
    page.keyboard.type("river j map")
    page.keyboard.press("Enter")
    columns = [page.locator(f"section.{way} .open") for way in COLUMNS]
    expect(columns[2]).to_have_count(5)
    page.keyboard.press("ArrowDown")
    expect(columns[0].nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(columns[0].nth(1)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(columns[1].nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(columns[1].nth(2)).to_be_focused()
    hit = page.locator("section.sparse .hit").nth(2)
    assert hit.evaluate("hit => getComputedStyle(hit).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(columns[1].nth(2)).to_have_attribute("aria-expanded", "true")
    expect(hit.get_by_role("table", name="What each token gave to the sparse score")).to_be_visible()
    page.keyboard.press("Enter")
    expect(hit.get_by_role("table")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("river j map")


def test_a_focused_hit_is_shown_in_the_other_columns(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=river")
    page.locator("section.sparse [data-id='geo.river'] .open").focus()
    expect(page.locator(".same")).to_have_count(2)
    assert {hit.get_attribute("data-id") for hit in page.locator(".same").all()} == {"geo.river"}


def test_an_empty_question_is_not_asked(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=river")
    expect(page.locator(".hit").first).to_be_visible()
    page.on("request", lambda request: pytest.fail(f"{request.url} was asked"))
    page.locator("#q").fill("  ")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Type a question first.")
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator(".hit")).to_have_count(0)


def test_a_question_without_known_words_finds_nothing(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=xylophone")
    expect(page.locator("section.bm25")).to_contain_text("No document has any of it.")
    expect(page.get_by_role("status")).to_have_text("0 hits by BM25, 0 hits by sparse, 0 hits by hybrid")
