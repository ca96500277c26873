"""Options of sparse and hybrid searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.search.options.fusion import (
    DEFAULT_RANK_CONSTANT,
    Bound,
    Combination,
    CombinationLike,
    Fusion,
    FusionLike,
    Normalization,
    NormalizationLike,
    check_rank_constant,
    check_weights,
)
from opensearch_neural_sparse.search.options.legs import Bm25Leg, Leg, SparseLeg, check_legs
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW
from opensearch_neural_sparse.search.options.query_text import check_options
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
from opensearch_neural_sparse.search.options.two_phase import TwoPhase

SHALLOWEST_DEFAULT = 100
_PARTS: Mapping[str, type] = {"two_phase": TwoPhase, "prune": Prune, "seismic": SeismicSearch}
DEFAULT_LEGS: tuple[Leg, ...] = (Bm25Leg(), SparseLeg())


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """Options of a sparse search.

    Attributes:
        two_phase: How to split the search in two phases; None searches by every token at once. A deeper page looks at
            more documents in its second phase, so pages may overlap.
        prune: Which tokens of the query are searched for; None searches for all. A query pruned to nothing finds
            nothing.
        seismic: How to search an index of `FieldType.SPARSE_VECTOR`; None is the server's way.
        collapse: A keyword or number field of which each value is found once, by its best document; documents without
            the field count as one value. `SearchHits.total` still counts every document that matches.
        request: How the search travels.

    Raises:
        ValueError: Two phases and a collapse, which no server has together.
    """

    two_phase: TwoPhase | None = None
    prune: Prune | None = None
    seismic: SeismicSearch | None = None
    collapse: str | None = None
    request: RequestOptions = DEFAULT_REQUEST

    def __post_init__(self) -> None:
        check_parts(self)
        check_collapse(self.collapse, self.two_phase)


@dataclass(frozen=True, kw_only=True)
class HybridOptions(SearchOptions):
    """Options of a hybrid search: legs and fusion.

    Attributes:
        legs: Two to five legs; by default BM25 and sparse search.
        rank_constant: 1 to 10,000; the higher, the less the first ranks stand out.
        weights: One for each leg, in their order, summing to 1; None gives every leg the same.
        pagination_depth: How many hits of each leg are fused; by default 100, or the number of hits asked for. Pages
            agree with one another where it is the same for all of them, and end with the documents that are fused:
            `SearchHits.pool_end` and a `HybridPoolWarning` say where.
        normalization: Fuse scores brought to one scale in this way, rather than ranks.
        combination: Which mean of the normalised scores is taken.
        lower_bounds: One for each leg, for `Normalization.MIN_MAX`; a server of 3.0 or later.
        upper_bounds: One for each leg, for `Normalization.MIN_MAX`; a server of 3.2 or later.
        min_score: Least fused score of a hit. On the server 3.5 or later.
        collapse: A keyword or number field of which each value is found once; documents without the field count as one
            value. A server of 3.6 or later fuses documents and keeps the best of each value. The client, which does it
            elsewhere or with `fusion="client"`, collapses each leg and fuses the values, so that what several documents
            of one value give adds up; it shows the document of the leg that ranks the value highest.
        two_phase: Split the `rank_features` legs in two phases. Fused by the client: no server does it in a hybrid.
        prune: Which tokens of the sparse legs are searched for; None searches for all. A leg pruned to nothing finds
            nothing, and the others are fused without it.
        seismic: How to search the sparse leg of an index of `FieldType.SPARSE_VECTOR`; None is the server's way.
        fusion: Who fuses.
        request: How the search travels.

    Raises:
        ValueError: Choices that contradict each other, or are out of range.
    """

    legs: Sequence[Leg] = DEFAULT_LEGS
    rank_constant: int = DEFAULT_RANK_CONSTANT
    weights: Sequence[float] | None = None
    pagination_depth: int | None = None
    normalization: NormalizationLike | None = None
    combination: CombinationLike = Combination.ARITHMETIC_MEAN
    lower_bounds: Sequence[Bound] | None = None
    upper_bounds: Sequence[Bound] | None = None
    min_score: float | None = None
    fusion: FusionLike = Fusion.AUTO

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "legs", check_legs(self.legs))
        object.__setattr__(self, "fusion", Fusion(self.fusion))
        object.__setattr__(self, "combination", Combination(self.combination))
        if self.normalization is not None:
            object.__setattr__(self, "normalization", Normalization(self.normalization))
        check_rank_constant(self.rank_constant)
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(check_weights(self.weights)))
        check_kind(self)
        for name in ("weights", "lower_bounds", "upper_bounds"):
            self._check_count(name)
        self._check_normalization()
        if self.fusion is Fusion.CLIENT and (what := self.beyond_client) is not None:
            raise ValueError(f"fusion='client' fuses by reciprocal ranks alone; {what} needs the server's fusion.")

    @property
    def beyond_client(self) -> str | None:
        """The option that client fusion lacks, or None."""
        return None if self.normalization is None else f"normalization={str(self.normalization)!r}"

    def depth(self, size: int) -> int:
        """Return the number of fused hits per leg, for pages of `size` hits.

        Args:
            size: Hits of the pages up to the wanted one.

        Raises:
            ValueError: Fewer than `size`, or more than 10,000.
        """
        depth = max(SHALLOWEST_DEFAULT, size) if self.pagination_depth is None else self.pagination_depth
        if not size <= depth <= LARGEST_WINDOW:
            raise ValueError(f"pagination_depth lies between size ({size}) and {LARGEST_WINDOW}, got {depth}.")
        return depth

    def _check_count(self, name: str) -> None:
        values = getattr(self, name)
        if values is not None and len(values) != len(self.legs):
            raise ValueError(f"{name} has one for each of the {len(self.legs)} legs, got {len(values)}.")

    def _check_normalization(self) -> None:
        bounded = self.lower_bounds is not None or self.upper_bounds is not None
        if bounded and self.normalization is not Normalization.MIN_MAX:
            raise ValueError(f"Bounds go with normalization 'min_max', got {self.normalization!r}.")
        if self.combination is Combination.ARITHMETIC_MEAN:
            return
        if self.normalization in (None, Normalization.Z_SCORE):
            found = "reciprocal ranks" if self.normalization is None else "normalization 'z_score'"
            raise ValueError(f"{found.capitalize()} cannot be combined by {self.combination}; leave it out.")


def check_parts(options: SearchOptions) -> None:
    """Raise TypeError if a part of the options has the wrong type, such as a mapping."""
    check_options(options.request, RequestOptions, "request")
    for name, kind in _PARTS.items():
        if (part := getattr(options, name)) is not None:
            check_options(part, kind, name)


def check_kind(options: HybridOptions) -> None:
    """Raise TypeError if a depth, a minimum score or a bound has the wrong type."""
    depth, least = options.pagination_depth, options.min_score
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int)):
        raise TypeError(f"pagination_depth is a whole number, got {depth!r}.")
    if least is not None and (isinstance(least, bool) or not isinstance(least, int | float) or not isfinite(least)):
        raise TypeError(f"min_score is a finite number, got {least!r}.")
    bounds = (*(options.lower_bounds or ()), *(options.upper_bounds or ()))
    if unexpected := [bound for bound in bounds if not isinstance(bound, Bound)]:
        raise TypeError(f"Bounds are Bound(mode=..., score=...), one for each leg, got {type(unexpected[0]).__name__}.")


def check_collapse(collapse: str | None, two_phase: TwoPhase | None) -> None:
    """Raise ValueError if a collapse is combined with two-phase search."""
    if collapse is not None and two_phase is not None:
        raise ValueError(f"collapse={collapse!r} does not go with two_phase: no server collapses what it scores twice.")


DEFAULT_SEARCH = SearchOptions()
DEFAULT_HYBRID = HybridOptions()
