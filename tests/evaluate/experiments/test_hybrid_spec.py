from __future__ import annotations

import pytest

from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import every_hybrid, parse_hybrid
from opensearch_neural_sparse.search.options.legs import DenseLeg


@pytest.mark.parametrize(
    "text",
    ["rrf", "rrf:0.3,0.7", "min_max", "z_score:0.5,0.5", "bm25+dense:rrf", "bm25+sparse+dense:l2:0.2,0.3,0.5"],
)
def test_what_is_read_is_written_the_same(text: str) -> None:
    assert str(parse_hybrid(text)) == text


def test_bm25_and_sparse_search_are_what_is_fused_by_default() -> None:
    hybrid = parse_hybrid("bm25+sparse:min_max:0.3,0.7")
    assert str(hybrid) == "min_max:0.3,0.7"
    options = hybrid.options(None)
    assert ([leg.name for leg in options.legs], options.normalization) == (["bm25", "sparse"], "min_max")
    assert options.weights == (0.3, 0.7)


def test_the_dense_leg_is_encoded_by_what_is_given() -> None:
    def embed(text: str) -> list[float]:
        return [1.0]

    leg = parse_hybrid("sparse+dense:rrf").options(embed).legs[1]
    assert isinstance(leg, DenseLeg)
    assert leg.embedder is embed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rff",
        "rrf:0.3",
        "rrf:0.3,0.3",
        "rrf:a,b",
        "min_max:1,1",
        "bm25:rrf",
        "bm25+sparse",
        "bm25+bm25:rrf",
        "bm25+sparse+dense:rrf:0.5,0.5",
        "words+sparse:rrf",
        "rrf:0.5,0.5:0.5",
    ],
)
def test_what_is_none_is_refused_and_the_form_is_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form \[LEGS:\]FUSION\[:WEIGHTS\], such as rrf:0\.3,0\.7\. "):
        parse_hybrid(text)


def test_with_dense_search_what_has_no_weights_is_fused_in_every_choice() -> None:
    everything = ["rrf", "bm25+dense:rrf", "sparse+dense:rrf", "bm25+sparse+dense:rrf"]
    assert list(map(str, every_hybrid([]))) == everything
    given = ["rrf", "min_max:0.4,0.6", "sparse+dense:l2", "rrf"]
    asked = every_hybrid(list(map(parse_hybrid, given)))
    assert list(map(str, asked)) == [*everything, "sparse+dense:l2", "min_max:0.4,0.6"]
