"""A program that writes, changes, deletes, searches and reads through a store that it shares with others."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Fusion,
    HybridOptions,
    NeuralSparseError,
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
)
from tests.campaigns.attempts import described
from tests.campaigns.concurrency.judge import Judge
from tests.campaigns.concurrency.ledger import Ledger
from tests.campaigns.concurrency.models import QUERY, vector_of
from tests.campaigns.tally import Outcome, Tally

NOT_REFRESHED = WriteOptions(refresh=False, batch_size=4)
BY_CLIENT = HybridOptions(fusion=Fusion.CLIENT)
LARGEST_WRITE = 12


class Awaited:
    """A blocking store with the methods of the asynchronous one, so that a program is written once."""

    def __init__(self, store: NeuralSparseStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            return method(*arguments, **options)

        return call

    async def scan(self, **options: Any) -> Any:
        """Yield documents."""
        for document in self._store.scan(**options):
            yield document


@dataclass
class Actor:
    """One program; only it writes the ids that begin with its name.

    Attributes:
        name: Its name.
        store: The store, shared with the others.
        ledger: What was acknowledged, shared with the others.
        judge: Judges what is found.
        seed: Decides what it does.
        tally: What happened.
        errors: Kind of error -> how often it was met.
        done: Action -> how often it was taken.
    """

    name: str
    store: AsyncNeuralSparseStore | Awaited
    ledger: Ledger
    judge: Judge
    seed: str
    tally: Tally = field(default_factory=Tally)
    errors: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    _mine: list[str] = field(default_factory=list)
    _serial: int = 0

    async def act_until(self, end: float) -> None:
        """Take actions by chance, until a time of `monotonic`."""
        chance = random.Random(self.seed)
        actions = [self._write, self._delete, self._update, self._search, self._hybrid, self._match, self._scan]
        weights = [20, 8, 12, 25, 12, 12, 2]
        while monotonic() < end:
            [action] = chance.choices(actions, weights)
            await self._take(action, chance)

    async def _take(self, action: Callable[[random.Random], Awaitable[list[str]]], chance: random.Random) -> None:
        label = action.__name__.strip("_")  # type: ignore[attr-defined]
        try:
            torn = await action(chance)
        except NeuralSparseError as error:
            kind = getattr(error, "error_type", "") or getattr(getattr(error, "report", None), "stopped", None) or ""
            self.errors[f"{type(error).__name__} {str(kind)[:40]}".strip()] += 1
            self.tally.add(Outcome.REFUSED, f"{label}: {error}")
        except Exception as error:  # noqa: BLE001  what is raw is what is looked for
            self.tally.add(Outcome.RAW_ERROR, f"{label}: {described(error)}")
        else:
            self.tally.add(Outcome.TORN if torn else Outcome.ACCEPTED, f"{label}: {'; '.join(torn)}")
        self.done[label] += 1

    async def _write(self, chance: random.Random) -> list[str]:
        info = await self.store.open_to_write()
        index, marker = info.uuids[str(info.write_index)], info.binding.marker if info.binding else None
        ids = [f"{self.name}-{self._serial + place}" for place in range(chance.randint(1, LARGEST_WRITE))]
        self._serial += len(ids)
        self.ledger.begin(index, ids)
        metadata = {"generation": index, "value": 0}
        documents = [
            SparseDocument(id=name, text=QUERY, metadata=metadata, vector=vector_of(name), model=marker) for name in ids
        ]
        await self.store.write(documents, info=info, options=NOT_REFRESHED)
        self.ledger.written(ids)
        self._mine += ids
        return []

    async def _delete(self, chance: random.Random) -> list[str]:
        if not self._mine:
            return []
        document_id = self._mine.pop(chance.randrange(len(self._mine)))
        self.ledger.deleting(document_id)
        self.ledger.deleted(document_id, await self.store.delete([document_id], refresh=False))
        return []

    async def _update(self, chance: random.Random) -> list[str]:
        if not self._mine:
            return []
        document_id, value = chance.choice(self._mine[-200:]), chance.randrange(1, 10**6)
        self.ledger.updating(document_id, value)
        await self.store.update_metadata({document_id: {"value": value}}, options=NOT_REFRESHED)
        self.ledger.updated(document_id, value)
        return []

    async def _search(self, chance: random.Random) -> list[str]:
        hits = await self.store.search(QUERY, size=chance.choice((3, 20)))
        return self.judge.torn_hits(hits, scored=True)

    async def _hybrid(self, chance: random.Random) -> list[str]:
        options = chance.choice((HybridOptions(), BY_CLIENT))
        return self.judge.torn_hits(await self.store.hybrid_search(QUERY, options=options), scored=False)

    async def _match(self, chance: random.Random) -> list[str]:
        return self.judge.torn_hits(await self.store.match_search(QUERY, size=chance.choice((3, 20))), scored=False)

    async def _scan(self, chance: random.Random) -> list[str]:
        size = chance.choice((50, 500))
        return self.judge.torn_documents([each async for each in self.store.scan(page_size=size)])
