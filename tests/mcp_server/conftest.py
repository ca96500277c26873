from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import NeuralSparseStore
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

FENCE = {"term": {"public": True}}
ROWS = [
    {"id": "heart", "text": "The heart pumps blood.", "metadata": {"public": True, "year": 2020}},
    {"id": "stone", "text": "A stone rests on the bed of a river.", "metadata": {"public": True, "year": 2021}},
    {"id": "hidden", "text": "The secret heart of the matter.", "metadata": {"public": False, "year": 2020}},
]


@pytest.fixture
def articles(server: RunningServer, index_name: str, client: Any) -> Iterator[str]:
    """An index of three documents, one beyond the fence; `<index>-x` is another, and `<index>-bare` has no stamp."""
    for name in (index_name, f"{index_name}-x"):
        with NeuralSparseStore(name, url=server.url, model=SMALL_MODEL) as store:
            store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
            store.write(ROWS)
    client.indices.create(index=f"{index_name}-bare", body={"settings": {"number_of_replicas": 0}})
    yield index_name
    client.indices.delete(index=f"{index_name}-x,{index_name}-bare", ignore_unavailable=True)
