"""Python source of legs and options."""

from __future__ import annotations

import json
from typing import Any

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25, DENSE
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout, leg_name
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import (
    SearchSetting,
    SparseVariant,
    TunedLeg,
    two_phase_values,
)
from opensearch_neural_sparse.search.options.fusion import DEFAULT_RANK_CONSTANT, Combination


def quoted(value: object) -> str:
    """Return the source of a text, a number, or a list or mapping of these."""
    return json.dumps(value, ensure_ascii=False)


def call(name: str, /, **arguments: str | None) -> str:
    """Return the source of a call; arguments that are None are left out."""
    given = ", ".join(f"{key}={value}" for key, value in arguments.items() if value is not None)
    return f"{name}({given})"


def wrapped(source: str) -> str:
    """Return the source of a call with an argument a line, as far as commas are outside of brackets."""
    name, _, rest = source.partition("(")
    arguments, depth = [""], 0
    for character in rest[:-1]:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            arguments.append("")
        else:
            arguments[-1] += character
    lines = "".join(f"    {argument.strip()},\n" for argument in arguments if argument.strip())
    return f"{name}(\n{lines})" if lines else source


def prune_source(prune: Prune | None) -> str | None:
    """Return the source of a pruning rule, or None."""
    return None if prune is None else f"Prune.parse({quoted(rule_text(prune))})"


def rule_text(prune: Prune) -> str:
    """Return a pruning rule in the form that `Prune.parse` reads."""
    return str(prune.type) if prune.ratio is None else f"{prune.type}:{prune.ratio:g}"


def schema_source(layout: IndexLayout) -> str:
    """Return the source of the schema of an index."""
    dimension = None if layout.dimension is None else str(layout.dimension)
    subfields = quoted(layout.subfields) if layout.subfields else None
    analyzer = quoted(layout.analyzers[0])
    return call("IndexSchema", text_analyzer=analyzer, text_subfields=subfields, embedding_dimension=dimension)


def leg_source(leg: TunedLeg, layout: IndexLayout, *, dense: str) -> str:
    """Return the source of a leg; `dense` is that of a dense one."""
    if leg.kind == DENSE:
        return dense
    name, searched = "Bm25Leg" if leg.kind == BM25 else "SparseLeg", layout.field_of(leg)
    return f"{name}()" if searched is None else call(name, field=quoted(searched), name=quoted(leg_name(leg)))


def options_source(setting: SearchSetting, **more: str | None) -> str:
    """Return the source of the options of a search.

    Args:
        setting: The setting; its legs and weights are left out.
        more: Further arguments.
    """
    sources = {name: quoted(value) for name, value in fusion_values(setting).items()}
    name = "SearchOptions" if setting.fusion is None else "HybridOptions"
    return call(name, **more, **sources, **_variant_sources(setting.variant))


def fusion_values(setting: SearchSetting) -> dict[str, Any]:
    """Return the options of the fusion that differ from the default, without weights."""
    fusion = setting.fusion
    if fusion is None:
        return {}
    found: dict[str, Any] = {}
    if fusion.normalization is not None:
        found["normalization"] = str(fusion.normalization)
        if fusion.combination is not Combination.ARITHMETIC_MEAN:
            found["combination"] = str(fusion.combination)
    elif fusion.rank_constant != DEFAULT_RANK_CONSTANT:
        found["rank_constant"] = fusion.rank_constant
    return found


def tuple_source(parts: list[str]) -> str:
    """Return the source of a tuple."""
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def _variant_sources(variant: SparseVariant) -> dict[str, str | None]:
    phases = variant.two_phase
    values = None if phases is None else {name: quoted(value) for name, value in two_phase_values(phases).items()}
    return {
        "two_phase": None if values is None else call("TwoPhase", **values),
        "prune": prune_source(variant.query_prune),
    }
