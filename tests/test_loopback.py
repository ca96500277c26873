"""Names and addresses of this machine alone."""

from __future__ import annotations

import pytest

from opensearch_neural_sparse.loopback import is_loopback, is_loopback_header


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "node.localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.example.org", "127.0.0.1.example.org", "mylocalhost"],
)
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


def test_a_host_header_may_have_a_port() -> None:
    headers = [
        "localhost:8080",
        "127.0.0.1:1",
        "[::1]:8080",
        "localhost",
        "example.org:80",
        "127.0.0.1.example.org",
        "",
    ]
    assert [is_loopback_header(header) for header in headers] == [True, True, True, True, False, False, False]
