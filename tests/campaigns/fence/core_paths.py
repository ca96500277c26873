"""Search paths of the core's stores, blocking and awaited, and of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from typer.testing import CliRunner

from opensearch_neural_sparse import (
    Bm25Leg,
    Collapse,
    CustomSearch,
    DenseLeg,
    FieldBoost,
    Fusion,
    HybridOptions,
    HybridSearch,
    MatchSearch,
    MetadataSearch,
    RequestOptions,
    Rerank,
    SearchOptions,
    SparseLeg,
    SparseSearch,
    TwoPhase,
)
from opensearch_neural_sparse.cli.app import app
from tests.campaigns.fence.paths import Call, Path
from tests.campaigns.fence.site import CANARY, DENSE, QUERY, Spy
from tests.paths import SMALL_MODEL

MANY = 50
FENCES: tuple[Any, ...] = (
    {"term": {"team": "all"}},
    {"bool": {"must_not": [{"term": {"team": "board"}}]}},
    [{"terms": {"team": ["all"]}}, {"range": {"year": {"lt": 2024}}}],
)
ALL_LEGS = (Bm25Leg(), SparseLeg(), DenseLeg(vector=DENSE))
Options = Callable[[Call], SearchOptions]
SPARSE: dict[str, Options] = {
    "": lambda call: SearchOptions(),
    " aggregations": lambda call: SearchOptions(aggregations=call.draw("aggregations")),
    " collapse": lambda call: SearchOptions(collapse="group"),
    " groups": lambda call: SearchOptions(collapse=Collapse("group", size=20)),
    " boosts": lambda call: SearchOptions(boosts=[FieldBoost(field="year", factor=1000)]),
    " two-phase": lambda call: SearchOptions(two_phase=TwoPhase()),
    " request": lambda call: SearchOptions(request=RequestOptions(preference="_local,*", routing="hidden-4,open-0")),
}
HYBRID: dict[str, Callable[[Call], HybridOptions]] = {
    "": lambda call: HybridOptions(),
    " client": lambda call: HybridOptions(fusion=Fusion.CLIENT, aggregations=call.draw("aggregations")),
    " dense": lambda call: HybridOptions(legs=ALL_LEGS),
    " normalized": lambda call: HybridOptions(normalization="min_max", min_score=-1.0),
    " aggregations": lambda call: HybridOptions(aggregations=call.draw("aggregations")),
    " groups": lambda call: HybridOptions(collapse=Collapse("group", size=20), boosts=[FieldBoost(field="year")]),
    " collapse": lambda call: HybridOptions(collapse="group", legs=ALL_LEGS),
}
METADATA = ("label", "group", "team", "year")
"""Fields of which values of secret documents would be found."""
BODY = {
    "size": MANY,
    "query": {"bool": {"must": ["$sparse"], "filter": ["$filters"]}},
    "highlight": {"fields": {"*": {}}},
    "track_total_hits": True,
}


def core_paths() -> Iterator[Path]:
    """Yield the paths of both stores, and of the command line."""
    for kind, store in (("NeuralSparseStore", _blocking), ("AsyncNeuralSparseStore", _awaited)):
        for method, label, arguments in _calls():
            name = f"{kind}.{method}"
            yield Path(f"{name}{label}", (name,), FENCES, partial(store, method, arguments))
    yield Path("cli search", ("cli.search",), FENCES, partial(_shell, ("--json", "--explain")))
    yield Path("cli search --hybrid", ("cli.search",), FENCES, partial(_shell, ("--hybrid", "--explain")))


class CommandRefusedError(Exception):
    """What a command prints where it is refused."""


Arguments = Callable[[Call], tuple[Any, dict[str, Any]]]


def _calls() -> Iterator[tuple[str, str, Arguments]]:
    for label, options in SPARSE.items():
        yield "search", label, lambda call, options=options: (QUERY, _page(call, options=options(call)))
        yield (
            "search_many",
            label,
            lambda call, options=options: (
                [QUERY, call.site.vector],
                _page(call, options=options(call)),
            ),
        )
        yield (
            "run",
            f" sparse{label}",
            lambda call, options=options: (
                SparseSearch(call.site.vector, **_page(call, options=options(call))),
                {},
            ),
        )
    for label, hybrid in HYBRID.items():
        yield "hybrid_search", label, lambda call, hybrid=hybrid: (QUERY, _page(call, options=hybrid(call)))
        yield (
            "run",
            f" hybrid{label}",
            lambda call, hybrid=hybrid: (
                HybridSearch(QUERY, **_page(call, options=hybrid(call))),
                {},
            ),
        )
    yield "match_search", "", lambda call: (QUERY, {"size": MANY, "filter": call.joined})
    yield (
        "match_search",
        " aggregations",
        lambda call: (
            QUERY,
            {"size": MANY, "filter": call.joined, "aggregations": call.draw("aggregations")},
        ),
    )
    yield "run", " match", lambda call: (MatchSearch(QUERY, size=MANY, filter=call.joined), {})
    yield "custom_search", "", lambda call: (BODY, {"query": QUERY, "filter": call.joined})
    yield "run", " custom", lambda call: (CustomSearch(BODY, query=QUERY, filter=call.joined), {})
    for text in (QUERY, "note, board, group 0, 2030", f"{CANARY}, *, $filters"):
        yield "search_metadata", f" {text}", partial(_metadata, text)
    yield "scan", "", lambda call: (call.joined, {"page_size": 7, "preference": "_local"})
    yield "count", "", lambda call: (call.joined, {})


def _metadata(text: str, call: Call) -> tuple[Any, dict[str, Any]]:
    return MetadataSearch(text, fields=METADATA, size=MANY, filter=call.joined), {}


def _page(call: Call, options: SearchOptions) -> dict[str, Any]:
    return {"size": MANY, "filter": call.joined, "options": options, "explain": True, "with_embedding": True}


def _spied(arguments: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any], Spy]:
    """Return arguments with a reranker that keeps what it reads, where options can have one."""
    first, named = arguments
    spy = Spy()
    options = named.get("options")
    if options is not None and options.collapse is None and isinstance(first, str):
        named = {**named, "options": replace(options, rerank=Rerank(spy))}
    return first, named, spy


def _counted(method: str, result: Any, spy: Spy) -> Any:
    return [{"count": result} if method == "count" else result, spy.read]


def _blocking(method: str, arguments: Arguments, call: Call) -> Any:
    first, named, spy = _spied(arguments(call))
    result = getattr(call.site.store(call.name), method)(first, **named)
    return _counted(method, list(result) if method == "scan" else result, spy)


async def _awaited(method: str, arguments: Arguments, call: Call) -> Any:
    first, named, spy = _spied(arguments(call))
    searching = getattr(call.site.awaited(call.name), method)(first, **named)
    result = [each async for each in searching] if method == "scan" else await searching
    return _counted(method, result, spy)


def _shell(options: tuple[str, ...], call: Call) -> Any:
    arguments = ["search", call.name, QUERY, "--url", call.site.url, "--model", str(SMALL_MODEL), *options]
    result = CliRunner().invoke(app, [*arguments, "--size", str(MANY), "--filter", json.dumps(call.joined)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    if result.exit_code:
        raise CommandRefusedError(result.stderr)
    return [result.stdout, result.stderr]
