"""What would be saved as plain text is refused, and the way out named."""

from __future__ import annotations

from typing import Any

import pytest
from haystack import Pipeline
from haystack.utils import Secret

from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

URL = "https://search.example:9200"


def dumped(**parameters: Any) -> str:
    store = OpenSearchNeuralSparseDocumentStore(**parameters)
    pipeline = Pipeline()
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store))
    text: str = pipeline.dumps()
    return text


@pytest.mark.parametrize(
    ("parameters", "place"),
    [
        ({"hosts": "https://ada:SECRET@search.example:9200"}, "user and password in hosts"),
        ({"hosts": [URL, "ada:SECRET@search.example:9200"]}, "user and password in hosts"),
        ({"hosts": {"host": "search.example", "http_auth": ("ada", "SECRET")}}, "http_auth in hosts"),
        ({"hosts": [{"host": "search.example", "http_auth": "ada:SECRET"}]}, "http_auth in hosts"),
        ({"hosts": [{"host": "ada:SECRET@search.example"}]}, "user and password in hosts"),
        (
            {"hosts": [{"host": "x", "headers": {"authorization": "SECRET"}}]},
            "headers['authorization'] in hosts",
        ),
        ({"hosts": URL, "headers": {"Authorization": "Bearer SECRET"}}, "headers['Authorization']"),
        ({"hosts": URL, "headers": {"X-Api-Key": "SECRET"}}, "headers['X-Api-Key']"),
        ({"hosts": URL, "headers": {"x-amz-security-token": "SECRET"}}, "headers['x-amz-security-token']"),
        ({"hosts": URL, "headers": {"Cookie": "SECRET"}}, "headers['Cookie']"),
        ({"hosts": URL, "http_auth": ("ada", "SECRET")}, "http_auth"),
        ({"hosts": URL, "http_auth": "ada:SECRET"}, "http_auth"),
    ],
)
def test_plain_credentials_are_not_saved(parameters: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match="Plain credentials are not saved: ") as error:
        dumped(**parameters)
    message = str(error.value)
    assert message == (
        f"Plain credentials are not saved: {place}. Give http_auth as two secrets: "
        "(Secret.from_env_var('OPENSEARCH_USERNAME'), Secret.from_env_var('OPENSEARCH_PASSWORD')); api_key and "
        "bearer_token take a secret."
    )
    assert "SECRET" not in message


def test_what_is_no_secret_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCH_USER", "ada")
    monkeypatch.setenv("SEARCH_WORD", "SECRET")
    saved = dumped(
        hosts=[URL, {"host": "other.example", "port": 9200, "use_ssl": True}],
        http_auth=(Secret.from_env_var("SEARCH_USER"), Secret.from_env_var("SEARCH_WORD")),
        headers={"X-Opaque-Id": "articles"},
        ca_certs="ca.pem",
        client_key="key.pem",
    )
    assert "SEARCH_WORD" in saved
    assert "SECRET" not in saved
    store = Pipeline.loads(saved).get_component("retriever").document_store
    assert store.to_dict()["init_parameters"]["headers"] == {"X-Opaque-Id": "articles"}


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        (None, "http://localhost:9200"),
        ("https://ada:SECRET@search.example:9200", URL),
        ([URL, "https://ada:SECRET@other.example:9200"], f"{URL}, https://other.example:9200"),
        ({"host": "search.example", "port": 9200, "use_ssl": True, "http_auth": ("ada", "SECRET")}, URL),
    ],
)
def test_a_store_shows_hosts_index_and_model_and_no_credentials(hosts: Any, shown: str) -> None:
    store = OpenSearchNeuralSparseDocumentStore(
        hosts=hosts, index="articles", model="no such model", token=Secret.from_token("SECRET")
    )
    assert repr(store) == (
        f"OpenSearchNeuralSparseDocumentStore(hosts='{shown}', index='articles', model='no such model')"
    )
    stamped = OpenSearchNeuralSparseDocumentStore(hosts=hosts, http_auth=("ada", "SECRET"))
    assert repr(stamped) == f"OpenSearchNeuralSparseDocumentStore(hosts='{shown}', index='default')"
