"""Search pipelines that travel inside a request: no stored state, no cluster privilege."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opensearch_neural_sparse.server import ServerInfo

SMALLEST_RANK_CONSTANT, LARGEST_RANK_CONSTANT = 1, 10_000
_WEIGHTS_SINCE = (3, 1, 0)
"""Where `rank_constant` moved out of `parameters`, and weights came; 2.19 ignores it in its new place, silently."""


def rrf_pipeline(
    server: ServerInfo, *, rank_constant: int = 60, weights: Sequence[float] | None = None
) -> dict[str, Any]:
    """Return the inline search pipeline of reciprocal rank fusion, in the form this server takes.

    Args:
        server: The server that is asked.
        rank_constant: 1 to 10,000; the higher, the flatter.
        weights: One for each leg, none negative, summing to 1; None gives every leg 1.

    Raises:
        ValueError: A rank constant or weights that no server takes.
        UnsupportedServerError: Weights on a server before 3.1.
    """
    _check_rank_constant(rank_constant)
    combination: dict[str, Any] = {"technique": "rrf"}
    if server.at_least(_WEIGHTS_SINCE):
        combination["rank_constant"] = rank_constant
    else:
        combination["parameters"] = {"rank_constant": rank_constant}
    if weights is not None:
        server.require(_WEIGHTS_SINCE, "Reciprocal rank fusion with weights")
        combination["parameters"] = {"weights": check_weights(weights)}
    return {"phase_results_processors": [{"score-ranker-processor": {"combination": combination}}]}


def check_weights(weights: Sequence[float]) -> list[float]:
    """Return the weights of the legs as floats: integers make the server fail.

    Raises:
        ValueError: A negative weight, or a sum other than 1.
    """
    floats = [float(weight) for weight in weights]
    if not all(0 <= weight <= 1 for weight in floats) or abs(sum(floats) - 1) > 1e-2:
        raise ValueError(f"Weights lie between 0 and 1 and sum to 1, got {floats}.")
    return floats


def _check_rank_constant(rank_constant: int) -> None:
    if isinstance(rank_constant, bool) or not isinstance(rank_constant, int):
        raise TypeError(f"rank_constant is an integer, got {rank_constant!r}.")
    if not SMALLEST_RANK_CONSTANT <= rank_constant <= LARGEST_RANK_CONSTANT:
        raise ValueError(f"rank_constant lies between 1 and 10000, got {rank_constant}.")
