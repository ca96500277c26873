import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.encode.pruning import Prune, PruneType, prune_alpha_mass, prune_top_k

F = np.float32
WEIGHTS = st.one_of(
    st.floats(2**-20, 10.0, width=32),
    st.sampled_from([1.0, 0.5, 0.25, 0.1, 0.05, 2.0]),
    st.floats(1.2e-38, 3.4e38),
)
VECTORS = st.dictionaries(st.text("abcdefgh#", min_size=1, max_size=3), WEIGHTS, max_size=12)
RATIOS = st.one_of(st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.5, 0.9]), st.floats(0.0, 0.99))


def on_the_server(weights: dict[str, float], kind: str, ratio: float) -> set[str]:
    """Return the tokens that the server keeps: its Java, line by line, in numpy's float32."""
    values = {token: F(weight) for token, weight in weights.items()}
    if kind == "max_ratio":
        largest = max(values.values(), default=F(0))
        return {token for token, value in values.items() if value >= F(ratio) * largest}
    if kind == "abs_value":
        return {token for token, value in values.items() if value >= F(ratio)}
    total, mass, kept = F(np.sum(np.array(list(values.values()), dtype=np.float64))), F(0), set()
    for token in sorted(values, key=lambda token: (-values[token], token)):
        mass = mass + values[token]
        if mass <= F(ratio) * total:
            kept.add(token)
    return kept


@given(VECTORS, RATIOS)
@example({"a": 1.0, "b": 0.1}, 0.1)
@example({"a": 3.0, "b": 0.3}, 0.1)
@example({"a": 0.7, "b": 0.07}, 0.1)
@example({"a": 3.4e38, "b": 3.4e38}, 0.9)
@pytest.mark.parametrize("kind", ["max_ratio", "abs_value", "alpha_mass"])
def test_tokens_kept_are_those_the_server_keeps(kind: str, weights: dict[str, float], ratio: float) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        expected = on_the_server(weights, kind, ratio)
    assert set(Prune(type=PruneType(kind), ratio=ratio)(SparseVector(weights))) == expected


@given(VECTORS, st.integers(1, 14))
def test_top_k_keeps_the_heaviest(weights: dict[str, float], count: int) -> None:
    kept = prune_top_k(SparseVector(weights), count)
    assert len(kept) == min(count, len(weights))
    left_out = [F(weight) for token, weight in weights.items() if token not in kept]
    assert not kept or not left_out or min(map(F, kept.values())) >= max(left_out)


@given(VECTORS, st.sampled_from(["max_ratio:0.3", "abs_value:0.2", "top_k:3", "alpha_mass:0.7", "none"]))
def test_weights_and_their_order_are_kept_and_pruning_twice_by_a_threshold_changes_nothing(weights, rule) -> None:
    prune, vector = Prune.parse(rule), SparseVector(weights)
    pruned = prune(vector)
    assert list(pruned.items()) == [(token, weight) for token, weight in vector.items() if token in pruned]
    if not rule.startswith("alpha"):
        assert prune(pruned) == pruned


def test_equal_weights_are_kept_by_name() -> None:
    vector = SparseVector({"c": 1.0, "a": 1.0, "b": 1.0})
    assert set(prune_top_k(vector, 2)) == {"a", "b"}
    assert set(prune_alpha_mass(vector, 0.7)) == {"a", "b"}


def test_mass_drops_the_token_that_goes_beyond_and_may_leave_none() -> None:
    assert prune_alpha_mass(SparseVector({"a": 9.0, "b": 1.0}), 0.8) == {}


def test_published_vector_of_gte_keeps_53_of_80_tokens_at_a_tenth() -> None:
    import json

    from tests.paths import GOLDEN

    path = GOLDEN / "doc_v3_gte_weather_document.json"
    if not path.is_file():
        pytest.skip(f"the published vector is not at {path}")
    vector = SparseVector(json.loads(path.read_text()))
    assert (len(vector), len(Prune.parse("max_ratio:0.1")(vector))) == (80, 53)


@pytest.mark.parametrize(
    "rule", [*(f"{kind}:0.5" for kind in ("max_ratio", "abs_value", "alpha_mass")), "top_k:2", "none"]
)
def test_rule_survives_its_dict_and_leaves_an_empty_vector_alone(rule: str) -> None:
    prune = Prune.parse(rule)
    assert Prune.parse(prune.to_dict()) == prune == Prune.parse(prune)
    assert prune(SparseVector()) == {}


def test_no_rule_stays_no_rule() -> None:
    assert Prune.parse(None) is None


@pytest.mark.parametrize(
    ("kind", "ratio"),
    [
        ("max_ratio", 1.0),
        ("max_ratio", -0.1),
        ("max_ratio", 0.99999999),
        ("max_ratio", None),
        ("alpha_mass", 1.5),
        ("abs_value", -1.0),
        ("abs_value", float("nan")),
        ("abs_value", float("inf")),
        ("top_k", 0),
        ("top_k", 1.5),
        ("top_k", float("inf")),
        ("none", 0.1),
    ],
)
def test_ratio_that_the_server_would_refuse_is_refused(kind: str, ratio: float | None) -> None:
    with pytest.raises(ValueError, match=rf"Prune type '{kind}' takes"):
        Prune(type=PruneType(kind), ratio=ratio)


@pytest.mark.parametrize("rule", ["median:0.5", "max_ratio:much", {"type": "top_k", "ratio": 3, "field": "x"}])
def test_rule_that_is_none_is_refused(rule) -> None:
    with pytest.raises(ValueError, match=r"median|much|field"):
        Prune.parse(rule)
