"""Names of one test for models in a server, deleted after it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests
from opensearch_neural_sparse.server_models.cluster.removal import delete


@contextmanager
def own_name(client: Any) -> Iterator[str]:
    """Yield a name for models, which are deleted afterwards with their tokenizers, connectors and groups."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    requests = MlRequests(client)
    for each in (name, f"{name}-tokenizer"):
        for model in requests.named(each):
            delete(requests, model, Deadline(60), force=True)
