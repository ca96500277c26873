"""Faults of the network under every operation, blocking and awaited: a right result, or an error that says why."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import opensearch_neural_sparse as core
from tests.campaigns.attempts import attempt
from tests.campaigns.campaign import Campaign
from tests.campaigns.stores import Doors, doors, indices
from tests.campaigns.tally import Outcome, Tally
from tests.faulty_proxy import Fault, FaultyProxy, Schedule, always, at_random, listed

FAULTS = [fault for fault in Fault if fault is not Fault.PASS]
CLIENT: dict[str, Any] = {"timeout": 1.0, "max_retries": 1}
WRITE = core.WriteOptions(
    batch_size=5, in_flight=2, max_retries=1, initial_backoff=0.01, max_backoff=0.02, request_timeout=1.0
)
SECONDS = 30.0
"""Time limit: the longest operation sends some ten requests of a second each, each of them twice."""
HELD = 20
"""Documents that the index holds before."""
Check = Callable[["Context", Any], Outcome | None]


@dataclass(frozen=True)
class Context:
    """What an attempt works on: doors through the proxy, the names of its own documents, and the truth."""

    doors: Doors
    truth: core.NeuralSparseStore
    mark: str

    def rows(self, count: int = 12) -> list[dict[str, Any]]:
        """Return documents of this attempt alone."""
        return [
            {"id": f"{self.mark}-{number}", "text": f"planet {number}", "metadata": {"mark": self.mark}}
            for number in range(count)
        ]

    def stored(self) -> set[str]:
        """Return the ids of this attempt's documents that the server has."""
        self.truth.refresh()
        return {each.id or "" for each in self.truth.scan({"term": {"mark": self.mark}})}


@dataclass(frozen=True)
class Operation:
    """An operation: its name, the method and the arguments, and what its result must be.

    Attributes:
        name: Its name.
        call: Calls it on a store: blocking returns the result, awaited a coroutine.
        check: Says what is wrong with its result, or with the report of its error.
    """

    name: str
    call: Callable[[Any, Context], Any]
    check: Check = lambda context, result: None


def _report_is_true(context: Context, report: core.BulkReport) -> Outcome | None:
    """Whether everything that a report calls written is there, and what it calls failed is not."""
    stored, every = context.stored(), {row["id"] for row in context.rows()}
    failed, unknown = {each.id for each in report.failed}, set(report.unknown)
    certain = every - failed - unknown
    lost = bool(certain - stored) or report.written != len(certain) or bool(failed & stored)
    return Outcome.SILENT_LOSS if lost else None


def _number(expected: int) -> Check:
    return lambda context, result: None if result == expected else Outcome.SILENT_LOSS


def _counted(expected: int) -> Check:
    return lambda context, result: _number(expected)(context, len(result))


def _hits(context: Context, hits: Any) -> Outcome | None:
    return None if len(hits) == 5 and hits.total >= HELD else Outcome.SILENT_LOSS


def _many(context: Context, result: Any) -> Outcome | None:
    return None if len(result) == 2 and not any(_hits(context, each) for each in result) else Outcome.SILENT_LOSS


def _loaded(context: Context, report: core.LoadReport) -> Outcome | None:
    stored = context.stored()
    letters = {letter.id for letter in report.letters}
    every = {row["id"] for row in context.rows()} - letters - set(report.unknown)
    if report.complete:
        return None if every <= stored and report.written == len(every) else Outcome.SILENT_LOSS
    return Outcome.SILENT_LOSS if report.written > len(stored) + len(report.unknown) else None


def _delete_matching(store: Any, context: Context) -> Any:
    return store.delete_matching({"term": {"mark": context.mark}}, timeout=3)


HELD_FILTER = {"term": {"mark": "held"}}
OPERATIONS = [
    Operation("search", lambda store, _: store.search("planet", size=5, filter=HELD_FILTER), _hits),
    Operation("hybrid_search", lambda store, _: store.hybrid_search("planet", size=5, filter=HELD_FILTER), _hits),
    Operation("match_search", lambda store, _: store.match_search("planet", size=5, filter=HELD_FILTER), _hits),
    Operation("search_many", lambda store, _: store.search_many(["planet"] * 2, size=5, filter=HELD_FILTER), _many),
    Operation("count", lambda store, _: store.count(HELD_FILTER), _number(HELD)),
    Operation("get", lambda store, _: store.get([f"held-{n}" for n in range(HELD)]), _counted(HELD)),
    Operation("write", lambda store, context: store.write(iter(context.rows()), options=WRITE), _report_is_true),
    Operation("ingest", lambda store, context: store.ingest(_load(context), options=WRITE), _loaded),
    Operation("delete", lambda store, context: store.delete([f"{context.mark}-none"]), _number(0)),
    Operation("update_metadata", lambda store, _: store.update_metadata({"held-1": {"n": 1}}, options=WRITE)),
    Operation("delete_matching", _delete_matching, _number(0)),
    Operation("refresh", lambda store, _: store.refresh()),
    Operation("open", lambda store, _: store.open()),
    Operation("server", lambda store, _: store.server()),
    Operation("declare_metadata", lambda store, _: store.declare_metadata({"n": 1})),
    Operation("load_target", lambda store, _: store.load_target("x")),
]  # fmt: skip


