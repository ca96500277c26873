"""What the web page does with markup in texts, and with servers that are gone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.examples.web.conftest import MARKUP, OpenPage, app_over
from tests.examples.web.serving import HOST, free_port, serving

pytestmark = pytest.mark.newest_server


def test_markup_in_a_document_is_text(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=river+map")
    for way in ("bm25", "sparse", "hybrid"):
        hit = page.locator(f"section.{way} .hit", has_text="markup")
        expect(hit.locator(".text")).to_have_text(MARKUP)
        expect(hit.locator(".open")).to_have_text("web.<i>markup</i>")
    assert page.locator("main :is(script, img, i)").count() == 0
    assert page.evaluate("window.broken") is None


def test_the_page_may_run_nothing_but_its_own_script(address: str, open_page: OpenPage, complaints: list[str]) -> None:
    page = open_page(address)
    policy = page.request.get(address).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.broken = 1'}))")
    assert page.evaluate("window.broken") is None
    (complaint,) = complaints
    assert "Content Security Policy" in complaint
    complaints.clear()


def test_the_page_answers_to_its_own_names_alone(address: str) -> None:
    port = address.rstrip("/").rpartition(":")[2]
    answers = [
        httpx.get(address, headers={"host": f"{name}:{port}"}) for name in (HOST, "localhost", "rebound.example")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400]


def test_an_opensearch_that_is_gone_is_named(open_page: OpenPage, complaints: list[str]) -> None:
    gone = f"http://{HOST}:{free_port()}"
    with serving(app_over(gone, "articles")) as port:
        page = open_page(f"http://{HOST}:{port}/?q=river")
        expect(page.get_by_role("alert")).to_contain_text("The search failed.")
        expect(page.get_by_role("alert")).to_contain_text(gone.removeprefix("http://"))
    assert ["503" in complaint for complaint in complaints] == [True]
    complaints.clear()


def test_a_page_whose_server_was_away_goes_on(app: Any, open_page: OpenPage, complaints: list[str]) -> None:
    with serving(app) as port:
        page = open_page(f"http://{HOST}:{port}/?q=river")
        expect(page.locator(".hit").first).to_be_visible()
    page.locator("#q").fill("ocean")
    page.locator("#q").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The page's own server does not answer.")
    expect(page.locator(".hit")).to_have_count(0)
    with serving(app, port):
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("section.sparse .hit")).to_have_count(2)
        expect(page.get_by_role("alert")).to_be_hidden()
    assert ["ERR_CONNECTION_REFUSED" in complaint for complaint in complaints] == [True]
    complaints.clear()
