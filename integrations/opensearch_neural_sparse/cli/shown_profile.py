"""Profile of a search, as the command line shows it: a table of times, and the bodies."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from opensearch_neural_sparse.cli.output import print_columns

if TYPE_CHECKING:
    from opensearch_neural_sparse.search.results.search_profile import ProfiledSearch, SearchProfile

Row = tuple[str, str | None, int | None]


def show_profile(profile: "SearchProfile", open_ms: float = 0.0) -> None:
    """Print the times of a search, then each search as it was sent.

    Args:
        profile: The profile.
        open_ms: Milliseconds that were spent on opening the index before the search.
    """
    typer.echo()
    print_columns([("part", "client ms", "server ms"), *_rows(profile, open_ms)])
    for search in profile.searches:
        parameters = "".join(f" {name}={value}" for name, value in search.params.items())
        typer.echo(f"\n{_named(search)}: /{search.index}/_search{parameters}")
        typer.echo(json.dumps(search.body, indent=2))


def _rows(profile: "SearchProfile", open_ms: float) -> Iterator[Row]:
    yield "open index", _shown(open_ms), None
    yield "encode", _shown(profile.encode_ms), None
    for request in profile.requests:
        unused = "" if request.used else " (the index changed)"
        yield f"{request.path}{unused}", _shown(request.answer_ms), request.took_ms
        if len(request.searches) > 1:
            for search in request.searches:
                yield f"  {_named(search)}", None, search.took_ms
    yield "read", _shown(profile.read_ms), None
    yield "rerank", _shown(profile.rerank_ms), None
    yield "other", _shown(profile.other_ms), None
    yield "total", _shown(open_ms + profile.total_ms), None


def _named(search: "ProfiledSearch") -> str:
    return f"{search.purpose} ({', '.join(search.legs)})" if search.legs else search.purpose


def _shown(milliseconds: float | None) -> str | None:
    return None if milliseconds is None else f"{milliseconds:.1f}"
