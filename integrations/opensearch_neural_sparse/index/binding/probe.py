"""Token weights of one fixed text, by which a model in the server is recognised."""

from __future__ import annotations

from collections.abc import Mapping

PROBE = "OpenSearch finds documents by the words of a query, and by words of related meaning."
"""The text that a model in the server encodes when an index is created, and when it is opened to be written to."""
_HEAVIEST = 10
_TOLERANCE = 0.02
"""Largest relative difference of a weight: processors and precisions differ by less, models by far more."""


def probe_of(vector: Mapping[str, float]) -> dict[str, float]:
    """Return the heaviest tokens of the probe's vector, rounded to four digits.

    Args:
        vector: Token -> weight, as the model encoded `PROBE`.
    """
    heaviest = sorted(vector.items(), key=lambda entry: (-entry[1], entry[0]))[:_HEAVIEST]
    return {token: float(f"{weight:.4g}") for token, weight in heaviest}


def probe_difference(kept: Mapping[str, float], vector: Mapping[str, float]) -> str | None:
    """Return how a vector of the probe differs from the one that was kept, or None where it is of the same model.

    Args:
        kept: The heaviest tokens then, as `probe_of` gave them.
        vector: Token -> weight now.
    """
    for token, weight in kept.items():
        now = vector.get(token, 0.0)
        if abs(now - weight) > _TOLERANCE * weight:
            return f"its probe gives {token!r} the weight {now:.4g}, it was {weight:.4g}"
    others = {token: weight for token, weight in vector.items() if token not in kept}
    heaviest = max(others, key=others.__getitem__, default=None)
    least = min(kept.values(), default=0.0) if len(kept) >= _HEAVIEST else 0.0
    if heaviest is not None and others[heaviest] > least * (1 + _TOLERANCE):
        return f"its probe has the token {heaviest!r} with weight {others[heaviest]:.4g}, which it had not"
    return None
