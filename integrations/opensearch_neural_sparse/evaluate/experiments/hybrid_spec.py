"""Parse the specification of a hybrid search, such as `rrf` or `bm25+sparse+dense:min_max:0.2,0.3,0.5`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from opensearch_neural_sparse.search.options.fusion import Normalization
from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, Embedder, Leg, SparseLeg
from opensearch_neural_sparse.search.options.search_options import HybridOptions

BM25, SPARSE, DENSE = "bm25", "sparse", "dense"
LEGS = (BM25, SPARSE, DENSE)
RRF = "rrf"


def _unused_embedder(_: str) -> Sequence[float]:
    """Stand in for an embedder while options are only checked."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Hybrid:
    """Legs and fusion of a hybrid search.

    Attributes:
        legs: Two or three of `LEGS`.
        normalization: Normalisation of the scores; None fuses by reciprocal ranks.
        weights: Weight of each leg, summing to 1; None weighs them equally.

    Raises:
        ValueError: Legs and weights do not match.
    """

    legs: tuple[str, ...] = (BM25, SPARSE)
    normalization: Normalization | None = None
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        self.options(_unused_embedder)

    def __str__(self) -> str:
        legs = "" if self.legs == (BM25, SPARSE) else f"{'+'.join(self.legs)}:"
        weights = "" if self.weights is None else f":{','.join(f'{weight:g}' for weight in self.weights)}"
        return f"{legs}{self.normalization or RRF}{weights}"

    def options(self, embedder: Embedder | None) -> HybridOptions:
        """Return the options of the search.

        Args:
            embedder: Embeds query texts; None where no leg is dense.
        """
        return HybridOptions(
            legs=tuple(_leg(name, embedder) for name in self.legs),
            normalization=self.normalization,
            weights=self.weights,
        )


def parse_hybrid(text: str) -> Hybrid:
    """Parse a specification `[LEGS:]FUSION[:WEIGHTS]`.

    Args:
        text: The fusion is `rrf`, `min_max`, `l2` or `z_score`; legs are names of `LEGS` joined by a plus,
            `bm25+sparse` by default; weights are numbers joined by commas. An example is `rrf:0.3,0.7`.

    Raises:
        ValueError: The text has another form.
    """
    parts = text.split(":")
    legs = tuple(parts.pop(0).split("+")) if set(parts[0].split("+")) <= set(LEGS) else (BM25, SPARSE)
    try:
        fusion, *rest = parts
        weights = tuple(map(float, ",".join(rest).split(","))) if rest else None
        return Hybrid(legs=legs, normalization=None if fusion == RRF else Normalization(fusion), weights=weights)
    except ValueError as error:
        raise ValueError(f"{text!r} is not of the form [LEGS:]FUSION[:WEIGHTS], such as rrf:0.3,0.7. {error}") from None


def every_hybrid(hybrids: Sequence[Hybrid]) -> list[Hybrid]:
    """Expand hybrids to dense legs: each without weights to every combination of two or three legs.

    Args:
        hybrids: Requested hybrids; if there are none, fusion by reciprocal ranks.
    """
    choices = [legs for count in (2, 3) for legs in combinations(LEGS, count)]
    found = [
        Hybrid(legs=legs, normalization=hybrid.normalization)
        for hybrid in hybrids or [Hybrid()]
        if hybrid.weights is None
        for legs in ([hybrid.legs] if DENSE in hybrid.legs else choices)
    ]
    return list(dict.fromkeys([*found, *(hybrid for hybrid in hybrids if hybrid.weights is not None)]))


def _leg(name: str, embedder: Embedder | None) -> Leg:
    if name == DENSE:
        return DenseLeg(embedder=embedder)
    return Bm25Leg() if name == BM25 else SparseLeg()
