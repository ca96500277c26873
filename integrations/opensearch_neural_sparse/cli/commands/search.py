"""`opensearch-neural-sparse search`: search of an index."""

import json as json_module
from dataclasses import asdict, replace
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import (
    EncoderUrlOption,
    IndexArgument,
    ModelsOption,
    encoder_options,
    usage_errors,
)
from opensearch_neural_sparse.cli.output import JsonOption, print_json
from opensearch_neural_sparse.cli.remedies import in_shell_words
from opensearch_neural_sparse.cli.shown_profile import show_profile
from opensearch_neural_sparse.search.options.fusion import Combination, Normalization

if TYPE_CHECKING:
    from opensearch_neural_sparse.search.options.search_options import SearchOptions
    from opensearch_neural_sparse.search.options.server_query import ServerQuery
    from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

SHOWN_CHARACTERS = 200


def read_filter(value: str) -> Any:
    """Parse a filter.

    Raises:
        BadParameter: No JSON, or not a query clause or a list of such.
    """
    from opensearch_neural_sparse.errors import FilterSyntaxError
    from opensearch_neural_sparse.search.filters.filter_clauses import filter_clauses

    try:
        return filter_clauses(json_module.loads(value))
    except json_module.JSONDecodeError as error:
        raise typer.BadParameter(f'It is not JSON, as {{"term": {{"lang": "en"}}}} is: {error}.') from None
    except FilterSyntaxError as error:
        raise typer.BadParameter(in_shell_words(error)) from None


@connected
def search(
    connection: Connection,
    index: IndexArgument,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Text of the query.")],
    size: Annotated[int, typer.Option(min=1, max=10000, metavar="N", help="Maximum number of hits.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=9999, metavar="N", help="Number of hits to skip.")] = 0,
    filter: Annotated[  # noqa: A002
        Any,
        typer.Option(
            parser=read_filter, metavar="JSON", help='A query clause, such as \'{"term": {"lang": "en"}}\', or a list.'
        ),
    ] = None,
    hybrid: Annotated[bool, typer.Option("--hybrid", help="Fuse sparse search with BM25.")] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="W,W", help="With --hybrid: weights of BM25 and sparse search, summing to 1, as in 0.3,0.7."
        ),
    ] = None,
    normalization: Annotated[
        Normalization | None,
        typer.Option(help="With --hybrid: fuse normalised scores instead of ranks.", show_default="ranks"),
    ] = None,
    combination: Annotated[
        Combination | None,
        typer.Option(help="With --normalization: mean of the scores.", show_default="arithmetic_mean"),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="With --hybrid: language of the query, one of the index's.",
            show_default="the best of all languages",
        ),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the matched tokens.")] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show what was sent, and how long each part took.")
    ] = False,
    server_model_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Model or tokenizer in the server that encodes the query.")
    ] = None,
    server_analyzer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Analyzer that encodes the query, such as bert-uncased.")
    ] = None,
    models: ModelsOption = None,
    encoder_url: EncoderUrlOption = None,
    json: JsonOption = False,
) -> None:
    """Search an index by sparse vectors."""
    from opensearch_neural_sparse.search.options.search_options import HybridOptions

    by = read_server_query(server_model_id, server_analyzer)
    fusion: dict[str, Any] = {"weights": weights, "normalization": normalization, "combination": combination}
    options = replace(read_fusion(hybrid, by, language=language, **fusion), profile=profile)
    with connection.store(index, models=models or (), encoder_options=encoder_options(encoder_url)) as store:
        open_ms = open_first(store, by) if profile else 0.0
        wanted: dict[str, Any] = {"size": size, "offset": offset, "filter": filter, "explain": explain}
        if isinstance(options, HybridOptions):
            hits = store.hybrid_search(query, options=options, **wanted)
        else:
            hits = store.search(query, options=options, **wanted)
    if json:
        print_json(as_json(hits, open_ms))
        return
    for place, hit in enumerate(hits, start=offset + 1):
        show(place, hit, explain)
    if hits.profile is not None:
        show_profile(hits.profile, open_ms)
    counted = "" if hits.total_is_exact else "at least "
    typer.echo(f"{len(hits)} of {counted}{hits.total} hits, {hits.took_ms} ms.", err=True)


