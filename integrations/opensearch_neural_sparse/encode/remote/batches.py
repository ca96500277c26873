"""Requests that texts are divided into."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class RemoteText(NamedTuple):
    """A text on its way to an encoder.

    Attributes:
        position: Its place among the texts of the call.
        content: The text, as it is sent.
    """

    position: int
    content: str


def split_texts(texts: Iterable[RemoteText], *, size: int, characters: int) -> list[list[RemoteText]]:
    """Return the texts of each request, in their order.

    Args:
        texts: The texts.
        size: Most texts of a request.
        characters: Characters above which a request is not grown further; one longer text travels alone.
    """
    batches: list[list[RemoteText]] = []
    room, length = 0, 0
    for text in texts:
        if room == 0 or length + len(text.content) > characters:
            batches.append([])
            room, length = size, 0
        batches[-1].append(text)
        room, length = room - 1, length + len(text.content)
    return batches
