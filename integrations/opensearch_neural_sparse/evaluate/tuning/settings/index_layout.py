"""The index and the options of a search that a setting needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25, DENSE, SPARSE
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting, TunedLeg
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, Embedder, Leg, SparseLeg
from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions

TEXT_FIELD = IndexSchema.text_field


@dataclass(frozen=True, kw_only=True)
class IndexLayout:
    """An index that has what a setting searches, and nothing more.

    Attributes:
        model: Model of the index.
        analyzers: Analyzer of the text field, then those of its subfields.
        prune: Tokens that documents keep.
        more_models: Additional sparse field -> its model.
        dense_model: Model of the dense vectors, or None.
        dimension: Number of their dimensions, or None.
    """

    model: str
    analyzers: tuple[str, ...]
    prune: Prune | None = None
    more_models: Mapping[str, str] = field(default_factory=dict)
    dense_model: str | None = None
    dimension: int | None = None

    @classmethod
    def of(cls, setting: SearchSetting, default: SearchSetting, dimension: int | None = None) -> IndexLayout:
        """Return the layout for a setting.

        Args:
            setting: The setting.
            default: The default setting, with model and analyzer of an index that the setting does not search by.
            dimension: Number of dimensions of dense vectors, or None.
        """
        sources = {kind: _sources(setting, kind) for kind in (BM25, SPARSE, DENSE)}
        model, *more = sources[SPARSE] or _sources(default, SPARSE)
        dense = next(iter(sources[DENSE]), None)
        return cls(
            model=model,
            analyzers=sources[BM25] or _sources(default, BM25),
            prune=setting.variant.document_prune,
            more_models={f"sparse_{number}": other for number, other in enumerate(more, 2)},
            dense_model=dense,
            dimension=None if dense is None else dimension,
        )

    @property
    def absolute(self) -> IndexLayout:
        """The layout with the whole path of each model that is a folder."""
        return replace(
            self,
            model=_absolute(self.model),
            more_models={name: _absolute(model) for name, model in self.more_models.items()},
            dense_model=None if self.dense_model is None else _absolute(self.dense_model),
        )

    @property
    def subfields(self) -> dict[str, str]:
        """Subfield of the text -> its analyzer."""
        return {name: name for name in self.analyzers[1:]}

    def field_of(self, leg: TunedLeg) -> str | None:
        """Return the field that a leg searches; None is the schema's own."""
        if leg.kind == BM25:
            return None if leg.source == self.analyzers[0] else f"{TEXT_FIELD}.{leg.source}"
        models = self.more_models.items()
        return next((name for name, model in models if _absolute(model) == _absolute(leg.source)), None)

    def leg(self, leg: TunedLeg, embedder: Embedder | None) -> Leg:
        """Return a leg of a search."""
        if leg.kind == DENSE:
            return DenseLeg(embedder=embedder)
        kind = Bm25Leg if leg.kind == BM25 else SparseLeg
        searched = self.field_of(leg)
        return kind() if searched is None else kind(field=searched, name=leg_name(leg))

    def hybrid_options(self, setting: SearchSetting, embedder: Embedder | None = None) -> HybridOptions:
        """Return the options of the search by a setting of two or more legs."""
        fusion = setting.fusion
        assert fusion is not None  # noqa: S101 (so many legs are fused)
        return HybridOptions(
            legs=tuple(self.leg(leg, embedder) for leg in setting.legs),
            normalization=fusion.normalization,
            combination=fusion.combination,
            rank_constant=fusion.rank_constant,
            weights=fusion.weights,
            prune=setting.variant.query_prune,
            two_phase=setting.variant.two_phase,
        )

    def sparse_options(self, setting: SearchSetting) -> SearchOptions:
        """Return the options of the search by a setting of one sparse leg."""
        return SearchOptions(prune=setting.variant.query_prune, two_phase=setting.variant.two_phase)


def leg_name(leg: TunedLeg) -> str:
    """Return the name of a leg in the options of a search."""
    return leg.name.replace(" ", "_")


def _absolute(model: str) -> str:
    return str(Path(model).resolve()) if Path(model).is_dir() else model


def _sources(setting: SearchSetting, kind: str) -> tuple[str, ...]:
    return tuple(leg.source for leg in setting.legs if leg.kind == kind)
