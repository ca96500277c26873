"""Hostile documents through core, Haystack and LangChain: each is read back as it was, or refused by its id."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count as numbers
from typing import Any

import numpy as np

from tests.campaigns.attempts import NOTHING, attempt
from tests.campaigns.campaign import Campaign
from tests.campaigns.stores import Doors, doors, indices
from tests.campaigns.tally import Outcome, Tally
from tests.campaigns.values import TEXTS, any_value, deep

AN_INDEX = 40
"""Documents after which another index is taken, since each brings fields."""
UNKNOWN = object()
"""A value whose stored form the campaign does not know."""


@dataclass
class Hostile:
    """A document as a program might hand it over."""

    id: Any
    text: Any
    metadata: Any
    vector: Any = None
    companion: str = field(default="")


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Write documents drawn from a seed, one in a write with a plain companion, and read both back."""
    tally = Tally()
    for url in servers:
        chance, number = random.Random(seed), numbers()
        with indices(url) as made:
            for start in range(0, count, AN_INDEX):
                with doors(url, made.new()) as these:
                    ways = _ways(these)
                    for at in range(start, min(start + AN_INDEX, count)):
                        _attempt(tally, ways[at % len(ways)], hostile(chance, next(number)))
                made.delete()
    return tally


def hostile(chance: random.Random, number: int) -> Hostile:
    """Return a document with one hostile part or several."""
    found = Hostile(f"d{number}", f"planet number {number}", {"n": number}, None, companion=f"c{number}")
    for part in chance.sample(("id", "text", "metadata", "vector"), chance.choice((1, 1, 1, 2))):
        vars(found)[part] = _PARTS[part](chance, number)
    return found


def _id(chance: random.Random, number: int) -> Any:
    text = chance.choice(TEXTS)
    return chance.choice((f"{text}{number}", f"{number}{text}", text, any_value(chance)))


def _text(chance: random.Random, number: int) -> Any:
    return chance.choice((chance.choice(TEXTS), chance.choice(TEXTS) + " planet", any_value(chance)))


def _metadata(chance: random.Random, number: int) -> Any:
    if chance.random() < 0.1:
        return any_value(chance)
    metadata: dict[Any, Any] = {}
    for _ in range(chance.choice((1, 1, 2, 3))):
        key = chance.choice((chance.choice(TEXTS), f"k{chance.randrange(8)}", f"k{chance.randrange(4)}.x"))
        metadata[key] = _value(chance)
    return metadata


def _value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if kind < 0.6 or depth > 3:
        return any_value(chance)
    if kind < 0.75:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind < 0.95:
        return {chance.choice((*TEXTS[:20], "a", "b")): _value(chance, depth + 1) for _ in range(chance.randrange(4))}
    return deep(chance.choice((20, 50, 99, 100, 101, 600)))


def _vector(chance: random.Random, number: int) -> Any:
    if chance.random() < 0.3:
        return any_value(chance)
    weights = (1.5, 0.1, 1e-45, 1e38, 3.5e38, 0, -1, math.nan, math.inf, True, "1", None, 10**400, np.float32(2))
    return {chance.choice((*TEXTS, "planet", "red")): chance.choice(weights) for _ in range(chance.randrange(5))}


_PARTS: dict[str, Callable[[random.Random, int], Any]] = {
    "id": _id,
    "text": _text,
    "metadata": _metadata,
    "vector": _vector,
}


@dataclass(frozen=True)
class Way:
    """A way to write documents and to read one by its id: (text, metadata), or None where it is not there."""

    name: str
    write: Callable[[Hostile], Any]
    read: Callable[[Any], tuple[Any, Mapping[str, Any]] | None]


