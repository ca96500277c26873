"""Filters in three syntaxes: valid ones find what Python finds, hostile ones are refused or stay in their fence."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse import IndexSchema
from opensearch_neural_sparse.error_reasons import shortened, shown_value
from tests.campaigns.attempts import attempt
from tests.campaigns.campaign import Campaign
from tests.campaigns.stores import Doors, doors, indices
from tests.campaigns.tally import Outcome, Tally
from tests.campaigns.values import any_value

CORPUS = 40
SHARE_OF_HOSTILE = 0.5
Metadata = Mapping[str, Any]
Render = Callable[["Condition"], Any]
_RANGES = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Condition:
    """A filter in no syntax: a comparison (`eq`, `in`, `gt`, ...) of a key, or `and`, `or`, `not` over parts."""

    operator: str
    key: str = ""
    value: Any = None
    parts: tuple[Condition, ...] = ()

    def holds(self, metadata: Metadata) -> bool:
        """Return whether a document satisfies it, by its definition."""
        if self.operator == "and":
            return all(part.holds(metadata) for part in self.parts)
        if self.operator == "or":
            return any(part.holds(metadata) for part in self.parts)
        if self.operator == "not":
            return not all(part.holds(metadata) for part in self.parts)
        held = metadata.get(self.key)
        values = [each for each in (held if isinstance(held, list) else [held]) if each is not None]
        if self.operator == "eq":
            return not values if self.value is None else self.value in values
        if self.operator == "in":
            return any(value in self.value for value in values)
        return any(_compared(self.operator, value, self.value) for value in values)


def _compared(operator: str, value: Any, bound: Any) -> bool:
    return bool({"gt": value > bound, "gte": value >= bound, "lt": value < bound, "lte": value <= bound}[operator])


def corpus() -> dict[str, dict[str, Any]]:
    """Return id -> metadata of the documents that are filtered; every fourth is secret."""
    chance, found = random.Random(1), {}
    for number in range(CORPUS):
        metadata: dict[str, Any] = {"secret": number % 4 == 0, "year": 2000 + number % 7}
        metadata |= {"lang": chance.choice(("en", "de", "EN", "日本", "a b", ""))} if number % 5 else {}
        metadata |= {"score": chance.choice((0.5, -1.25, 1e10, 0.0))} if number % 3 else {}
        metadata |= {"tags": chance.sample(("a", "b", "c", "d"), chance.randrange(1, 4))} if number % 6 else {}
        metadata |= {"embedding": chance.choice(("x", "y"))} if number % 2 else {}
        found[f"d{number}"] = metadata
    return found


def condition(chance: random.Random, depth: int = 0) -> Condition:
    """Return a valid filter."""
    if depth < 3 and chance.random() < 0.45:
        operator = chance.choice(("and", "or", "not"))
        count = 1 if operator == "not" else chance.randrange(1, 4)
        return Condition(operator, parts=tuple(condition(chance, depth + 1) for _ in range(count)))
    key = chance.choice(("secret", "year", "lang", "score", "tags", "embedding"))
    values: list[Any] = {
        "secret": [True, False],
        "year": [2000, 2003, 2006, 1999, -1],
        "lang": ["en", "de", "EN", "日本", "a b", "", "none of them"],
        "score": [0.5, -1.25, 1e10, 0.0, 0.25],
        "tags": ["a", "b", "c", "d", "e"],
        "embedding": ["x", "y", "z"],
    }[key]
    if key in ("year", "score") and chance.random() < 0.4:
        return Condition(chance.choice(list(_RANGES)), key, chance.choice(values))
    if chance.random() < 0.3:
        return Condition("in", key, chance.sample(values, chance.randrange(len(values))))
    return Condition("eq", key, chance.choice([*values, None]))


def core_form(one: Condition) -> Any:
    """Return a filter as OpenSearch clauses."""
    key = f"meta.{one.key}" if IndexSchema().is_reserved(one.key) else one.key
    if one.operator == "and":
        return {"bool": {"filter": [core_form(part) for part in one.parts]}}
    if one.operator == "or":
        return {"bool": {"should": [core_form(part) for part in one.parts], "minimum_should_match": 1}}
    if one.operator == "not":
        return {"bool": {"must_not": [core_form(part) for part in one.parts]}}
    if one.operator == "eq":
        absent = {"bool": {"must_not": [{"exists": {"field": key}}]}}
        return absent if one.value is None else {"term": {key: one.value}}
    if one.operator == "in":
        return {"terms": {key: one.value}}
    return {"range": {key: {one.operator: one.value}}}


def haystack_form(one: Condition) -> Any:
    """Return a filter as Haystack writes it."""
    if one.parts:
        return {"operator": one.operator.upper(), "conditions": [haystack_form(part) for part in one.parts]}
    operator = {"eq": "==", "in": "in", **_RANGES}[one.operator]
    return {"field": f"meta.{one.key}", "operator": operator, "value": one.value}


def langchain_form(one: Condition) -> Any:
    """Return a filter in LangChain's common syntax."""
    if one.operator in ("and", "or"):
        return {f"${one.operator}": [langchain_form(part) for part in one.parts]}
    if one.operator == "not":
        return {"$not": langchain_form(one.parts[0])}
    return {one.key: {f"${one.operator}": one.value}}


