"""How the web page looks: narrow, light and dark, at rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.examples.web.conftest import LONG_NAME, OpenPage

pytestmark = pytest.mark.newest_server

CONTRASTS = Path(__file__).with_name("contrasts.js").read_text(encoding="utf-8")


def _narrow(width: int = 360) -> dict[str, Any]:
    return {"viewport": {"width": width, "height": 740}, "has_touch": True}


def _width(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("width", [320, 360])
def test_a_narrow_page_shows_one_column_and_never_scrolls_sideways(
    address: str, open_page: OpenPage, width: int
) -> None:
    page = open_page(address, **_narrow(width))
    assert _width(page) <= width
    page.locator("#q").fill("river map")
    page.locator("#q").press("Enter")
    for way in ("hybrid", "sparse", "bm25"):
        page.locator(f"fieldset [value={way}]").check(force=True)
        expect(page.locator("section:visible")).to_have_count(1)
        for name in ("geo.atlas", LONG_NAME):
            hit = page.locator(f"section.{way} [data-id='{name}']")
            hit.locator(".open").tap()
            expect(hit.get_by_role("table")).to_be_visible()
        assert _width(page) <= width
    page.keyboard.press("ArrowRight")
    expect(page.locator("section.sparse .open:focus")).to_be_visible()
    page.locator("fieldset [value=sparse]").press("ArrowRight")
    expect(page.locator("section.hybrid")).to_be_visible()
    page.locator("#q").fill(" ")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert _width(page) <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("traits", [{}, _narrow()], ids=["wide", "narrow"])
def test_all_text_stands_out_from_its_ground(
    address: str, open_page: OpenPage, scheme: str, traits: dict[str, Any]
) -> None:
    page = open_page(f"{address}?q=river+ocean+map", color_scheme=scheme, reduced_motion="reduce", **traits)
    page.locator("section.hybrid .open").first.press("Enter")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 40
    assert [row for row in contrasts if row["contrast"] < 4.5] == []


def test_nothing_moves_for_those_who_ask_for_it(address: str, open_page: OpenPage) -> None:
    durations = [
        open_page(address, reduced_motion=wish).evaluate(
            "getComputedStyle(document.querySelector('main')).transitionDuration"
        )
        for wish in ("no-preference", "reduce")
    ]
    assert durations == ["0.15s", "0s"]
