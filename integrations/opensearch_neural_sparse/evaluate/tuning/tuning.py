"""Tune the search of a judged collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from opensearch_neural_sparse.errors import UnsupportedServerError
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.dense_encoder import MINILM, MINILM_HUB_ID, DenseEncoder
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import (
    Progress,
    encode,
    encode_densely,
    ignore_progress,
)
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25, DENSE, SPARSE
from opensearch_neural_sparse.evaluate.experiments.runs import Setting
from opensearch_neural_sparse.evaluate.experiments.search_methods import search_methods
from opensearch_neural_sparse.evaluate.experiments.temporary_index import check_analyzers
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, query_metrics
from opensearch_neural_sparse.evaluate.tuning.scores.leg_runs import LegRuns
from opensearch_neural_sparse.evaluate.tuning.scores.scoring import Scorer
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting, TunedLeg
from opensearch_neural_sparse.evaluate.tuning.settings.search_space import SearchSpace
from opensearch_neural_sparse.evaluate.tuning.settings.split import Halves, split_queries
from opensearch_neural_sparse.evaluate.tuning.stored_search import StoredSearch, Vectors, layout_index
from opensearch_neural_sparse.evaluate.tuning.sweep import Sweep
from opensearch_neural_sparse.evaluate.tuning.tuning_report import Measured, Tuning
from opensearch_neural_sparse.index.analyzers import STANDARD, analyzer_for
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.search.fusion.fusion_choice import choose_fusion
from opensearch_neural_sparse.search.options.fusion import Normalization
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


def tuning_space(
    models: Sequence[str], *, analyzers: Sequence[str] = (), dense: str | None = None, **choices: object
) -> SearchSpace:
    """Return the space for models, analyzers and a dense model.

    Args:
        models: Sparse models, the first of which is the default's.
        analyzers: Analyzers of BM25 legs, the first of which is the default's; by default that of the first model's
            language, and `standard`.
        dense: Name of a dense model, or None.
        choices: Further fields of `SearchSpace`.

    Raises:
        ValueError: No model, or choices that the space does not take.
    """
    if not models:
        raise ValueError("Tuning needs a sparse model; give one.")
    own = analyzer_for(get_model(models[0]).languages) or STANDARD
    names = list(dict.fromkeys(analyzers or (own, STANDARD)))
    legs = [TunedLeg(kind=BM25, source=name, name=f"{BM25} {name}") for name in names]
    first, *more = dict.fromkeys(models)
    legs.append(TunedLeg(kind=SPARSE, source=first, name=SPARSE))
    legs += [TunedLeg(kind=SPARSE, source=model, name=f"{SPARSE} {Path(model).name}") for model in more]
    if dense is not None:
        legs.append(TunedLeg(kind=DENSE, source=MINILM_HUB_ID if dense == MINILM else dense, name=DENSE))
    return SearchSpace(legs=tuple(legs), **choices)  # type: ignore[arg-type]


def tune(
    client: OpenSearch,
    collection: Collection,
    space: SearchSpace,
    *,
    cache: Path,
    dense: DenseEncoder | None = None,
    max_length: int | None = None,
    seed: int = 0,
    progress: Progress = ignore_progress,
) -> Tuning:
    """Choose a setting on one half of the judged queries, and measure it and the default on the other half.

    Documents are encoded once. BM25 and dense legs are searched for once each; sparse legs, pruning, two-phase search
    and fusions are computed from the vectors and those hits. The default and the winner are then searched for on
    indices of their own, which are temporary, and it is these searches that are reported.

    Args:
        client: A client of the server.
        collection: The collection.
        space: What is tried; normalisations that the server lacks are left out.
        cache: File of the vector cache; documents in it are not encoded again.
        dense: Dense encoder, where the space has a dense leg.
        max_length: Longest document in tokens; None is each model's own.
        seed: Seed of the halves.
        progress: Called as the work goes on.

    Raises:
        IndexSchemaError: The server lacks an analyzer.
        ValueError: Fewer than four judged queries.
    """
    halves = split_queries(collection.judgements, seed)
    check_analyzers(client, [leg.source for leg in space.legs if leg.kind == BM25])
    models = [leg.source for leg in space.legs if leg.kind == SPARSE]
    encoded = {
        model: encode(collection, Setting(model=model, max_length=max_length), cache, progress) for model in models
    }
    vectors = Vectors(encoded=encoded, dense=None if dense is None else encode_densely(collection, dense, progress))
    choice = choose(client, collection, space, vectors, halves, progress)

    def measured(setting: SearchSetting) -> Measured:
        layout = IndexLayout.of(setting, choice.default, None if vectors.dense is None else vectors.dense.dimension)
        search = StoredSearch(collection=collection, setting=setting, layout=layout, vectors=vectors)
        rankings = search.run(client, halves.reported_on, progress)
        judged = {query: collection.judgements[query] for query in halves.reported_on}
        values = {query: row[NDCG_AT_10] for query, row in query_metrics(judged, rankings, (NDCG_AT_10,)).items()}
        figures = {"chosen_on": choice.tried[setting], "computed": choice.computed[setting]}
        return Measured(setting=setting, layout=layout, **figures, values=values)

    default = measured(choice.default)
    return Tuning(
        collection=collection.name,
        seed=seed,
        queries=(len(halves.chosen_on), len(halves.reported_on)),
        tried=len(choice.tried),
        default=default,
        winner=default if choice.winner == choice.default else measured(choice.winner),
        alone={leg.name: choice.tried[SearchSetting(legs=(leg,))] for leg in space.legs},
    )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Setting chosen on the first half.

    Attributes:
        default: The default setting.
        winner: The best setting.
        tried: Setting -> mean NDCG@10 over the first half.
        computed: The same over the second half, for default and winner.
    """

    default: SearchSetting
    winner: SearchSetting
    tried: Mapping[SearchSetting, float]
    computed: Mapping[SearchSetting, float]


