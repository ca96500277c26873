"""Text of a query that the server encodes, beside the token weights of one that is encoded here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.search.options.query_text import check_query_text
from opensearch_neural_sparse.search.options.server_query import ServerQuery

MOST_TOKENS = 512
"""Maximum number of tokens that a tokenizer in the server reads of a text."""
WAYS_OUT = "Search by token weights, or name the model (model='...'), so that the query is encoded here"


@dataclass(frozen=True, kw_only=True)
class QueryText:
    """Text of a query that the server encodes; it is not blank.

    Attributes:
        text: The text.
        by: The model or analyzer that encodes it.
        vector: Token -> weight, as the server encodes the text; None where it was not asked for.
    """

    text: str = dataclasses.field(repr=False)
    by: ServerQuery
    vector: SparseVector | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def clause(self) -> dict[str, Any]:
        """The query's part of a `neural_sparse` clause."""
        if self.by.analyzer is not None:
            return {"query_text": self.text, "analyzer": self.by.analyzer}
        return {"query_text": self.text, "model_id": self.by.model_id}

    @property
    def most_tokens(self) -> int:
        """An estimate of its tokens from above, without a document model's expansion."""
        return min(len(self.text), MOST_TOKENS)


EncodedQuery = SparseVector | QueryText
"""Token weights of a query, or its text for the server to encode."""
Weights = Mapping[str, float] | QueryText
"""Token -> weight, or a text that the server encodes."""


@dataclass(frozen=True, kw_only=True)
class SearchedQuery:
    """Query of a sparse leg that is explained.

    Attributes:
        field: The field.
        query: The query as it is searched for.
    """

    field: str
    query: Weights = dataclasses.field(repr=False)


def encoded_by_server(text: str, by: ServerQuery) -> EncodedQuery:
    """Return a text for the server to encode; a blank one, which the server refuses, has no token.

    Args:
        text: The text of the query.
        by: The model or analyzer that encodes it.
    """
    return QueryText(text=check_query_text(text), by=by) if text.strip() else SparseVector()


def pruned_query(query: EncodedQuery, rule: Prune | None) -> EncodedQuery:
    """Return a query with the tokens that a rule keeps.

    Raises:
        ValueError: The server encodes the query, and has no such rule.
    """
    if rule is None:
        return query
    if isinstance(query, QueryText):
        raise ValueError(  # noqa: TRY004
            f"A query that the server encodes cannot be pruned. {WAYS_OUT}; or leave prune out."
        )
    return rule(query)


def known_weights(query: Weights | None) -> Mapping[str, float] | None:
    """Return the token weights of a query, as far as they are known here."""
    return query.vector if isinstance(query, QueryText) else query