def _load(context: Context) -> core.Load:
    return core.Load([core.SparseDocument.of(row) for row in context.rows()])


LAYERS = {
    "haystack filter_documents": lambda these: these.haystack(timeout=1, max_retries=1).filter_documents(
        {"field": "meta.mark", "operator": "==", "value": "held"}
    ),
    "haystack count_documents": lambda these: these.haystack(timeout=1, max_retries=1).count_documents(),
    "langchain similarity_search": lambda these: these.langchain().similarity_search("planet", k=5, filter=HELD_FILTER),
}
"""Calls of the layers, whose results are compared by their number."""


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Do a fault, drawn from a seed, to the requests of each operation in turn."""
    tally = Tally()
    for url in servers:
        with indices(url) as made, ExitStack() as stack:
            index = made.new()
            truth = Doors(url, index, stack).core()
            truth.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
            held = [{"id": f"held-{n}", "text": f"planet {n}", "metadata": {"mark": "held"}} for n in range(HELD)]
            truth.write(held)
            chance = random.Random(seed)
            for number, case in enumerate(islice(_cases(chance), count)):
                _attempt(tally, case, index, url, truth, f"a{number}")
    return tally


@dataclass(frozen=True)
class _Case:
    operation: Operation | str
    awaited: bool
    fault: Fault
    when: str
    schedule: Schedule


def _cases(chance: random.Random) -> Iterator[_Case]:
    """Yield every operation with every fault, in an order by chance."""
    ways: list[tuple[Operation | str, bool]] = [(each, way) for each in OPERATIONS for way in (False, True)]
    ways += [(name, False) for name in LAYERS]
    pairs = [(operation, awaited, fault) for operation, awaited in ways for fault in FAULTS]
    chance.shuffle(pairs)
    for operation, awaited, fault in cycle(pairs):
        after = chance.choice((0, 0, 1, 2, 3))
        kinds: dict[str, Callable[[], Schedule]] = {
            f"always, after {after}": lambda fault=fault, after=after: always(fault, after=after),
            f"once, after {after}": lambda fault=fault, after=after: listed(*[Fault.PASS] * after, fault),
            "half of the time": lambda fault=fault: at_random(chance.randrange(1000), 0.5, [fault]),
        }
        when = chance.choice(list(kinds))
        yield _Case(operation, awaited, fault, when, kinds[when]())


def _attempt(tally: Tally, case: _Case, index: str, url: str, truth: core.NeuralSparseStore, mark: str) -> None:
    with FaultyProxy(url, case.schedule, drip_seconds=0.3) as proxy, doors(proxy.url, index, **CLIENT) as these:
        context = Context(these, truth, mark)
        name = case.operation if isinstance(case.operation, str) else case.operation.name
        shown = f"{'awaited' if case.awaited else 'blocking'} {name}: {case.fault}, {case.when}"
        if isinstance(case.operation, str):
            call = LAYERS[case.operation]
            attempt(tally, shown, lambda: len(call(these)) if "count" not in name else call(these), seconds=SECONDS)
            return
        operation = case.operation

        def checked(result: Any) -> Outcome | None:
            return operation.check(context, result)

        attempt(tally, shown, lambda: _called(operation, context, awaited=case.awaited), check=checked, seconds=SECONDS)


def _called(operation: Operation, context: Context, *, awaited: bool) -> Any:
    """Call an operation; an error that has a report is as good as the report, which is checked."""
    try:
        return _awaited(operation, context) if awaited else operation.call(context.doors.core(), context)
    except core.BulkWriteError as error:
        if operation.name != "write" or _report_is_true(context, error.report) is None:
            raise
        return error.report


async def _awaited(operation: Operation, context: Context) -> Any:
    async with context.doors.awaited() as store:
        try:
            return await operation.call(store, context)
        except core.BulkWriteError as error:
            if operation.name != "write" or _report_is_true(context, error.report) is None:
                raise
            return error.report


CAMPAIGN = Campaign("proxy", "Faults of the network x operations x blocking and awaited.", 700, 40, run)
