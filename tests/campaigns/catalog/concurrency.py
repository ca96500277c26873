"""Ten threads and ten tasks on one name, while its alias moves and its indices are made again by other models."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import uuid
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.helpers import scan

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore
from tests.campaigns.campaign import Campaign
from tests.campaigns.concurrency.actors import Actor, Awaited
from tests.campaigns.concurrency.judge import Judge
from tests.campaigns.concurrency.ledger import Ledger
from tests.campaigns.concurrency.models import write_models
from tests.campaigns.concurrency.slots import Slots
from tests.campaigns.tally import Outcome, Tally

THREADS = TASKS = 10


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Let programs work on one name of each server for some seconds, and compare what is there with what they know."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = write_models(Path(place))
        for number, url in enumerate(servers):
            with OpenSearch(url, timeout=60, pool_maxsize=4) as client:
                slots = Slots(client, f"campaign-{uuid.uuid4().hex}", models)
                try:
                    part = _run_on(slots, url, seed, count)
                finally:
                    slots.remove()
            part.notes = {f"{name} {number + 1}": value for name, value in part.notes.items()}
            tally.merge(part)
    return tally


def _run_on(slots: Slots, url: str, seed: int, seconds: float) -> Tally:
    ledger = Ledger()
    queries = {marker: model.query for marker, model in slots.make().items()}
    judge, end, checked = Judge(queries, ledger.is_acknowledged), monotonic() + seconds, Tally()
    slots.before_deletion = partial(_check_before_deletion, slots, ledger, checked)
    with NeuralSparseStore(slots.alias, url=url) as store:
        blocking = [_actor(f"thread{n}", Awaited(store), ledger, judge, seed) for n in range(THREADS)]
        awaited: list[Actor] = []
        threads = [threading.Thread(target=_in_thread, args=(actor, end)) for actor in blocking]
        threads.append(threading.Thread(target=_in_tasks, args=(url, slots.alias, awaited, ledger, judge, seed, end)))
        for thread in threads:
            thread.start()
        slots.change_until(end, seed)
        for thread in threads:
            thread.join()
    return _summary(slots, ledger, [*blocking, *awaited], checked)


def _actor(name: str, store: Any, ledger: Ledger, judge: Judge, seed: int) -> Actor:
    return Actor(name, store, ledger, judge, seed=f"{seed} {name}")


def _in_thread(actor: Actor, end: float) -> None:
    asyncio.run(actor.act_until(end))


def _in_tasks(url: str, alias: str, actors: list[Actor], ledger: Ledger, judge: Judge, seed: int, end: float) -> None:
    async def work() -> None:
        async with AsyncNeuralSparseStore(alias, url=url) as store:
            actors.extend(_actor(f"task{n}", store, ledger, judge, seed) for n in range(TASKS))
            await asyncio.gather(*(actor.act_until(end) for actor in actors))

    asyncio.run(work())


def _check_before_deletion(slots: Slots, ledger: Ledger, tally: Tally, name: str) -> None:
    index = slots.uuids()[name]
    before = ledger.certain(index)
    slots.client.indices.refresh(index=name)
    for wrong in ledger.check_under_way(before, index, _documents(slots, name)):
        tally.add(Outcome.SILENT_LOSS, f"{name}: {wrong}")
    tally.notes["looked for"] = len(before) + int(str(tally.notes.get("looked for", 0)))


def _documents(slots: Slots, name: str) -> dict[str, int]:
    rows = scan(slots.client, index=name, query={"_source": ["value"]}, size=2000)
    return {row["_id"]: row["_source"].get("value", -1) for row in rows}


def _summary(slots: Slots, ledger: Ledger, actors: Sequence[Actor], checked: Tally) -> Tally:
    tally, errors, done = Tally(), Counter[str](), Counter[str]()
    tally.merge(checked)
    for actor in actors:
        tally.merge(actor.tally)
        errors.update(actor.errors)
        done.update(actor.done)
    certain = int(str(checked.notes.get("looked for", 0)))
    slots.client.indices.refresh(index=",".join(slots.names))
    for name, index in slots.uuids().items():
        certain += len(ledger.certain(index))
        for wrong in ledger.check(index, _documents(slots, name)):
            tally.add(Outcome.SILENT_LOSS, f"{name}: {wrong}")
    tally.notes = {
        "actions": dict(done),
        "errors": dict(errors),
        "switches": slots.switches,
        "recreations": slots.recreations,
        "indices without a layout": slots.bare,
        "documents that had to be there, looked for one by one": certain,
    }
    return tally


CAMPAIGN = Campaign(
    "concurrency",
    "Ten threads and ten tasks on one name, which moves between models; the count is seconds.",
    planned=300,
    short=5,
    run=run,
)
