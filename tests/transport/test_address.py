"""Addresses are shown without user, password, query and fragment."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.transport.address import check_address, shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://search.example:9200/prefix", "https://search.example:9200/prefix"),
        ("https://ada:SECRET@search.example:9200", "https://search.example:9200"),
        ("https://ada:SEC@RET@search.example", "https://search.example"),
        ("ada:SECRET@search.example", "search.example"),
        ("https://search.example/?token=SECRET", "https://search.example/"),
        ("https://search.example#SECRET", "https://search.example"),
        ({"host": "ada:SECRET@x", "port": 9200, "use_ssl": True, "http_auth": "ada:SECRET"}, "https://x:9200"),
        (["http://a", {"host": "b", "headers": {"authorization": "SECRET"}}], "http://a, http://b"),
        ([], "an unknown address"),
    ],
)
def test_an_address_is_shown_without_credentials(url: Any, expected: str) -> None:
    assert shown(url) == expected


@given(st.text(st.characters(exclude_characters="@"), max_size=20))
def test_no_password_is_shown(password: str) -> None:
    assert shown(f"https://ada:{password}@search.example:9200") == "https://search.example:9200"


@pytest.mark.parametrize("url", ["", " ", ["http://localhost:9200", ""]])
def test_an_empty_address_is_said_to_be_empty_with_the_way_out(url: Any) -> None:
    with pytest.raises(ValueError, match=r"^The address of a server is empty\. .* OPENSEARCH_URL, .* or unset it\.$"):
        check_address(url)
