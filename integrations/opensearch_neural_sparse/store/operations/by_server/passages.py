"""Passages that the server cuts texts into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import ServerRequestError
from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
from opensearch_neural_sparse.index.documents.stored_text import passages_of
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.ingest_pipeline import chunking_step
from opensearch_neural_sparse.store.steps import Request, Steps

_BAD_REQUEST = 400
_TEXTS_PER_REQUEST = 50
_LONGEST_REQUEST = 5_000_000
"""Characters of the texts of one request; a longer text is sent by itself."""


def cut_by_server(info: IndexInfo, chunking: ServerChunking, texts: Sequence[str]) -> Steps[list[list[str]]]:
    """Return the passages of texts, as the server's processor cuts them; nothing is written.

    Args:
        info: The index, for the names of its fields; its setting `index.analyze.max_token_count` holds.
        chunking: How texts are cut.
        texts: The texts.

    Raises:
        ServerRequestError: A text cannot be cut, such as one of more words than the server counts.
    """
    cut = list[list[str]]()
    rest = iter(texts)
    while len(cut) < len(texts):
        part, size = list[str](), 0
        while len(part) < _TEXTS_PER_REQUEST and size < _LONGEST_REQUEST and (one := [*islice(rest, 1)]):
            part += one
            size += len(one[0])
        response = yield Request("ingest.simulate", partial(_simulate, _body(info, chunking, part)))
        cut += [_passages(row, info) for row in response["docs"]]
    return cut


def _body(info: IndexInfo, chunking: ServerChunking, texts: Sequence[str]) -> dict[str, Any]:
    target = {} if info.write_index is None else {"_index": info.write_index}
    documents = [{**target, "_source": {info.schema.text_field: text}} for text in texts]
    return {"pipeline": {"processors": [chunking_step(chunking, info.schema)]}, "docs": documents}


def _simulate(body: Mapping[str, Any], client: Any) -> Any:
    return client.ingest.simulate(body=body)


def _passages(row: Mapping[str, Any], info: IndexInfo) -> list[str]:
    if (error := row.get("error")) is not None:
        raise ServerRequestError(_BAD_REQUEST, str(error.get("type")), short_reason(error))
    return passages_of(row["doc"]["_source"], info.schema)
