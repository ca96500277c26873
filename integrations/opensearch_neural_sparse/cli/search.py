"""`opensearch-neural-sparse search`: what an index finds."""

import json as json_module
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import IndexArgument, ModelOption
from opensearch_neural_sparse.cli.output import JsonOption, print_json

if TYPE_CHECKING:
    from opensearch_neural_sparse.search.hits import SearchHit, SearchHits

SHOWN_CHARACTERS = 200


def read_filter(value: str) -> Any:
    """Read a filter.

    Raises:
        BadParameter: No JSON, or not a query clause or a list of such.
    """
    from opensearch_neural_sparse.errors import FilterSyntaxError
    from opensearch_neural_sparse.search.filters import filter_clauses

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
    filter: Annotated[  # noqa: A002
        Any,
        typer.Option(
            parser=read_filter, metavar="JSON", help='A query clause, such as \'{"term": {"lang": "en"}}\', or a list.'
        ),
    ] = None,
    hybrid: Annotated[bool, typer.Option("--hybrid", help="Fuse it with a search by words (BM25).")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show which tokens matched.")] = False,
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Search an index by sparse vectors."""
    with connection.store(index, model=model) as store:
        ask = store.hybrid_search if hybrid else store.search
        hits = ask(query, size=size, filter=filter, explain=explain)
    if json:
        print_json(as_json(hits))
        return
    for place, hit in enumerate(hits, start=1):
        show(place, hit, explain)
    counted = "" if hits.total_is_exact else "at least "
    typer.echo(f"{len(hits)} of {counted}{hits.total} hits, {hits.took_ms} ms.", err=True)


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
    """Print a hit: rank, id, score and the beginning of what was found."""
    found = hit.chunk.text if hit.chunk is not None else hit.text
    text = " ".join((found or "").split())
    shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} ..."
    typer.echo(f"{place}. {hit.id}  {hit.score:.4f}\n   {shown}")
    if explain:
        typer.echo("\n".join(f"   {line}" for line in hit.explain().splitlines()[1:]))
