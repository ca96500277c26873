"""Choice between fusion by the server and by the client."""

from __future__ import annotations

from typing import Any, NamedTuple

from opensearch_neural_sparse.errors import UnsupportedServerError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.fusion.pipelines import normalization_pipeline, rrf_pipeline
from opensearch_neural_sparse.search.options.fusion import Fusion
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo

_MIN_SCORE_SINCE, _COLLAPSE_SINCE, _CHUNKS_SINCE = (3, 5, 0), (3, 6, 0), (3, 0, 0)


class FusionChoice(NamedTuple):
    """Choice of who fuses.

    Attributes:
        by: The server or the client.
        reason: Why the client does it, or None.
    """

    by: Fusion
    reason: str | None = None


def choose_fusion(
    server: ServerInfo, index: str, state: IndexInfo, options: HybridOptions, *, chunks: bool = False
) -> FusionChoice:
    """Choose the fusion: by the options, else the server's if it is available and correct.

    Args:
        server: The server that is asked.
        index: The name that is searched.
        state: What is behind it.
        options: How to fuse.
        chunks: Whether documents are found by their best chunks.

    Raises:
        UnsupportedServerError: The server has to fuse, and cannot or would compute it wrong.
    """
    if options.fusion is Fusion.CLIENT:
        return FusionChoice(Fusion.CLIENT, "The options ask the client for it.")
    try:
        _check_server(server, index, state, options)
        if chunks:
            server.require(_CHUNKS_SINCE, "Hybrid search fused by the server, with the best chunks of documents")
    except UnsupportedServerError as error:
        if options.fusion is Fusion.SERVER or options.beyond_client is not None:
            raise
        return FusionChoice(Fusion.CLIENT, str(error))
    return FusionChoice(Fusion.SERVER)


def fusing_pipeline(server: ServerInfo, options: HybridOptions) -> dict[str, Any]:
    """Return the inline search pipeline of the server's fusion.

    Raises:
        UnsupportedServerError: The server lacks what was asked for.
    """
    if options.normalization is None:
        return rrf_pipeline(server, rank_constant=options.rank_constant, weights=options.weights)
    return normalization_pipeline(
        server,
        normalization=options.normalization,
        combination=options.combination,
        weights=options.weights,
        lower_bounds=options.lower_bounds,
        upper_bounds=options.upper_bounds,
    )


def wrong_ranks(server: ServerInfo, found: str) -> UnsupportedServerError:
    """Return the error of a server that ranks per shard."""
    return UnsupportedServerError(
        "Hybrid search fused by the server over more than one shard",
        found=f"{server} with {found}",
        required="OpenSearch 3.5 or later",
        reason="Earlier versions rank each shard separately, so fused scores are wrong. "
        "HybridOptions(fusion='client') ranks over all shards.",
    )


def refuse_document_security(server: ServerInfo, index: str, options: HybridOptions) -> None:
    """Raise UnsupportedServerError where the server has to fuse, for a login that may see some documents alone.

    Args:
        server: The server that refused its own hybrid query.
        index: The name that is searched.
        options: How to fuse.
    """
    beyond = options.beyond_client
    if options.fusion is not Fusion.SERVER and beyond is None:
        return
    way_out = "HybridOptions(fusion='auto')" if beyond is None else f"A fusion of ranks, without {beyond},"
    raise UnsupportedServerError(
        "Hybrid search fused by the server",
        found=f"{server} with document-level security on index {index!r} for this login",
        required="a login without document-level security",
        reason=f"It wraps every query in a filter, which a hybrid query does not allow. {way_out} "
        "lets the client fuse the documents that the login may see.",
    )


def _check_server(server: ServerInfo, index: str, state: IndexInfo, options: HybridOptions) -> None:
    server.require_version_told("Hybrid search fused by the server")
    server.require_plugin(NEURAL_SEARCH, "Hybrid search fused by the server")
    if options.normalization is None and not server.ranks_across_shards:
        if state.shards > 1:
            raise wrong_ranks(server, f"{state.shards} shards of {', '.join(state.indices)}")
        if state.indices != (index,) and options.fusion is Fusion.AUTO:
            raise wrong_ranks(server, f"an alias, {index}, that may later cover several shards")
    if options.two_phase is not None:
        raise UnsupportedServerError(
            "Two-phase search in a hybrid search",
            found=str(server),
            required="fusion by the client",
            reason="The server's two-phase processor does not reach the legs of a hybrid query. Leave fusion at "
            "'auto', without normalization.",
        )
    if options.min_score is not None:
        server.require(_MIN_SCORE_SINCE, "A minimum fused score (min_score)")
    if options.collapsed is not None and not options.collapsed.groups:
        server.require(_COLLAPSE_SINCE, "A collapsed hybrid search")
    fusing_pipeline(server, options)
