from typing import Any

import pytest

from opensearch_neural_sparse.index.analyzers import ANALYZERS, STANDARD, analyzer_for
from opensearch_neural_sparse.models.registry import list_models


@pytest.mark.parametrize(
    ("languages", "analyzer"),
    [(("en",), "english"), (["de"], "german"), ({"zh"}, "cjk"), (("sw",), None), (("en", "de"), None), ((), None)],
)
def test_one_language_has_its_analyzer_and_all_else_the_servers_default(languages: Any, analyzer: str | None) -> None:
    assert analyzer_for(languages) == analyzer


def test_every_server_has_the_analyzers(client: Any) -> None:
    for analyzer in {STANDARD, *ANALYZERS.values()}:
        (token,) = client.indices.analyze(body={"analyzer": analyzer, "text": "Klima"})["tokens"]
        assert token["token"]


def test_every_published_model_is_analysed_as_english_but_the_multilingual_one() -> None:
    chosen = {spec.name: analyzer_for(spec.languages) for spec in list_models()}
    assert chosen.pop("multilingual-v1") is None
    assert set(chosen.values()) == {"english"}
