"""A retriever's plain values -> the core's options; Haystack's filters and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from haystack.document_stores.types import FilterPolicy

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import Filters, ensure_mapping
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import options_of, plain
from opensearch_neural_sparse import (
    Bm25Leg,
    Bound,
    Collapse,
    DenseLeg,
    FieldBoost,
    MatchSearch,
    RecencyBoost,
    SearchOptions,
    SeismicSearch,
    ServerQuery,
    SparseLeg,
    TwoPhase,
)
from opensearch_neural_sparse.layer_support import Leg, check_list, check_size, check_text, shown_value

BM25, SPARSE, DENSE = "bm25", "sparse", "dense"


def checked_store(store: OpenSearchNeuralSparseDocumentStore) -> OpenSearchNeuralSparseDocumentStore:
    """Return a document store.

    Raises:
        TypeError: It is of another kind.
    """
    if not isinstance(store, OpenSearchNeuralSparseDocumentStore):
        raise TypeError(f"document_store is an OpenSearchNeuralSparseDocumentStore, got {type(store).__name__}.")
    return store


def checked_query(query: str) -> str:
    """Return a query.

    Raises:
        TypeError: It is no text.
    """
    if not isinstance(query, str):
        raise TypeError(f"query is a text, got {type(query).__name__}.")
    return query


def checked_top_k(top_k: int) -> int:
    """Return a number of documents.

    Raises:
        ValueError: No search gives so many.
    """
    check_size(top_k, name="top_k")
    return top_k


def custom_body(custom_query: Mapping[str, Any], top_k: int) -> dict[str, Any]:
    """Return the body of a user-supplied search; its own size takes precedence.

    Raises:
        TypeError: It is no mapping.
    """
    if not isinstance(custom_query, Mapping):
        raise TypeError(f"custom_query is the body of a search, a mapping, got {type(custom_query).__name__}.")
    return {"size": top_k, **custom_query}


def filter_policy_of(policy: str | FilterPolicy) -> FilterPolicy:
    """Return a policy given by name or as itself.

    Raises:
        ValueError: No such policy.
    """
    if isinstance(policy, FilterPolicy):
        return policy
    check_text(filter_policy=policy)
    if policy.lower() not in (known := [each.value for each in FilterPolicy]):
        raise ValueError(f"filter_policy is one of {known}, got {shown_value(policy)}.")
    return FilterPolicy.from_str(policy)


def combine_filters(policy: FilterPolicy, own: Filters | None, given: Filters | None) -> Filters | None:
    """Return the filters of a run.

    Replacing, those given stand in for the retriever's own; merging, documents satisfy both, always. (Haystack's
    `apply_filter_policy` drops the retriever's own where both name a field or their operators differ.)

    Args:
        policy: Whether filters given to a run replace the retriever's own or are merged with them.
        own: Filters of the retriever.
        given: Filters of the run; None or empty leaves the retriever's own.

    Raises:
        FilterError: Either is no mapping.
    """
    ensure_mapping(own)
    ensure_mapping(given)
    if policy is FilterPolicy.MERGE and own and given:
        return {"operator": "AND", "conditions": [own, given]}
    return given or own


def search_by_words(text: str, size: int, language: str | None, options: SearchOptions) -> MatchSearch:
    """Return the search by words alone (BM25), with those options that it shares with other searches."""
    return MatchSearch(
        text,
        size=size,
        language=language,
        request=options.request,
        collapse=options.collapse,
        rerank=options.rerank,
        boosts=options.boosts,
    )


def two_phase_of(value: bool | Mapping[str, Any] | None) -> TwoPhase | None:
    """Return the parameters of a two-phase search: the server's defaults, or those given."""
    if value is None or isinstance(value, bool):
        return TwoPhase() if value else None
    return options_of(TwoPhase, "two_phase", value)


def seismic_of(value: Mapping[str, Any] | None) -> SeismicSearch | None:
    """Return the parameters of a search of a `sparse_vector` field."""
    return None if value is None else options_of(SeismicSearch, "seismic", value)


def collapse_of(value: str | Mapping[str, Any] | None) -> str | Collapse | None:
    """Return the field of which each value is found once, or that with several documents of each."""
    return options_of(Collapse, "collapse", value) if isinstance(value, Mapping) else value


BoostLike = RecencyBoost | FieldBoost | dict[str, Any]
"""A boost, or its type and parameters, such as `{"type": "field", "field": "meta.likes", "modifier": "ln1p"}`."""
_BOOSTS: dict[str, type[RecencyBoost | FieldBoost]] = {"recency": RecencyBoost, "field": FieldBoost}


