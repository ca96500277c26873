"""A reranker behind HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from opensearch_neural_sparse.arguments import check_flag
from opensearch_neural_sparse.encode.remote.connection import EncoderConnection
from opensearch_neural_sparse.encode.remote.encoder_address import check_api_key, check_encoder_url
from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions
from opensearch_neural_sparse.errors import RemoteEncoderError, RemoteRerankerError

_REMEDIES = {
    None: "Is it running, reachable from here, or overloaded?",
    401: "Give its key as api_key.",
    403: "Give a key that has the right as api_key.",
    404: "Check the address: does it serve a reranker, at POST /rerank?",
    413: "Lower batch_size, which is 32 by default there, too.",
    429: "Its queue is full: lower batch_size, or start more of them.",
}


class RemoteReranker:
    """Scores texts by Text Embeddings Inference, or a service with its `POST /rerank`; several threads may use it.

    Connections are opened when they are first needed, and shared by deep copies.

    Args:
        url: Its address, such as `http://localhost:8080`.
        api_key: Its key, sent as a bearer token.
        batch_size: Most texts of a request.
        timeout: Seconds that a request may take, to the end of its answer.
        max_retries: How often a request is sent again after a broken connection, a timeout, or status 429, 502, 503 or
            504.
        truncate: Whether it cuts texts that are too long for the model; else it refuses them.
        raw_scores: Whether scores are the model's logits; else they are what it makes of them, from 0 to 1.

    Raises:
        ValueError: No such address, credentials in it, a key that no header can hold, or a number out of range.

    Examples:
        ```python
        reranker = RemoteReranker("http://localhost:8080", api_key="...")
        options = SearchOptions(rerank=Rerank(reranker))
        ```
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        batch_size: int = 32,
        timeout: float = 30.0,
        max_retries: int = 3,
        truncate: bool = True,
        raw_scores: bool = False,
    ) -> None:
        check_flag(truncate=truncate, raw_scores=raw_scores)
        self.url, self.api_key = check_encoder_url(url, "a reranker"), check_api_key(api_key)
        self.batch_size, self.timeout, self.max_retries = batch_size, timeout, max_retries
        self.truncate, self.raw_scores = truncate, raw_scores
        options = RemoteOptions(batch_size=batch_size, timeout=timeout, max_retries=max_retries)
        self._connection = EncoderConnection(self.url, self.api_key, options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Self:
        return self

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the score of each text for a query.

        Args:
            query: The text of the query.
            texts: The texts.

        Raises:
            RemoteRerankerError: No answer, or one without a score for each text.
        """
        batches = (texts[start : start + self.batch_size] for start in range(0, len(texts), self.batch_size))
        return [score for batch in batches for score in self._scores(query, batch)]

    def close(self) -> None:
        """Close the connections; a later call opens others."""
        self._connection.close()

    def _scores(self, query: str, texts: Sequence[str]) -> list[float]:
        body = {"query": query, "texts": list(texts), "raw_scores": self.raw_scores, "truncate": self.truncate}
        try:
            rows = self._connection.request("POST", "/rerank", body)
        except RemoteEncoderError as error:
            remedy = _REMEDIES.get(error.status, "")
            reason, status = error.reason, error.status
            raise RemoteRerankerError(self.url, reason, status=status, remedy=remedy) from None
        try:
            found = {row["index"]: float(row["score"]) for row in rows}
            return [found[place] for place in range(len(texts))]
        except (KeyError, TypeError, ValueError):
            reason = f"did not answer with an index and a score for each of {len(texts)} texts"
            remedy = "Is it a reranker, of Text Embeddings Inference?"
            raise RemoteRerankerError(self.url, reason, remedy=remedy) from None
