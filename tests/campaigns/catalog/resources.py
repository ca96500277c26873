"""Memory, threads and descriptors over many writes and searches, by a blocking and an asynchronous store."""

from __future__ import annotations

import asyncio
import json
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import count as counted
from itertools import islice
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, SparseDocument, WriteOptions
from tests.campaigns.campaign import Campaign
from tests.campaigns.concurrency.actors import Awaited
from tests.campaigns.concurrency.models import QUERY, Model, vector_of, write_models
from tests.campaigns.resources.samples import Growth, Sample, growths, take_sample
from tests.campaigns.tally import Outcome, Tally

BATCH, IDS = 10, 400
"""Documents of a write, and different ids, so that the index stays small."""
SEARCHES = 0.4
"""Searches for each document that is written."""
SAMPLES = 40
LEFT_OPEN = {"threads": 1, "descriptors": 1}
"""What may be held after closing that was not before: a thread that is about to end, with its socket."""
WRITE = WriteOptions(refresh=False)


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Write and search on each server, half by either store; the count is of documents written."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, _ = write_models(Path(place))
        for number, url in enumerate(servers):
            for kind in ("blocking", "awaited"):
                part = _run_on(url, model, kind, count // 2)
                part.notes = {f"{name} {kind} {number + 1}": value for name, value in part.notes.items()}
                tally.merge(part)
    return tally


def _run_on(url: str, model: Model, kind: str, writes: int) -> Tally:
    tally, name = Tally(), f"campaign-{uuid.uuid4().hex}"
    work = _blocking if kind == "blocking" else _awaited
    with OpenSearch(url, timeout=60) as client:
        with NeuralSparseStore(name, client=client, model=model.name) as store:
            store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        try:
            work(url, name, 40, tally)  # what is loaded once is loaded
            before = take_sample(0)
            samples = work(url, name, writes, tally)
            after = take_sample(writes)
        finally:
            client.indices.delete(index=name, ignore_unavailable=True)
    found = growths(samples)
    for growth in found:
        tally.add(Outcome.ACCEPTED if growth.is_flat else Outcome.LEAK, f"{kind}: {growth}")
    for what, slack in LEFT_OPEN.items():
        left = getattr(after, what) - getattr(before, what)
        tally.add(Outcome.ACCEPTED if left <= slack else Outcome.LEAK, f"{kind}: {left} {what} stay after closing")
    tally.notes = {"fit": [_shown(growth) for growth in found], "before and after": [asdict(before), asdict(after)]}
    return tally


def _shown(growth: Growth) -> str:
    return json.dumps(asdict(growth))


def _blocking(url: str, index: str, writes: int, tally: Tally) -> list[Sample]:
    with NeuralSparseStore(index, url=url) as store:
        return asyncio.run(_work(Awaited(store), writes, tally))


def _awaited(url: str, index: str, writes: int, tally: Tally) -> list[Sample]:
    async def work() -> list[Sample]:
        async with AsyncNeuralSparseStore(index, url=url) as store:
            return await _work(store, writes, tally)

    return asyncio.run(work())


async def _work(store: Any, writes: int, tally: Tally) -> list[Sample]:
    """Write and search in turn, and return samples; each search is one of three kinds."""
    info = await store.open()
    kinds = (store.search, store.hybrid_search, store.match_search)
    numbers, samples, searched = counted(), [take_sample(0)], 0
    steps = max(1, writes // BATCH)
    for step in range(1, steps + 1):
        await store.write(_documents(islice(numbers, BATCH), info.binding.marker), options=WRITE)
        tally.counts[Outcome.ACCEPTED] += BATCH
        while searched < step * BATCH * SEARCHES:
            await kinds[searched % len(kinds)](QUERY, size=5)
            tally.add(Outcome.ACCEPTED)
            searched += 1
        if step * SAMPLES // steps > (step - 1) * SAMPLES // steps:
            samples.append(take_sample(step * BATCH + searched))
    return samples


def _documents(numbers: Iterator[int], marker: str) -> list[SparseDocument]:
    names = [str(number % IDS) for number in numbers]
    return [SparseDocument(id=name, text=QUERY, vector=vector_of(name), model=marker) for name in names]


CAMPAIGN = Campaign(
    "resources",
    "Memory, threads and descriptors over writes and searches; the count is of documents written.",
    planned=50_000,
    short=200,
    run=run,
)