def boosts_of(values: Sequence[BoostLike] | None) -> tuple[RecencyBoost | FieldBoost, ...]:
    """Return the boosts of scores.

    Raises:
        TypeError: They are no list, or one has an unknown parameter.
        ValueError: One of no type, or with a parameter out of range.
    """
    if values is not None and not isinstance(values, list | tuple):
        raise TypeError(f"boosts is a list such as {_BOOST_FORM}, got {type(values).__name__}.")
    return tuple(map(_boost_of, values or ()))


def saved_boosts(values: Sequence[BoostLike]) -> list[dict[str, Any]]:
    """Return boosts as plain values."""
    return [_saved_boost(value) for value in values]


_BOOST_FORM = '[{"type": "recency", "field": "meta.published", "scale": "30d"}]'


def _boost_of(value: BoostLike) -> RecencyBoost | FieldBoost:
    if isinstance(value, RecencyBoost | FieldBoost):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"boosts is a list such as {_BOOST_FORM}, got {type(value).__name__} in it.")
    given = dict(value)
    if (kind := given.pop("type", None)) not in _BOOSTS:
        raise ValueError(f"A boost has a type of {list(_BOOSTS)}, as in {_BOOST_FORM}, got {kind!r}.")
    known = [field.name for field in fields(_BOOSTS[kind])]
    if unknown := [name for name in given if name not in known]:
        raise TypeError(f"A boost of type {kind!r} has no {', '.join(map(repr, unknown))}; it has {', '.join(known)}.")
    return _BOOSTS[kind](**given)


def _saved_boost(value: BoostLike) -> dict[str, Any]:
    if not isinstance(value, RecencyBoost | FieldBoost):
        return {name: plain(part) for name, part in value.items()}
    kind = next(name for name, made in _BOOSTS.items() if isinstance(value, made))
    parts = {field.name: (plain(getattr(value, field.name)), plain(field.default)) for field in fields(value)}
    return {"type": kind, **{name: part for name, (part, usual) in parts.items() if part != usual}}


def server_query_of(value: Mapping[str, Any] | None) -> ServerQuery | None:
    """Return what in the server encodes a query; empty leaves it to the index."""
    return None if value is None else options_of(ServerQuery, "server_query", value)


def bounds_of(values: Sequence[Mapping[str, Any]] | None, name: str) -> list[Bound] | None:
    """Return the bounds of scores, one for each leg.

    Args:
        values: The bounds; None sets none.
        name: What the parameter is called.
    """
    check_list(Mapping, optional=True, **{name: values})
    return None if values is None else [options_of(Bound, name, value) for value in values]


LegLike = str | Mapping[str, Any]
"""Name of a leg, or its type, field and name, such as `{"type": "bm25", "field": "content.de", "name": "german"}`."""


def legs_of(legs: Sequence[LegLike], query_embedding: Sequence[float] | None, language: str | None = None) -> list[Leg]:
    """Return legs by their names, or by mappings for further fields; the one of words in a language.

    Raises:
        ValueError: No legs, one twice, an unknown one, or `dense` alone; or one of a dense leg and an embedding for it
            without the other.
    """
    known = (BM25, SPARSE, DENSE)
    names = [leg if isinstance(leg, str) else _further_leg(leg).name for leg in legs]
    plain = [leg for leg in legs if isinstance(leg, str)]
    if not names or len(set(names)) < len(names) or not set(plain) <= set(known):
        raise ValueError(f"legs are some of {list(known)}, each once, got {list(legs)}.")
    if names == [DENSE]:
        raise ValueError(
            "legs has 'bm25' or 'sparse' beside 'dense'; opensearch-haystack searches dense vectors alone."
        )
    if (DENSE in plain) != (query_embedding is not None):
        raise ValueError("query_embedding is for a leg 'dense', and such a leg needs it.")
    return [_leg_of(leg, query_embedding, language) for leg in legs]


def _leg_of(leg: LegLike, query_embedding: Sequence[float] | None, language: str | None) -> Leg:
    if not isinstance(leg, str):
        return _further_leg(leg)
    made: dict[str, Leg] = {BM25: Bm25Leg(language=language), SPARSE: SparseLeg()}
    return made.get(leg) or DenseLeg(vector=query_embedding)


def _further_leg(leg: Mapping[str, Any]) -> Bm25Leg | SparseLeg:
    if not isinstance(leg, Mapping) or leg.keys() != {"type", "field", "name"} or leg["type"] not in _TYPES:
        raise ValueError(
            f"A leg of another field has a type of {list(_TYPES)}, a field and a name, such as "
            f'{{"type": "bm25", "field": "content.de", "name": "german"}}; got {leg!r}.'
        )
    return _TYPES[leg["type"]](field=leg["field"], name=leg["name"])


_TYPES: dict[str, type[Bm25Leg | SparseLeg]] = {BM25: Bm25Leg, SPARSE: SparseLeg}
