"""The identity of a model's files in a description of the server."""

from __future__ import annotations

import pytest

from opensearch_neural_sparse.server_models.identity import ModelIdentity

OWN = ModelIdentity(model="opensearch-project/small", query_sha256="a" * 64, weights_sha256="b" * 64)


def test_identity_is_read_back_from_its_description() -> None:
    assert ModelIdentity.read(OWN.describe()) == OWN
    assert ModelIdentity.read(f"Of the team for search. {OWN.describe()} (2026)") == OWN


@pytest.mark.parametrize("description", [None, "", "A sparse encoder.", OWN.describe()[:-1]])
def test_other_descriptions_hold_none(description: str | None) -> None:
    assert ModelIdentity.read(description) is None