def choose(
    client: OpenSearch,
    collection: Collection,
    space: SearchSpace,
    vectors: Vectors,
    halves: Halves,
    progress: Progress,
) -> Choice:
    """Choose a setting, with one search of each query by each BM25 and dense leg, on an index of all of them."""
    model = next(iter(vectors.encoded))
    analyzers = tuple(leg.source for leg in space.legs if leg.kind == BM25)
    dense = next((leg.source for leg in space.legs if leg.kind == DENSE), None)
    layout = IndexLayout(model=model, analyzers=analyzers, dense_model=dense)
    with layout_index(client, collection, layout, vectors) as store:
        methods = {method.name: method for method in search_methods(store, (), vectors.embedder)}
        scorer = Scorer(collection, LegRuns(collection, vectors.encoded, methods, progress))
        known = replace(space, normalizations=known_normalizations(store, space.normalizations))

        def means(settings: Sequence[SearchSetting]) -> list[float]:
            progress(f"{collection.name}: settings", len(sweep.tried), len(sweep.tried) + len(settings))
            return [float(values.mean()) for values in scorer.score(settings, halves.chosen_on)]

        sweep = Sweep(known, means)
        winner = sweep.choose()
        computed = {
            setting: float(scorer.score([setting], halves.reported_on)[0].mean()) for setting in (known.default, winner)
        }
    return Choice(default=known.default, winner=winner, tried=sweep.tried, computed=computed)


def known_normalizations(store: NeuralSparseStore, wanted: Iterable[Normalization]) -> tuple[Normalization, ...]:
    """Return the normalisations that the server of an index has."""
    server, info = store.server(), store.open()

    def is_known(normalization: Normalization) -> bool:
        try:
            choose_fusion(server, store.index, info, HybridOptions(normalization=normalization))
        except UnsupportedServerError:
            return False
        return True

    return tuple(filter(is_known, wanted))
