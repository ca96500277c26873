"""One secured cluster for every test of this room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import ModelFiles, get_model, resolve_files
from opensearch_neural_sparse.devserver import DevServer
from tests.encoders import WordEncoder
from tests.secured.cluster import SecuredCluster
from tests.toy import write_doc_only


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return resolve_files(get_model(write_doc_only(tmp_path_factory.mktemp("toy") / "toy-model")))


@pytest.fixture(scope="session")
def cluster(secured_server: DevServer, files: ModelFiles) -> Iterator[SecuredCluster]:
    """The secured cluster; nobody has a right but by a role of the tests."""
    login = secured_server.login
    assert login is not None
    encoder = WordEncoder(files)
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    tls: dict[str, Any] = {"ca_certs": str(login.ca_file), "timeout": 60}
    with OpenSearch(secured_server.url, http_auth=(login.user, login.password), **tls) as admin:
        admin.http.delete("/_plugins/_security/api/rolesmapping/own_index")
        yield SecuredCluster(server=secured_server, admin=admin, encoders=encoders)