@dataclass(frozen=True)
class Syntax:
    """A syntax, and the calls that take it: filter -> ids."""

    name: str
    render: Render
    finds: tuple[Callable[[Any], list[Any]], ...]


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Filter one corpus by filters drawn from a seed, in each syntax in turn."""
    tally, truth = Tally(), corpus()
    for url in servers:
        chance = random.Random(seed)
        with indices(url) as made, doors(url, made.new()) as these:
            syntaxes = _syntaxes(these, truth)
            for number in range(count):
                syntax = syntaxes[number % len(syntaxes)]
                find = chance.choice(syntax.finds)
                if chance.random() < SHARE_OF_HOSTILE:
                    _hostile(tally, syntax, find, chance, truth)
                else:
                    _valid(tally, syntax, find, condition(chance), truth)
    return tally


def _syntaxes(these: Doors, truth: Mapping[str, Metadata]) -> list[Syntax]:
    core = these.core()
    core.create(settings={"number_of_shards": 2, "number_of_replicas": 0})
    core.write([{"id": key, "text": f"planet {key}", "metadata": metadata} for key, metadata in truth.items()])
    haystack, langchain = these.haystack(), these.langchain()

    async def scanned(given: Any) -> list[Any]:
        async with these.awaited() as store:
            return [each.id async for each in store.scan(given)]

    by_core: tuple[Callable[[Any], Any], ...] = (
        lambda given: [each.id for each in core.scan(given)],
        lambda given: [each.id for each in core.search("planet", size=CORPUS, filter=given)],
        lambda given: [each.id for each in core.hybrid_search("planet", size=CORPUS, filter=given)],
        scanned,
    )
    by_langchain = (
        lambda given: [each.id for each in langchain.similarity_search("planet", k=CORPUS, filter=given)],
        lambda given: [
            each.id
            for each in langchain.max_marginal_relevance_search("planet", k=CORPUS, fetch_k=CORPUS, filter=given)
        ],
    )
    return [
        Syntax("core", core_form, by_core),
        Syntax("haystack", haystack_form, (lambda given: [each.id for each in haystack.filter_documents(given)],)),
        Syntax("langchain", langchain_form, by_langchain),
    ]


def _valid(
    tally: Tally, syntax: Syntax, find: Callable[[Any], Any], one: Condition, truth: Mapping[str, Metadata]
) -> None:
    """A filter finds exactly what it finds by its definition; one that was refused is a valid one that is not taken."""
    given = syntax.render(one)
    expected = sorted(key for key, metadata in truth.items() if one.holds(metadata))

    def same(found: Any) -> Outcome | None:
        if sorted(found) == expected:
            return None
        return Outcome.LEAK if set(found) - set(expected) else Outcome.SILENT_LOSS

    attempt(tally, f"{syntax.name} {given!r}", lambda: find(given), check=same)


def _hostile(
    tally: Tally, syntax: Syntax, find: Callable[[Any], Any], chance: random.Random, truth: Mapping[str, Metadata]
) -> None:
    """A hostile filter beside a fence never lifts the fence, and alone it is never taken for no filter at all."""
    fence = Condition("eq", "secret", False)
    broken = damaged(syntax.render(condition(chance)), chance)
    fenced = chance.random() < 0.7
    given = _joined(syntax, syntax.render(fence), broken) if fenced else broken

    def within(found: Any) -> Outcome | None:
        return Outcome.LEAK if fenced and any(truth[key]["secret"] for key in found) else None

    attempt(tally, f"{syntax.name} {shortened(shown_value(given), 200)}", lambda: find(given), check=within)


def _joined(syntax: Syntax, fence: Any, broken: Any) -> Any:
    if syntax.name == "core":
        return [fence, broken]
    if syntax.name == "haystack":
        return {"operator": "AND", "conditions": [fence, broken]}
    return {"$and": [fence, broken]}


def damaged(given: Any, chance: random.Random) -> Any:
    """Return a filter with one of its parts, keys or values replaced by a hostile one."""
    if chance.random() < 0.15 or not isinstance(given, dict | list) or not given:
        return any_value(chance)
    if isinstance(given, list):
        place = chance.randrange(len(given))
        return [*given[:place], damaged(given[place], chance), *given[place + 1 :]]
    key = chance.choice(list(given))
    kind = chance.random()
    rest = {name: value for name, value in given.items() if name != key}
    if kind < 0.15:
        return rest
    if kind < 0.4:
        value = any_value(chance)
        try:
            return {**rest, value: given[key]}
        except TypeError:
            return {**rest, str(type(value)): given[key]}
    if kind < 0.5:
        return {**given, "secret": any_value(chance)}
    return {**rest, key: damaged(given[key], chance)}


CAMPAIGN = Campaign("filters", "Valid and hostile filters in three syntaxes, against Python.", 3_000, 120, run)
