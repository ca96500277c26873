"""Options of a document store that nobody takes."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from tests.haystack_layer.conftest import MakeStore


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"http_aut": ("u", "SECRET")}, r"^Unknown client option: 'http_aut'\. Did you mean 'http_auth'\?$"),
        ({"create_indx": False}, r"^Unknown client option: 'create_indx'\. Did you mean 'create_index'\?$"),
        ({"host": "http://SECRET"}, r"^Unknown client option: 'host'\. Did you mean 'hosts'\?$"),
        ({"embeding_dim": 3}, r"Did you mean 'embedding_dim'\?$"),
        ({"hosts": [{"host": "localhost", "prot": 1}]}, r"^Unknown key of a host: 'prot'\. Did you mean 'port'\?$"),
        ({"mappings": {"properties": {}}}, r"^mappings cannot be given, .*metadata_fields=.*create_index\(mappings="),
        ({"method": {"name": "hnsw"}}, r"^method cannot be given, "),
    ],
)
def test_option_that_nobody_takes_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said) as error:
        OpenSearchNeuralSparseDocumentStore(**options)
    assert "SECRET" not in str(error.value)


def test_options_of_the_client_are_known_and_saved(make_store: MakeStore) -> None:
    options = {"http_compress": True, "opaque_id": "mine", "max_retries": 1, "pool_maxsize": 3, "ca_certs": None}
    store = make_store(**options, mappings=None, method=None)
    assert store.count_documents() == 0
    assert store._client.transport.connection_pool.connections[0].headers["x-opaque-id"] == "mine"
    again = OpenSearchNeuralSparseDocumentStore.from_dict(store.to_dict())
    assert again.to_dict() == store.to_dict()
    assert store.to_dict()["init_parameters"] | options == store.to_dict()["init_parameters"]
    again.close()


def test_options_of_either_side_serve_both() -> None:
    OpenSearchNeuralSparseDocumentStore(trust_env=True, ssl_assert_hostname=False, loop=None)
