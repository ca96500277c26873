"""Two models side by side on the web page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from opensearch_neural_sparse import ModelSpec, load_document_encoder, load_query_encoder
from tests.examples.web.conftest import OpenPage
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

MODELS = "sparse network"


def _ranks(page: Page, way: str) -> list[tuple[str | None, str | None]]:
    hits = page.locator(f"section.{way} .hit").all()
    return [(hit.get_attribute("data-id"), hit.locator(".moved").text_content()) for hit in hits]


def test_both_rankings_are_shown_with_the_ranks_between_them(models_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{models_address}?q=river")
    expect(page.locator("section:visible")).to_have_count(3)
    page.get_by_label("Compare").select_option("two models")
    expect(page).to_have_url(f"{models_address}?q=river&compare=sparse+network")
    expect(page.locator("section:visible h2")).to_have_text(["Sparse", "Network"])
    assert _ranks(page, "sparse") == [("first", "▲ 2"), ("second", ""), ("third", "▼ 2")]
    assert _ranks(page, "network") == [("third", "▲ 2"), ("second", ""), ("first", "▼ 2")]
    expect(page.locator("section.network .chips").first).to_contain_text("sparse #3")
    expect(page.locator("#shared")).to_have_text("3 of the best 3 are in both")
    expect(page.locator("#models")).to_contain_text("trained on passages, and never to read questions")
    expect(page.get_by_role("status")).to_contain_text("3 hits by network")


def test_a_click_shows_the_tokens_that_each_model_matched(models_address: str, open_page: OpenPage) -> None:
    page = open_page(f"{models_address}?q=river&compare=sparse+network")
    for way, tokens in (("sparse", ["river"]), ("network", ["river", "rivers"])):
        hit = page.locator(f"section.{way} [data-id='first']")
        hit.locator(".text").click()
        expect(hit.get_by_role("table", name=f"What each token gave to the {way} score")).to_be_visible()
        expect(hit.locator("td:first-child")).to_have_text(tokens)
        gave = sum(float(cell) for cell in hit.locator("td:last-child").all_text_contents())
        assert gave == pytest.approx(
            float((hit.locator(".score").text_content() or "").removeprefix("score ")), abs=0.02
        )


def test_the_columns_are_reached_by_keyboard_and_the_second_model_only_where_it_is_compared(
    models_address: str, open_page: OpenPage
) -> None:
    page = open_page(f"{models_address}?q=river&compare=sparse+network")
    page.locator("section.sparse .open").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("section.network .open").first).to_be_focused()
    page.get_by_label("Compare").select_option("all three")
    expect(page.locator("section:visible h2")).to_have_text(["BM25", "Sparse", "Hybrid"])
    expect(page.locator("#models")).to_be_hidden()
    page.locator("section.hybrid .open").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("section.hybrid .open").first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_compares_the_models_by_two_tabs(models_address: str, open_page: OpenPage, scheme: Any) -> None:
    page = open_page(
        f"{models_address}?q=river&compare=sparse+network", viewport={"width": 360, "height": 740}, color_scheme=scheme
    )
    expect(page.locator("fieldset label:visible")).to_have_text(["Sparse", "Network"])
    expect(page.locator("section.network .hit:visible")).to_have_count(3)
    page.locator("fieldset [value=sparse]").check(force=True)
    expect(page.locator("section:visible")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("fieldset [value=network]").check(force=True)
    page.get_by_label("Compare").select_option("all three")
    expect(page.locator("fieldset label:visible")).to_have_text(["BM25", "Sparse", "Hybrid"])
    expect(page.locator("section.hybrid")).to_be_visible()


def test_an_index_without_a_second_model_offers_no_comparison_of_two(address: str, open_page: OpenPage) -> None:
    page = open_page(f"{address}?q=river&compare=sparse+network")
    expect(page.locator("section:visible")).to_have_count(3)
    expect(page.locator("#compare")).to_have_value("")
    assert page.locator(f"option[value='{MODELS}']").is_hidden()


def test_the_models_give_passages_one_vector_and_questions_two(network: ModelSpec) -> None:
    texts = ["The break statement terminates the nearest enclosing loop.", "A river carries water to the sea."]
    bundled, second = (load_document_encoder(model, engine="onnx") for model in (str(SMALL_MODEL), network))
    with bundled, second:
        assert bundled.encode_documents(texts) == second.encode_documents(texts)
    by_table, by_network = load_query_encoder(str(SMALL_MODEL)), load_query_encoder(network, engine="onnx")
    asked = set(by_table.encode_query("leave a loop early"))
    assert asked == {"leave", "a", "loop", "early"}
    assert set(by_network.encode_query("leave a loop early")) - asked, "the network adds tokens"
