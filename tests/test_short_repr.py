"""Representations show what differs from the defaults, and no secret."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from dataclasses import field as field_of
from inspect import Parameter, getmembers, isclass, isfunction, signature
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import opensearch_neural_sparse
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    BulkReport,
    Collapse,
    DenseLeg,
    FieldBoost,
    HybridOptions,
    NeuralSparseStore,
    Partial,
    Prune,
    RecencyBoost,
    RequestOptions,
    SearchOptions,
    SparseLeg,
    TwoPhase,
    WriteOptions,
    get_model,
    recommend_model,
)
from opensearch_neural_sparse.models.files.hub import HubOptions
from opensearch_neural_sparse.short_repr import short_repr

NAMES = {name: getattr(opensearch_neural_sparse, name) for name in opensearch_neural_sparse.__all__}
LONGEST_DEFAULT = 60
SECRETS = ("token", "api_key", "password", "http_auth", "secret", "credential", "credentials")
NO_SECRETS = {"ConnectorTemplate.credential", "Match.token", "NodeProcess.token", "TokenMatch.token"}
"""Fields that hold the names of secrets, a word by which a process is found, and tokens of texts."""

requests = st.builds(
    RequestOptions,
    timeout=st.none() | st.floats(0.1, 100),
    preference=st.none() | st.text(),
    routing=st.none() | st.text(min_size=1),
    partial=st.sampled_from([*Partial, "warn", "raise"]),
)
recency = st.builds(RecencyBoost, field=st.just("day"), scale=st.sampled_from(["30d", "12h"]))
boosts = st.lists(st.builds(FieldBoost, field=st.sampled_from(["a", "b"])) | recency, max_size=2)
prunes = st.none() | st.builds(Prune, type=st.just("max_ratio"), ratio=st.floats(0, 0.9))
collapses = st.none() | st.just("topic") | st.builds(Collapse, st.just("topic"), size=st.integers(1, 5))


@given(st.builds(SearchOptions, prune=prunes, collapse=collapses, request=requests, boosts=boosts))
def test_options_of_a_search_are_made_again_from_their_representation(options: SearchOptions) -> None:
    assert eval(repr(options), dict(NAMES)) == options


@given(
    st.builds(
        HybridOptions,
        prune=prunes,
        request=requests,
        rank_constant=st.integers(1, 100),
        weights=st.sampled_from([None, (0.25, 0.75)]),
        legs=st.sampled_from([(Bm25Leg(), SparseLeg()), (Bm25Leg(language="de"), SparseLeg(field="other"))]),
        fusion=st.sampled_from(["auto", "client"]),
    )
)
def test_options_of_a_hybrid_search_are_made_again_from_their_representation(options: HybridOptions) -> None:
    assert eval(repr(options), dict(NAMES)) == options


@given(
    st.builds(
        WriteOptions,
        batch_size=st.integers(1, 1000),
        refresh=st.sampled_from([True, False, "wait_for"]),
        operation=st.sampled_from(["index", "create"]),
        pipeline=st.none() | st.text(),
    )
)
def test_options_of_a_write_are_made_again_from_their_representation(options: WriteOptions) -> None:
    assert eval(repr(options), dict(NAMES)) == options


def test_only_what_differs_from_the_defaults_is_shown() -> None:
    assert repr(SearchOptions()) == "SearchOptions()"
    assert repr(HybridOptions(rank_constant=20)) == "HybridOptions(rank_constant=20)"
    assert repr(SearchOptions(request=RequestOptions(partial="warn"))) == (
        "SearchOptions(request=RequestOptions(partial='warn'))"
    )
    assert repr(TwoPhase()) == "TwoPhase()"


def test_a_text_or_a_vector_shows_that_it_was_given() -> None:
    legs = [Bm25Leg(text="SECRET"), SparseLeg(vector={"SECRET": 1.0}), DenseLeg(vector=[0.5])]
    assert [*map(repr, legs)] == ["Bm25Leg(text=...)", "SparseLeg(vector=...)", "DenseLeg(vector=...)"]


def test_a_field_without_a_default_is_always_shown() -> None:
    @dataclass
    class Example:
        needed: int
        made: list[int] = field_of(default_factory=list)

        __repr__ = short_repr

    assert repr(Example(0)).endswith("Example(needed=0)")
    assert repr(Example(0, [1])).endswith("Example(needed=0, made=[1])")


def public_signatures() -> Iterator[tuple[str, Parameter]]:
    for kind in (NeuralSparseStore, AsyncNeuralSparseStore):
        for name, method in getmembers(kind, isfunction):
            if not name.startswith("_") or name == "__init__":
                yield from ((f"{kind.__name__}.{name}", one) for one in signature(method).parameters.values())


def test_no_default_in_the_signatures_of_the_stores_is_long() -> None:
    shown = {
        f"{name}({one.name})": repr(one.default)
        for name, one in public_signatures()
        if one.default is not Parameter.empty
    }
    assert "NeuralSparseStore.hybrid_search(options)" in shown
    assert {name: text for name, text in shown.items() if len(text) > LONGEST_DEFAULT} == {}


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(opensearch_neural_sparse.__path__, "opensearch_neural_sparse."):
        if ".cli" not in found.name and ".distributed" not in found.name and "__main__" not in found.name:
            yield importlib.import_module(found.name)


def test_no_dataclass_shows_a_field_that_holds_a_secret() -> None:
    kinds = {one for module in modules() for _, one in getmembers(module, isclass) if is_dataclass(one)}
    assert HubOptions in kinds
    shown = {
        f"{one.__name__}.{field.name}" for one in kinds for field in fields(one) if field.repr and field.name in SECRETS
    }
    assert shown == NO_SECRETS


def test_a_token_of_the_hub_is_not_shown() -> None:
    assert "hf_secret" not in repr(HubOptions(token="hf_secret"))


def test_models_and_recommendations_fit_on_a_line() -> None:
    spec, recommended = get_model("doc-v3-distill"), recommend_model()
    assert "relevance=..." in repr(spec)
    assert len(repr(spec)) < 600
    assert recommended.choice.name in repr(recommended)
    assert "\n" not in repr(recommended)
    assert len(repr(recommended)) < 120


def test_a_report_of_a_write_reads_as_a_sentence() -> None:
    assert repr(BulkReport(written=2)) == "2 written, 0 failed, 0 of unknown outcome."


def test_representations_are_python() -> None:
    shown: list[Any] = [SearchOptions(), HybridOptions(), WriteOptions(), RequestOptions(), get_model("bge-m3")]
    assert all(ast.parse(repr(one), mode="eval") for one in shown)
