"""An index made by others, in which a text is a list, a number or a boolean."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.newest_server

TEXTS = {"list": "rivers\nlakes", "number": "42.5", "boolean": "true", "null": ""}


@pytest.fixture
def filled(vectorstore, client, encoder):
    vectorstore.store.create()
    contents: dict[str, Any] = {"list": ["rivers", "lakes"], "number": 42.5, "boolean": True, "null": None}
    for name, content in contents.items():
        body = {"id": name, "content": content, "sparse_vector": dict(encoder.encode_query(TEXTS[name]))}
        client.index(index=vectorstore.stores.index, id=name, body=body)
    vectorstore.store.refresh()
    return vectorstore


@pytest.mark.parametrize("search_type", ["similarity", "mmr", "sparse", "hybrid"])
async def test_every_way_to_search_finds_texts_of_any_json(filled, search_type: str) -> None:
    found = filled.search("rivers", search_type, k=4)
    assert {document.id: document.page_content for document in found} == TEXTS
    awaited = await filled.asearch("rivers", search_type, k=4)
    assert {document.id: document.page_content for document in awaited} == TEXTS


async def test_texts_of_any_json_are_read_by_id(filled) -> None:
    documents = filled.get_by_ids([*TEXTS])
    assert [document.page_content for document in documents] == [*TEXTS.values()]
    assert await filled.aget_by_ids([*TEXTS]) == documents