def _ways(these: Doors) -> list[Way]:
    core, awaited = these.core(), these.awaited
    core.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
    haystack, langchain = these.haystack(), these.langchain()

    def read_core(key: Any) -> tuple[Any, Mapping[str, Any]] | None:
        found = core.get([key])
        return (found[0].text, found[0].metadata) if found else None

    def read_langchain(key: Any) -> tuple[Any, Mapping[str, Any]] | None:
        found = langchain.get_by_ids([key])
        return (found[0].page_content, found[0].metadata) if found else None

    def read_haystack(key: Any) -> tuple[Any, Mapping[str, Any]] | None:
        found = haystack.filter_documents({"field": "id", "operator": "==", "value": key})
        return (found[0].content, found[0].meta) if found else None

    async def write_awaited(one: Hostile) -> Any:
        async with awaited() as store:
            return await store.write(iter([_row(one), _companion(one)]))

    return [
        Way("core", lambda one: core.write(iter([_row(one), _companion(one)])), read_core),
        Way("awaited", write_awaited, read_core),
        Way("haystack", lambda one: haystack.write_documents(_haystack(one)), read_haystack),
        Way("langchain", lambda one: langchain.add_documents(iter(_langchain(one))), read_langchain),
    ]


def _row(one: Hostile) -> dict[str, Any]:
    row = {"id": one.id, "text": one.text, "metadata": one.metadata}
    return row if one.vector is None else {**row, "vector": one.vector}


def _companion(one: Hostile) -> dict[str, Any]:
    return {"id": one.companion, "text": "red planet"}


def _haystack(one: Hostile) -> list[Any]:
    from haystack import Document
    from haystack.dataclasses import SparseEmbedding

    document, companion = Document(id="x"), Document(id=one.companion, content="red planet")
    document.id, document.content, document.meta = one.id, one.text, one.metadata  # as a careless component might
    if isinstance(one.vector, dict):
        document.sparse_embedding = SparseEmbedding(list(range(len(one.vector))), list(one.vector.values()))
    return [document, companion]


def _langchain(one: Hostile) -> list[Any]:
    from langchain_core.documents import Document

    document = Document.model_construct(id=one.id, page_content=one.text, metadata=one.metadata, type="Document")
    return [document, Document(id=one.companion, page_content="red planet")]


def _attempt(tally: Tally, way: Way, one: Hostile) -> None:
    expected = (stored(one.text), stored(one.metadata))
    shown = (
        f"{way.name}: id {one.id!r:.60} text {one.text!r:.60} metadata {one.metadata!r:.120} vector {one.vector!r:.80}"
    )
    before = tally.counts[Outcome.REFUSED]

    def read_back(_: Any) -> Outcome | None:
        found, companion = way.read(one.id), way.read(one.companion)
        return None if found and companion and equal(found, expected) else Outcome.SILENT_LOSS

    result = attempt(tally, shown, lambda: way.write(one), check=read_back)
    if result is NOTHING and tally.counts[Outcome.REFUSED] > before:
        _check_companion(tally, way, one, shown)


def _check_companion(tally: Tally, way: Way, one: Hostile, shown: str) -> None:
    """Take a refusal back if the plain document beside the refused one was lost, though documents were streamed."""
    if way.name in ("core", "awaited", "langchain") and way.read(one.companion) is None:
        tally.counts[Outcome.REFUSED] -= 1
        tally.add(Outcome.SILENT_LOSS, f"{shown}: it was refused, and its companion is not there")


def stored(value: Any, depth: int = 0) -> Any:
    """Return what is read back of a value, or UNKNOWN."""
    if depth > 200:
        return UNKNOWN
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping) and type(value) is dict:
        return {key: stored(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [stored(inner, depth + 1) for inner in value]
    return UNKNOWN


def equal(found: Any, expected: Any) -> bool:
    """Return whether what was read is what was expected, as far as that is known."""
    if expected is UNKNOWN:
        return True
    if isinstance(expected, dict):
        same = isinstance(found, Mapping) and found.keys() == expected.keys()
        return same and all(equal(found[key], value) for key, value in expected.items())
    if isinstance(expected, list | tuple):
        same = isinstance(found, list | tuple) and len(found) == len(expected)
        return same and all(map(equal, found, expected))
    if isinstance(expected, bool) != isinstance(found, bool):
        return False
    return bool(found == expected)


CAMPAIGN = Campaign("documents", "Hostile documents through core, Haystack and LangChain.", 1_600, 60, run)
