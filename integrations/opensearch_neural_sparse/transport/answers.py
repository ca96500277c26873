"""Answers of servers: bodies that are not what OpenSearch sends are errors of this package."""

from __future__ import annotations

from typing import Any

from opensearch_neural_sparse.errors import unreadable_answer


class Answer(dict[str, Any]):
    """A JSON object that the server sent; reading a key that it lacks is a ServerRequestError."""

    def __missing__(self, key: str) -> Any:
        raise unreadable_answer(f"it lacks {key!r}")


def is_refusal(response: Any, status: int | None) -> bool:
    """Return whether a response is an error of this status, which the client was to let through.

    Args:
        response: What the client returned.
        status: The HTTP status; None for none.
    """
    if status is None or not isinstance(response, dict):
        return False
    return "error" in response and response.get("status") == status


def readable(response: Any, confirmed_by: str | None = None) -> Any:
    """Return the response to a request, where it has the form of one.

    Args:
        response: What the client returned.
        confirmed_by: A key that it has where the request was carried out.

    Raises:
        ServerRequestError: It is a text, such as a page of a proxy, or empty, or lacks that key.
    """
    if isinstance(response, str | bytes):
        raise unreadable_answer("it is no JSON" if response else "it is empty")
    answer = Answer(response) if isinstance(response, dict) else response
    if confirmed_by is not None and not (isinstance(answer, dict) and confirmed_by in answer):
        raise unreadable_answer(f"it lacks {confirmed_by!r}")
    return answer
