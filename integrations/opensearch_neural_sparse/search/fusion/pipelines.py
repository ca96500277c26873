"""Inline search pipelines: sent with the request, without stored state or cluster privilege."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opensearch_neural_sparse.errors import UnsupportedServerError
from opensearch_neural_sparse.search.options.fusion import (
    DEFAULT_RANK_CONSTANT,
    Bound,
    Combination,
    CombinationLike,
    Normalization,
    NormalizationLike,
    check_rank_constant,
    check_weights,
)
from opensearch_neural_sparse.server_info import ServerInfo

_WEIGHTS_SINCE = (3, 1, 0)
"""First version with weights, and with `rank_constant` outside `parameters`, where 2.19 silently ignores it."""
_EXACT_SUM = 1e-6


def rrf_pipeline(
    server: ServerInfo, *, rank_constant: int = DEFAULT_RANK_CONSTANT, weights: Sequence[float] | None = None
) -> dict[str, Any]:
    """Return the inline search pipeline of reciprocal rank fusion, in this server's format.

    Before 3.1 weights go through the normalisation processor, which knows the same fusion with a rank constant of 60
    and divides by the sum of the weights.

    Args:
        server: The server that is asked.
        rank_constant: 1 to 10,000; the higher, the flatter.
        weights: One for each leg, none negative, summing to 1; None gives every leg 1.

    Raises:
        ValueError: A rank constant or weights that no server takes.
        UnsupportedServerError: Weights on a server before 3.1 with another rank constant, or whose sum is not 1.
    """
    check_rank_constant(rank_constant)
    combination: dict[str, Any] = {"technique": "rrf"}
    if not server.at_least(_WEIGHTS_SINCE):
        if weights is not None:
            return _weighted_before_3_1(server, rank_constant, check_weights(weights))
        combination["parameters"] = {"rank_constant": rank_constant}
        return _pipeline("score-ranker-processor", {"combination": combination})
    combination["rank_constant"] = rank_constant
    if weights is not None:
        combination["parameters"] = {"weights": check_weights(weights)}
    return _pipeline("score-ranker-processor", {"combination": combination})


def normalization_pipeline(
    server: ServerInfo,
    *,
    normalization: NormalizationLike,
    combination: CombinationLike = Combination.ARITHMETIC_MEAN,
    weights: Sequence[float] | None = None,
    lower_bounds: Sequence[Bound] | None = None,
    upper_bounds: Sequence[Bound] | None = None,
) -> dict[str, Any]:
    """Return the inline search pipeline of score normalisation and combination.

    Raises:
        ValueError: Weights that no server takes.
        UnsupportedServerError: The server does not know the technique, or would ignore the bounds.
    """
    if normalization == Normalization.Z_SCORE:
        server.require((3, 0, 0), "Normalisation by z_score")
    normalizing: dict[str, Any] = {"technique": str(normalization)}
    parameters: dict[str, Any] = {}
    if lower_bounds is not None:
        server.require((3, 0, 0), "A lower bound in normalisation")
        parameters["lower_bounds"] = [bound.to_dict("min_score") for bound in lower_bounds]
    if upper_bounds is not None:
        server.require((3, 2, 0), "An upper bound in normalisation")
        parameters["upper_bounds"] = [bound.to_dict("max_score") for bound in upper_bounds]
    if parameters:
        normalizing["parameters"] = parameters
    combining: dict[str, Any] = {"technique": str(combination)}
    if weights is not None:
        combining["parameters"] = {"weights": check_weights(weights)}
    return _pipeline("normalization-processor", {"normalization": normalizing, "combination": combining})


def _weighted_before_3_1(server: ServerInfo, rank_constant: int, weights: list[float]) -> dict[str, Any]:
    if rank_constant != DEFAULT_RANK_CONSTANT or abs(sum(weights) - 1) > _EXACT_SUM:
        raise UnsupportedServerError(
            f"Reciprocal rank fusion with weights and rank_constant={rank_constant}",
            found=str(server),
            required="OpenSearch 3.1.0 or later",
            reason="Before that it takes weights with a rank_constant of 60 alone, and divides by their sum. "
            "fusion='client' takes any.",
        )
    combination = {"technique": Combination.ARITHMETIC_MEAN.value, "parameters": {"weights": weights}}
    return _pipeline("normalization-processor", {"normalization": {"technique": "rrf"}, "combination": combination})


def _pipeline(processor: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"phase_results_processors": [{processor: body}]}
