"""Hostile names of indices, fields, routings and models: each works as a name, or is refused."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import opensearch_neural_sparse as core
from tests.campaigns.attempts import attempt
from tests.campaigns.campaign import Campaign
from tests.campaigns.stores import Doors, Indices, doors, indices
from tests.campaigns.tally import Outcome, Tally
from tests.campaigns.values import MAKERS, TEXTS
from tests.paths import SMALL_MODEL

SETTINGS = {"number_of_shards": 2, "number_of_replicas": 0}
FIELDS = ("text_field", "sparse_field", "model_field", "embedding_field", "chunk_field")
ROW = {"id": "1", "text": "red planet", "metadata": {"year": 2001}}
LONG = (
    "x" * 255,
    "x" * 256,
    "é" * 127,
    "é" * 128,
    "a.b.c",
    "A",
    "UPPER",
    "a#b",
    "a:b",
    "a\\b",
    "a?b",
    'a"b',
    "a>b",
    "+a",
)
PATTERNS = frozenset("*,?<>-")
"""Characters by which a name may stand for indices of others; those are only read."""


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Use hostile names, drawn from a seed, for each kind of thing in turn."""
    tally = Tally()
    for url in servers:
        chance = random.Random(seed)
        kinds: list[Callable[[Tally, Indices, str, Any], None]] = [
            _index_to_read, _index_to_create, _field, _metadata_field, _routing, _preference, _model, _new_model_name,
        ]  # fmt: skip
        names = [
            *((repr(text)[:40], text) for text in (*TEXTS, *LONG)),
            *((label, make()) for label, make in MAKERS[len(TEXTS) :]),
        ]
        pairs = [(kind, label, name) for kind in kinds for label, name in names]
        chance.shuffle(pairs)
        with indices(url) as made:
            shared = made.new()
            with doors(url, shared) as these:
                _filled(these)
                for kind, label, name in islice(pairs, count):
                    kind(tally, made, f"{kind.__name__.strip('_')} {label}", (shared, name))
    return tally


def _filled(these: Doors, **options: Any) -> core.NeuralSparseStore:
    store = these.core(**options)
    store.create(settings=SETTINGS)
    store.write([ROW])
    return store


def _works(store: core.NeuralSparseStore) -> Outcome | None:
    """Whether a document comes back, is found, and is filtered."""
    [found] = store.get(["1"]) or [None]
    same = found is not None and (found.text, dict(found.metadata)) == ("red planet", {"year": 2001})
    hits = [each.id for each in store.search("planet", filter={"term": {"year": 2001}})]
    words = [each.id for each in store.match_search("planet")]
    return None if same and hits == ["1"] and words == ["1"] else Outcome.SILENT_LOSS


def _index_to_read(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    def read() -> None:
        with doors(made.url, given[1]) as these:
            these.core().count()
            these.langchain().similarity_search("planet")
            these.haystack(create_index=False).count_documents()

    attempt(tally, shown, read)


def _index_to_create(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    name = given[1]
    if isinstance(name, str):
        name = f"{made.new()}{name}"
        if PATTERNS & set(name[len(given[0]) :]):
            name = name.translate({ord(each): "_" for each in PATTERNS})

    def create() -> Outcome | None:
        with doors(made.url, name) as these:
            return _works(_filled(these))

    attempt(tally, shown, create, check=lambda fault: fault)


def _field(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    chance = random.Random(shown)
    fields = {chance.choice(FIELDS): given[1]}

    def use() -> Outcome | None:
        schema = core.IndexSchema(**fields)
        with doors(made.url, made.new()) as these:
            return _works(_filled(these, schema=schema))

    attempt(tally, f"{shown} as {next(iter(fields))}", use, check=lambda fault: fault)


def _metadata_field(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    name = given[1] if isinstance(given[1], str | int | float | tuple | None) else repr(type(given[1]))

    def use() -> Outcome | None:
        schema = core.IndexSchema(metadata_fields={name: {"type": "keyword"}})
        with doors(made.url, made.new()) as these:
            store = _filled(these, schema=schema)
            store.write([{"id": "2", "text": "blue", "metadata": {name: "x"}}])
            found = [each.metadata for each in store.get(["2"])]
            return None if found == [{name: "x"}] else Outcome.SILENT_LOSS

    attempt(tally, shown, use, check=lambda fault: fault)


def _routing(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    index, name = given

    def use() -> Outcome | None:
        with doors(made.url, index) as these:
            store = these.core()
            store.write([{"id": "routed", "text": "red", "metadata": {}}], options=core.WriteOptions(routing=name))
            found = [each.text for each in store.get(["routed"], routing=name)]
            options = core.SearchOptions(request=core.RequestOptions(routing=name))
            hits = [each.id for each in store.search("red", options=options)]
            gone = store.delete(["routed"], routing=name)
            return None if found == ["red"] and "routed" in hits and gone == 1 else Outcome.SILENT_LOSS

    attempt(tally, shown, use, check=lambda fault: fault)


def _preference(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    index, name = given

    def use() -> Outcome | None:
        with doors(made.url, index) as these:
            options = core.SearchOptions(request=core.RequestOptions(preference=name))
            return None if len(these.core().search("planet", options=options)) >= 1 else Outcome.SILENT_LOSS

    attempt(tally, shown, use, check=lambda fault: fault)


def _model(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    index, name = given

    def use() -> None:
        with core.NeuralSparseStore(index, url=made.url, model=name) as store:
            store.search("planet")

    attempt(tally, shown, use)


def _new_model_name(tally: Tally, made: Indices, shown: str, given: tuple[str, Any]) -> None:
    name = given[1]

    def use() -> Outcome | None:
        spec = core.register_model(SMALL_MODEL, name=name, local_files_only=True)
        return None if core.get_model(spec.name) == spec else Outcome.SILENT_LOSS

    attempt(tally, shown, use, check=lambda fault: fault)


CAMPAIGN = Campaign("names", "Hostile names of indices, fields, routings and models.", 1_000, 60, run)
