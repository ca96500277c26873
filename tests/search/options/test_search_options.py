from typing import Any

import pytest

from opensearch_neural_sparse import (
    Bm25Leg,
    Bound,
    BoundMode,
    Collapse,
    DenseLeg,
    HybridOptions,
    IndexSchema,
    Normalization,
    ServerQuery,
    SparseLeg,
    SparseVector,
    TwoPhase,
)
from opensearch_neural_sparse.search.query.resolved_legs import (
    ResolvedBm25Leg,
    ResolvedDenseLeg,
    ResolvedSparseLeg,
    resolve_legs,
)

NONE = Bound(mode=BoundMode.IGNORE)


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        ({"legs": [SparseLeg()]}, "2 to 5 legs, got 1"),
        ({"legs": [SparseLeg(name=f"{n}") for n in range(6)]}, "2 to 5 legs, got 6"),
        ({"legs": [SparseLeg(), SparseLeg()]}, "different names"),
        ({"weights": [0.5, 0.25, 0.25]}, "weights has one for each of the 2 legs, got 3"),
        ({"weights": [0.5, 0.6]}, "sum to 1"),
        ({"rank_constant": 0}, "between 1 and 10000"),
        ({"fusion": "nobody"}, "nobody"),
        ({"normalization": "max_min"}, "max_min"),
        ({"combination": "harmonic_mean"}, "Reciprocal ranks cannot be combined by harmonic_mean"),
        ({"normalization": "z_score", "combination": "geometric_mean"}, "'z_score' cannot be combined"),
        ({"lower_bounds": [NONE, NONE]}, "Bounds need normalization 'min_max'"),
        ({"normalization": "l2", "upper_bounds": [NONE, NONE]}, "Bounds need"),
        ({"normalization": "min_max", "lower_bounds": [NONE]}, "lower_bounds has one for each of the 2 legs, got 1"),
        ({"normalization": "min_max", "fusion": "client"}, "normalization='min_max' needs the server's fusion"),
        ({"collapse": "lang", "two_phase": TwoPhase()}, "collapse='lang' cannot be used with two_phase"),
        (
            {"collapse": Collapse("lang", size=3), "two_phase": TwoPhase()},
            "collapse='lang' cannot be used with two_phase",
        ),
        ({"collapse": ""}, "names a field"),
    ],
)
def test_choices_that_contradict_each_other_are_refused(choices: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        HybridOptions(**choices)


def test_leg_is_one_of_three_kinds() -> None:
    with pytest.raises(TypeError, match="got str"):
        HybridOptions(legs=["bm25", "sparse"])  # type: ignore[list-item]


def test_choices_may_be_named_by_their_words() -> None:
    assert HybridOptions(normalization="l2", combination="geometric_mean") == HybridOptions(  # type: ignore[arg-type]
        normalization=Normalization.L2,
        combination="geometric_mean",  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("arguments", [{}, {"vector": [1.0], "embedder": len}])
def test_dense_leg_has_one_source_of_its_vector(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a vector or an embedder"):
        DenseLeg(**arguments)


def test_legs_are_filled_with_the_query_and_the_schema_s_fields() -> None:
    calls: list[str] = []

    def encode(field: str, _: ServerQuery | None) -> SparseVector:
        calls.append(field)
        return SparseVector({"a": 1.0})

    legs = [
        Bm25Leg(),
        Bm25Leg(text="own", field="title", name="titles"),
        SparseLeg(),
        SparseLeg(field="sparse_vector", name="again"),
        SparseLeg(vector={"b": 2.0}, field="other", name="others"),
        DenseLeg(embedder=lambda text: [float(len(text))]),
    ]
    assert resolve_legs(legs, "query", IndexSchema(), encode) == (
        ResolvedBm25Leg(name="bm25", field="content", text="query"),
        ResolvedBm25Leg(name="titles", field="title", text="own"),
        ResolvedSparseLeg(name="sparse", field="sparse_vector", vector=SparseVector({"a": 1.0})),
        ResolvedSparseLeg(name="again", field="sparse_vector", vector=SparseVector({"a": 1.0})),
        ResolvedSparseLeg(name="others", field="other", vector=SparseVector({"b": 2.0})),
        ResolvedDenseLeg(name="dense", field="embedding", vector=(5.0,)),
    )
    assert calls == ["sparse_vector"]


def test_query_is_not_encoded_where_no_leg_needs_it() -> None:
    legs = [Bm25Leg(), SparseLeg(vector={"b": 2.0})]
    assert resolve_legs(legs, "query", IndexSchema(), lambda *_: pytest.fail("encoded"))


def test_repr_of_legs_holds_no_text_and_no_vector() -> None:
    legs = (Bm25Leg(text="SECRET"), SparseLeg(vector={"SECRET": 1.0}), DenseLeg(vector=[0.123456]))
    shown = repr(HybridOptions(legs=legs)) + repr(
        resolve_legs(legs, "SECRET", IndexSchema(), lambda *_: SparseVector())
    )
    assert "SECRET" not in shown
    assert "0.123456" not in shown


@pytest.mark.parametrize("size", [0, 101, True, 2.0])
def test_group_of_a_size_that_the_server_does_not_take_is_refused(size: Any) -> None:
    with pytest.raises(ValueError, match="between 1 and 100"):
        Collapse("lang", size=size)


def test_collapse_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="name of a field or a Collapse, got dict"):
        HybridOptions(collapse={"field": "lang"})  # type: ignore[arg-type]