def read_server_query(model_id: str | None, analyzer: str | None) -> "ServerQuery | None":
    """Return what in the server encodes the query; None where it is not said.

    Raises:
        BadParameter: Both a model and an analyzer, or a blank one.
    """
    from opensearch_neural_sparse.search.options.server_query import ServerQuery

    if model_id is None and analyzer is None:
        return None
    with usage_errors("--server-model-id --server-analyzer"):
        return ServerQuery(model_id=model_id, analyzer=analyzer)


def read_fusion(
    hybrid: bool,
    server_query: "ServerQuery | None" = None,
    *,
    weights: str | None,
    language: str | None = None,
    **choices: Any,
) -> "SearchOptions":
    """Return the options of a hybrid search, or those of sparse search alone.

    Raises:
        BadParameter: It is given without --hybrid, or is out of range.
    """
    from opensearch_neural_sparse.search.options.legs import Bm25Leg, SparseLeg
    from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions

    asked = {"weights": weights, **choices, "language": language}
    given = {name: value for name, value in asked.items() if value is not None}
    if given and not hybrid:
        name = next(iter(given))
        says = "what language words are in" if name == "language" else "how to fuse two searches"
        raise typer.BadParameter(f"It says {says}; add --hybrid.", param_hint=f"--{name}")
    with usage_errors(" ".join(f"--{name}" for name in given)):
        if language is not None:
            given["legs"] = (Bm25Leg(language=given.pop("language")), SparseLeg())
        if weights is not None:
            given["weights"] = [float(weight) for weight in weights.split(",")]
        kind = HybridOptions if hybrid else SearchOptions
        return kind(server_query=server_query, **given)


def open_first(store: "NeuralSparseStore", by: "ServerQuery | None") -> float:
    """Open an index before its search, and return the milliseconds that it took.

    Args:
        store: The store of the index.
        by: What in the server encodes the query, or None.
    """
    begin = perf_counter()
    store.open(unbound=by is not None)
    return 1000 * (perf_counter() - begin)


def as_json(hits: "SearchHits", open_ms: float = 0.0) -> dict[str, Any]:
    """Return hits as JSON values.

    Args:
        hits: The hits.
        open_ms: Milliseconds that were spent on opening the index before the search.
    """
    profile = None if hits.profile is None else {"open_ms": open_ms, **hits.profile.to_dict()}
    if profile is not None:
        profile["total_ms"] += open_ms
    return {
        "total": hits.total,
        "total_is_exact": hits.total_is_exact,
        "took_ms": hits.took_ms,
        "fusion": hits.fusion,
        "profile": profile,
        "hits": [hit_as_json(hit) for hit in hits],
    }


def hit_as_json(hit: "SearchHit") -> dict[str, Any]:
    """Return a hit as JSON values."""
    chunk = None if hit.chunk is None else {"start": hit.chunk.start, "end": hit.chunk.end, "score": hit.chunk.score}
    return {
        "id": hit.id,
        "index": hit.index,
        "score": hit.score,
        "text": hit.text,
        "metadata": dict(hit.metadata),
        "chunk": chunk,
        "matches": None if hit.matches is None else [asdict(match) for match in hit.matches],
        "legs": None if hit.legs is None else {name: leg.to_dict() for name, leg in hit.legs.items()},
    }


def show(place: int, hit: "SearchHit", explain: bool) -> None:
    """Print a hit: rank, id, score and the beginning of its text or chunk."""
    found = hit.chunk.text if hit.chunk is not None else hit.text
    text = " ".join((found or "").split())
    shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
    typer.echo(f"{place}. {hit.id}  {hit.score:.4f}\n   {shown}")
    if explain:
        typer.echo("\n".join(f"   {line}" for line in hit.explain().splitlines()[1:]))
