"""Search hits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import nan
from typing import Any

from opensearch_neural_sparse.arguments import check_count, check_flag, check_list, check_number, check_text, check_type
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.index.documents.document import metadata_of
from opensearch_neural_sparse.index.documents.stored_text import stored_text
from opensearch_neural_sparse.index.documents.vector_fields import chunks_of, vector_of
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.refinements.collapse import GROUP
from opensearch_neural_sparse.search.options.request_options import Partial, PartialLike
from opensearch_neural_sparse.search.results.chunk_hit import ChunkHit, read_chunk
from opensearch_neural_sparse.search.results.highlight import highlight
from opensearch_neural_sparse.search.results.hit_lines import hit_line, hit_lines, shown_score
from opensearch_neural_sparse.search.results.hit_table import hit_table, hits_table
from opensearch_neural_sparse.search.results.leg_scores import LegScore
from opensearch_neural_sparse.search.results.search_profile import SearchProfile
from opensearch_neural_sparse.search.results.shard_failures import shard_failures
from opensearch_neural_sparse.search.results.token_matches import TokenMatch, match_tokens, print_matches


@dataclass(frozen=True, kw_only=True)
class SearchHit:
    """A document found by a search.

    Attributes:
        id: Its id.
        score: Its score; comparable within one search alone. NaN where a search body sorts by something else.
        text: Its text, or None; one that others wrote as a list has a line for each value.
        metadata: Its metadata.
        source: Its `_source` as the server sent it.
        index: The index it lies in, behind any alias.
        model: Marker of the model that made its vector, or None.
        embedding: Its dense vector, where it was asked for.
        matches: The tokens it shares with the query, where an explanation was asked for, else None. Their scores sum to
            that of a sparse search before its boosts.
        legs: For a hybrid search with an explanation, name of a leg -> its score and rank, for the legs that found the
            document; else None.
        chunk: In an index of chunks, the chunk that scores best; None where only words, or a dense vector, found the
            document.
        group_hits: For a `Collapse` with a size above 1, the best documents of its value, this one first.
        rerank_score: The score that a reranker gave it, which then is its `score`; None where it was not scored. Such a
            hit among reranked ones has the score of the last that was, so that scores fall from hit to hit.
        search_score: Its score in the search, before reranking; None where no hit was reranked.
    """

    id: str
    score: float
    text: str | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    index: str = ""
    model: str | None = None
    embedding: Sequence[float] | None = field(default=None, repr=False)
    matches: tuple[TokenMatch, ...] | None = field(default=None, repr=False)
    legs: Mapping[str, LegScore] | None = field(default=None, repr=False)
    chunk: ChunkHit | None = None
    group_hits: tuple[SearchHit, ...] = field(default=(), repr=False)
    rerank_score: float | None = None
    search_score: float | None = None

    def __post_init__(self) -> None:
        check_number(score=self.score)
        check_text(optional=True, text=self.text)

    def __repr__(self) -> str:
        return hit_line(self)

    def _repr_html_(self) -> str:
        """Return a table of one row, which notebooks show."""
        return hit_table(self)

    def explain(self) -> str:
        """Explain the hit as text: scores of reranker, search and legs, matching tokens and their scores.

        Raises:
            ValueError: The search was not asked for an explanation.
        """
        matches = self._explained()
        legs = self.legs or {}
        shown = [leg.show(name) for name, leg in legs.items()]
        further = [f"{name}\n{print_matches(leg.matches)}" for name, leg in legs.items() if leg.matches is not None]
        scores = [f"{self.id}  score {shown_score(self.score)}", *self._reranked(), *shown]
        return "\n".join([*scores, print_matches(matches), *further])

    def to_html(self, tokenizer: SparseTokenizer | None = None) -> str:
        """Return the text as escaped HTML, each matching token in `<mark title="token: score">`.

        In an index of chunks, tokens are marked in the chunk that was found.

        Args:
            tokenizer: The model's, such as `load_query_encoder(model).tokenizer`, which knows where its tokens lie;
                without it words are marked that are such a token, or that such tokens make up.

        Raises:
            ValueError: The search was not asked for an explanation.
        """
        scores = {match.token: match.score for match in self._explained()}
        text = self.text or ""
        start, end = (self.chunk.start, self.chunk.end) if self.chunk is not None else (0, len(text))
        return escape(text[:start]) + highlight(text[start:end], scores, tokenizer) + escape(text[end:])

    def _reranked(self) -> list[str]:
        if self.search_score is None:
            return []
        reranked = "not scored" if self.rerank_score is None else f"score {self.rerank_score:.4f}"
        return [f"reranker: {reranked}", f"search: score {self.search_score:.4f}"]

    def _explained(self) -> tuple[TokenMatch, ...]:
        if self.matches is None:
            raise ValueError("This hit carries no explanation; search with explain=True.")
        return self.matches


class SearchHits(list[SearchHit]):
    """Search hits, best first.

    Args:
        hits: The hits.

    Attributes:
        total: How many documents match, each counted even where a collapse shows but one of several; at least so many
            where `total_is_exact` is false.
        total_is_exact: Whether the server counted them all; it stops at 10,000, and of a hybrid search that it fuses
            itself it passes over some.
        took_ms: The server's own time in milliseconds.
        fusion: Who fused legs and how: `server rrf`, `client rrf`, `server min_max arithmetic_mean`; over indices of
            several models it ends in `client rrf of 2 models`, over some with chunks and some without in `client rrf of
            2 layouts`; None for a search of one leg of one model.
        fusion_reason: Why the client fused the legs rather than the server, or None.
        leg_took_ms: For a hybrid search of one model that the client fuses, name of a leg -> the server's own time for
            it in milliseconds; else empty. Legs are searched side by side.
        two_phase: Whether light query tokens only refined the order of what the heavy ones found.
        approximate: Whether a `sparse_vector` field was searched, which may miss documents and scores by weights of a
            byte each; the scores of matches are then approximate.
        tokens_left_out: How many light query tokens were left out to keep within the server's limit of clauses.
        words_left_out: How many words at the end of a text BM25 was not asked for, by the same limit.
        pool_end: After how many hits the pages of a hybrid search end although more documents match: no more were
            fused, and a larger `HybridOptions.pagination_depth`, the same for every page, fuses more. None where this
            page does not reach so far.
        failures: What shards failed at, as the server reports it, where such an answer was asked for all the same
            (`RequestOptions(partial="warn")`).
        aggregations: Name -> result of each aggregation that was asked for, as the server sends it; empty where none
            was, or where the query had no token to search for.
        response: The whole answer to `custom_search`, with its highlights; else None.
        reranked: How many of the hits that a reranker was to score it has scored, on this page and others; None where
            none was asked, or it failed.
        profile: What was sent and how long each part took, where that was asked for (`SearchOptions(profile=True)`);
            else None. It holds the text of the query.
    """

    def __init__(
        self,
        hits: Iterable[SearchHit] = (),
        *,
        total: int = 0,
        total_is_exact: bool = True,
        took_ms: int = 0,
        fusion: str | None = None,
        two_phase: bool = False,
        approximate: bool = False,
        tokens_left_out: int = 0,
        words_left_out: int = 0,
        pool_end: int | None = None,
        failures: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        check_type(Iterable, hits=hits)
        super().__init__(hits)
        check_list(SearchHit, hits=self)
        check_count(0, total=total)
        check_flag(total_is_exact=total_is_exact)
        check_list(failures=failures)
        self.total, self.total_is_exact, self.took_ms, self.fusion = total, total_is_exact, took_ms, fusion
        self.two_phase, self.approximate, self.tokens_left_out = two_phase, approximate, tokens_left_out
        self.words_left_out, self.pool_end, self.failures = words_left_out, pool_end, tuple(failures)
        self.aggregations: Mapping[str, Any] = {}
        self.response: Mapping[str, Any] | None = None
        self.reranked: int | None = None
        self.fusion_reason: str | None = None
        self.leg_took_ms: Mapping[str, int] = {}
        self.profile: SearchProfile | None = None

    def __repr__(self) -> str:
        return hit_lines(self)

    def _repr_html_(self) -> str:
        """Return a table of the hits, which notebooks show."""
        return hits_table(self)

    @property
    def ungrouped(self) -> list[SearchHit]:
        """The hits with all of each group where its best one stands, without groups."""
        return [one for hit in self for one in hit.group_hits or (hit,)]

    @property
    def partial(self) -> bool:
        """Whether some shards failed, so that hits may be missing."""
        return bool(self.failures)


def parse_hits(
    response: Mapping[str, Any],
    schema: IndexSchema,
    *,
    explained: Mapping[str, float] | None = None,
    fusion: str | None = None,
    offset: int = 0,
    legs: Callable[[Mapping[str, Any]], Mapping[str, LegScore]] | None = None,
    dropped: Sequence[str] = (),
    partial: PartialLike = Partial.RAISE,
) -> SearchHits:
    """Read a search response.

    Args:
        response: The response.
        schema: Names of the fields.
        explained: The query vector as it was searched for, where matches are wanted; `_source` then holds vectors.
        fusion: Who fused legs and how.
        offset: How many hits come before the page that was asked for.
        legs: Reader of a hit's leg scores, if they are wanted.
        dropped: Fields that came and are not wanted.
        partial: Handling of partial results, where some shards failed.

    Raises:
        PartialResultsError: Some shards failed, so that hits may be missing.
    """
    failures = shard_failures([response], partial)
    total = response["hits"].get("total", {})
    hits = [_without(hit, dropped) for hit in response["hits"]["hits"][offset:]]
    return SearchHits(
        [parse_hit(hit, schema, explained, legs=legs(hit) if legs is not None else None) for hit in hits],
        total=total.get("value", 0),
        total_is_exact=fusion is None and total.get("relation", "eq") == "eq",
        took_ms=response["took"],
        fusion=fusion,
        failures=failures,
    )


def parse_hit(
    hit: Mapping[str, Any],
    schema: IndexSchema,
    explained: Mapping[str, float] | None = None,
    *,
    score: float | None = None,
    legs: Mapping[str, LegScore] | None = None,
) -> SearchHit:
    """Read a hit of a response; `score` replaces its own."""
    source = hit.get("_source", {})
    chunk = read_chunk(hit, schema)
    matches = None if explained is None else match_tokens(explained, scored_vector(source, schema, chunk))
    return SearchHit(
        id=hit["_id"],
        score=_score(hit) if score is None else score,
        text=stored_text(source, schema),
        metadata=metadata_of(source, schema),
        source=source,
        index=hit["_index"],
        model=source.get(schema.model_field),
        embedding=source.get(schema.embedding_field),
        matches=matches,
        legs=legs,
        chunk=chunk,
        group_hits=tuple(parse_hit(row, schema, explained) for row in group_rows(hit)),
    )


def scored_vector(source: Mapping[str, Any], schema: IndexSchema, chunk: ChunkHit | None) -> SparseVector:
    """Return the vector that a hit was scored by: that of the document, or of its best chunk."""
    if not schema.has_chunks:
        return vector_of(source, schema) or SparseVector()
    chunks = chunks_of(source, schema) if chunk is not None else None
    if chunk is None or chunks is None:
        return SparseVector()
    vector = chunks[chunk.number].vector
    return vector if isinstance(vector, SparseVector) else SparseVector(vector)


def group_rows(hit: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the documents of a hit's value, as the server sent them."""
    rows: Sequence[Mapping[str, Any]] = hit.get("inner_hits", {}).get(GROUP, {}).get("hits", {}).get("hits", ())
    return rows


def _score(hit: Mapping[str, Any]) -> float:
    return nan if hit["_score"] is None else hit["_score"]


def _without(hit: Mapping[str, Any], dropped: Sequence[str]) -> Mapping[str, Any]:
    if not dropped:
        return hit
    return {**hit, "_source": {name: value for name, value in hit.get("_source", {}).items() if name not in dropped}}
