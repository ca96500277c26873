"""`opensearch-neural-sparse search`: search of an index."""

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import IndexArgument, ModelsOption, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_json
from opensearch_neural_sparse.search.options.fusion import Combination, Normalization

if TYPE_CHECKING:
    from opensearch_neural_sparse.search.options.search_options import HybridOptions
    from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits

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
        raise typer.BadParameter(str(error)) from None


@connected
def search(
    connection: Connection,
    index: IndexArgument,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="The text to search for.")],
    size: Annotated[int, typer.Option(min=1, max=10000, metavar="N", help="Most hits.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=9999, metavar="N", help="How many hits to skip.")] = 0,
    filter: Annotated[  # noqa: A002
        Any,
        typer.Option(
            parser=read_filter, metavar="JSON", help='A query clause, such as \'{"term": {"lang": "en"}}\', or a list.'
        ),
    ] = None,
    hybrid: Annotated[bool, typer.Option("--hybrid", help="Fuse it with a search by words (BM25).")] = False,
    weights: Annotated[
        str | None,
        typer.Option(metavar="W,W", help="With --hybrid: weights of words and tokens, summing to 1, as in 0.3,0.7."),
    ] = None,
    normalization: Annotated[
        Normalization | None,
        typer.Option(help="With --hybrid: fuse scores on one scale, rather than ranks.", show_default="ranks"),
    ] = None,
    combination: Annotated[
        Combination | None,
        typer.Option(help="With --normalization: which mean of the scores.", show_default="arithmetic_mean"),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show which tokens matched.")] = False,
    models: ModelsOption = None,
    json: JsonOption = False,
) -> None:
    """Search an index by sparse vectors."""
    options = read_fusion(hybrid, weights=weights, normalization=normalization, combination=combination)
    with connection.store(index, models=models or ()) as store:
        wanted: dict[str, Any] = {"size": size, "offset": offset, "filter": filter, "explain": explain}
        hits = store.hybrid_search(query, options=options, **wanted) if options else store.search(query, **wanted)
    if json:
        print_json(as_json(hits))
        return
    for place, hit in enumerate(hits, start=offset + 1):
        show(place, hit, explain)
    counted = "" if hits.total_is_exact else "at least "
    typer.echo(f"{len(hits)} of {counted}{hits.total} hits, {hits.took_ms} ms.", err=True)


def read_fusion(hybrid: bool, *, weights: str | None, **choices: Any) -> "HybridOptions | None":
    """Return the options of a hybrid search; None for sparse search alone.

    Raises:
        BadParameter: It is given without --hybrid, or is out of range.
    """
    from opensearch_neural_sparse.search.options.search_options import HybridOptions

    given = {name: value for name, value in {"weights": weights, **choices}.items() if value is not None}
    if given and not hybrid:
        raise typer.BadParameter("It says how to fuse two searches; add --hybrid.", param_hint=f"--{next(iter(given))}")
    with usage_errors(" ".join(f"--{name}" for name in given)):
        if weights is not None:
            given["weights"] = [float(weight) for weight in weights.split(",")]
        return HybridOptions(**given) if hybrid else None


def as_json(hits: "SearchHits") -> dict[str, Any]:
    """Return hits as JSON values."""
    return {
        "total": hits.total,
        "total_is_exact": hits.total_is_exact,
        "took_ms": hits.took_ms,
        "fusion": hits.fusion,
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
