"""Batches of texts for encoding processes."""

from __future__ import annotations

from collections.abc import Sequence

CHARACTERS_PER_TOKEN = 4
BATCHES_PER_WORKER = 4
"""Batches of a call for each process, so that all end at about the same time."""
MOST_ENGINE_BATCHES = 16
"""Most batches of the engine in a batch of a process: what is encoded again when it dies."""


def split_batches(texts: Sequence[str], *, workers: int, batch_tokens: int, max_length: int) -> list[list[int]]:
    """Return the positions of each batch's texts, of about as many characters each, longest texts first.

    Texts that are too few to share are one batch.

    Args:
        texts: The texts.
        workers: Number of processes.
        batch_tokens: How many tokens the engine runs at once.
        max_length: Longest text in tokens; what follows is cut off, and costs nothing.
    """
    longest = max_length * CHARACTERS_PER_TOKEN
    sizes = [min(len(text or ""), longest) + 1 for text in texts]
    least = batch_tokens * CHARACTERS_PER_TOKEN
    budget = min(max(sum(sizes) / (workers * BATCHES_PER_WORKER), least), MOST_ENGINE_BATCHES * least)
    batches: list[list[int]] = []
    room = 0.0
    for position in sorted(range(len(texts)), key=lambda position: -sizes[position]):
        if room <= 0:
            batches.append([])
            room = budget
        batches[-1].append(position)
        room -= sizes[position]
    return batches
