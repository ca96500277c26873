"""Options of sparse and hybrid searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from opensearch_neural_sparse.arguments import check_count, check_flag, check_list, check_number, check_type
from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.rerank.rerank_options import Rerank
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
from opensearch_neural_sparse.search.options.refinements.aggregations import Aggregations, check_aggregations
from opensearch_neural_sparse.search.options.refinements.boosts import Boost, check_boosts
from opensearch_neural_sparse.search.options.refinements.collapse import Collapse, collapse_of
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
from opensearch_neural_sparse.search.options.server_query import ServerQuery
from opensearch_neural_sparse.search.options.two_phase import TwoPhase
from opensearch_neural_sparse.short_repr import short_repr

SHALLOWEST_DEFAULT = 100
_PARTS: Mapping[str, type] = {
    "two_phase": TwoPhase,
    "prune": Prune,
    "seismic": SeismicSearch,
    "server_query": ServerQuery,
    "rerank": Rerank,
}
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
            the field count as one value. `Collapse(field, size=3)` brings the best documents of each value, too.
            `SearchHits.total` still counts every document that matches.
        request: How the search travels.
        server_query: What in the server encodes the text of the query; `ServerQuery()` takes what the index says. None
            encodes it here, except for an index that the server encodes and whose queries cannot be encoded here.
        aggregations: Name -> aggregation in OpenSearch's syntax, such as `{"by_topic": {"terms": {"field": "topic"}}}`,
            over every document that the search matches, whatever the page and the collapse: for two phases, what the
            heavy tokens match; for a `sparse_vector` field that is searched approximately, what that finds. Results are
            in `SearchHits.aggregations`.
        boosts: Boosts of the score by fields of documents, one after the other. A hit's `matches` sum to its score
            before them, and the score of its chunk is without them.
        rerank: How the best hits are reranked by their texts; None keeps the order of the search.
        profile: Whether `SearchHits.profile` says what was sent, bodies with the query's text included, and how long
            each part took.

    Raises:
        ValueError: Two phases and a collapse, which no server has together, or a query that is encoded by the server
            and pruned here.
    """

    two_phase: TwoPhase | None = None
    prune: Prune | None = None
    seismic: SeismicSearch | None = None
    collapse: str | Collapse | None = None
    request: RequestOptions = DEFAULT_REQUEST
    server_query: ServerQuery | None = None
    aggregations: Aggregations | None = None
    boosts: Sequence[Boost] = ()
    rerank: Rerank | None = None
    profile: bool = False

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_parts(self)
        check_flag(profile=self.profile)
        object.__setattr__(self, "boosts", check_boosts(self.boosts))
        check_aggregations(self.aggregations)
        check_collapse(self.collapsed, self.two_phase)
        if self.server_query is not None and self.prune is not None:
            raise ValueError(
                "prune cannot be used with server_query: queries that the server encodes are not pruned here."
            )

    @property
    def collapsed(self) -> Collapse | None:
        """The collapse, where a field's name stands for one of a single document a value."""
        return collapse_of(self.collapse)

    @property
    def looks_widely(self) -> bool:
        """Whether documents beyond the page's best are of use to the search."""
        return self.collapse is not None or self.aggregations is not None or bool(self.boosts)


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
        min_score: Least fused score of a hit, before any reranking. On the server 3.5 or later.
        collapse: A keyword or number field of which each value is found once; documents without the field count as one
            value. A server of 3.6 or later fuses documents and keeps the best of each value. The client, which does it
            elsewhere or with `fusion="client"`, collapses each leg and fuses the values, so that what several documents
            of one value give adds up; it shows the document of the leg that ranks the value highest. With
            `Collapse(field, size=3)`, any server or the client fuses documents, and those that are fused are grouped
            here, by their fused scores.
        two_phase: Split the `rank_features` legs in two phases. Fused by the client: no server does it in a hybrid.
        prune: Which tokens of the sparse legs are searched for; None searches for all. A leg pruned to nothing finds
            nothing, and the others are fused without it.
        seismic: How to search the sparse leg of an index of `FieldType.SPARSE_VECTOR`; None is the server's way.
        fusion: Who fuses.
        request: How the search travels.
        server_query: What in the server encodes the text for legs of the schema's sparse field, as in a sparse search;
            further fields have their own models: `SparseLeg.server_query`.
        aggregations: As in a sparse search, over every document that a leg matches, fused or not and whatever its fused
            score; of a dense leg the nearest of each shard, as many as are fused. They take a search more in the same
            request.
        boosts: Boosts of the score of each leg, before legs are fused; `min_score` is of the fused score. A dense leg
            finds the nearest, and then boosts them.
        rerank: How the best fused hits are reranked by their texts; None keeps the fused order. Its depth is at most
            `pagination_depth`, where that is given.
        profile: As in a sparse search, with the searches of every leg.

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

    __repr__ = short_repr

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
        self._check_rerank()
        self._check_normalization()
        if self.fusion is Fusion.CLIENT and (what := self.beyond_client) is not None:
            raise ValueError(f"fusion='client' fuses only by reciprocal ranks; {what} needs the server's fusion.")

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

    def _check_rerank(self) -> None:
        fused = self.pagination_depth
        if self.rerank is not None and fused is not None and self.rerank.depth > fused:
            raise ValueError(f"The depth of rerank is at most pagination_depth ({fused}), got {self.rerank.depth}.")

    def _check_normalization(self) -> None:
        bounded = self.lower_bounds is not None or self.upper_bounds is not None
        if bounded and self.normalization is not Normalization.MIN_MAX:
            raise ValueError(f"Bounds need normalization 'min_max', got {self.normalization!r}.")
        if self.combination is Combination.ARITHMETIC_MEAN:
            return
        if self.normalization in (None, Normalization.Z_SCORE):
            found = "reciprocal ranks" if self.normalization is None else "normalization 'z_score'"
            raise ValueError(f"{found.capitalize()} cannot be combined by {self.combination}; leave it out.")


def check_parts(options: SearchOptions) -> None:
    """Raise TypeError if a part of the options has the wrong type, such as a mapping."""
    check_type(RequestOptions, request=options.request)
    for name, kind in _PARTS.items():
        check_type(kind, optional=True, **{name: getattr(options, name)})


def check_kind(options: HybridOptions) -> None:
    """Raise TypeError if a depth, a minimum score or a bound has the wrong type."""
    check_count(optional=True, pagination_depth=options.pagination_depth)
    check_number(optional=True, min_score=options.min_score)
    if options.min_score is not None and not isfinite(options.min_score):
        raise TypeError(f"min_score is a finite number, got {options.min_score!r}.")
    check_list(Bound, optional=True, lower_bounds=options.lower_bounds, upper_bounds=options.upper_bounds)


def check_collapse(collapse: object, two_phase: TwoPhase | None) -> None:
    """Raise ValueError if a collapse is combined with two-phase search, TypeError if it is none."""
    if collapse is None:
        return
    if not isinstance(collapse, Collapse):
        raise TypeError(f"collapse is the name of a field or a Collapse, got {type(collapse).__name__}.")
    if two_phase is not None:
        raise ValueError(
            f"collapse={collapse.field!r} cannot be used with two_phase: no server collapses hits that it scores twice."
        )


DEFAULT_SEARCH = SearchOptions()
DEFAULT_HYBRID = HybridOptions()
