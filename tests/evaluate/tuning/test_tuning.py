"""Tuning a few sentences on a real server of each line, and running the code that comes of it."""

from __future__ import annotations

import json
import runpy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
from haystack import Document, Pipeline

from opensearch_neural_sparse import Prune, TwoPhase, register_model
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import (
    FusionSetting,
    SearchSetting,
    SparseVariant,
)
from opensearch_neural_sparse.evaluate.tuning.settings.split import split_queries
from opensearch_neural_sparse.evaluate.tuning.sweep import Sweep
from opensearch_neural_sparse.evaluate.tuning.tuning import tune, tuning_space
from opensearch_neural_sparse.evaluate.tuning.tuning_report import Measured, Tuning
from opensearch_neural_sparse.evaluate.tuning.winner.files import (
    HAYSTACK_INDEXING,
    HAYSTACK_SEARCH,
    LANGCHAIN,
    PYTHON,
    winner_files,
    write_winner,
)
from opensearch_neural_sparse.search.options.fusion import Combination, Normalization
from tests.evaluate.collections import DOCUMENTS, JUDGEMENTS, QUERIES, SENTENCES
from tests.paths import SMALL_MODEL

MODEL = str(SMALL_MODEL)
SPACE = tuning_space([MODEL])
ENGLISH, STANDARD, SPARSE = SPACE.legs


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "vectors.sqlite"


def test_a_setting_is_chosen_on_one_half_and_measured_on_the_other(client, cache: Path) -> None:
    found = tune(client, SENTENCES, SPACE, cache=cache, seed=3)
    halves = split_queries(JUDGEMENTS, 3)
    assert found.default.values.keys() == found.winner.values.keys() == set(halves.reported_on)
    assert found.queries == (3, 3)
    assert found.tried > 500
    assert found.winner.chosen_on >= found.default.chosen_on
    assert found.default.setting == SPACE.default
    assert abs(found.default.gap) < 1e-9
    assert abs(found.winner.gap) < 1e-9
    assert found.alone.keys() == {"bm25 english", "bm25 standard", "sparse"}
    assert not found.is_better  # three queries show nothing
    assert found.recommended is found.default
    assert "keep" in found.conclusion()
    assert json.loads(json.dumps(found.to_dict()))["recommended"] == "default"


def test_tuning_again_finds_the_same(client, cache: Path) -> None:
    first, second = (tune(client, SENTENCES, SPACE, cache=cache, seed=1).to_dict() for _ in range(2))
    assert first == second


def test_the_sweep_finds_the_best_of_what_it_tries_and_the_first_of_equals() -> None:
    liked = SearchSetting(legs=(STANDARD, SPARSE), fusion=FusionSetting(normalization=Normalization.MIN_MAX))

    def score(settings: Sequence[SearchSetting]) -> list[float]:
        return [float(replace(setting, variant=SparseVariant()) == liked) for setting in settings]

    sweep = Sweep(SPACE, score)
    assert sweep.choose() == liked
    assert Sweep(SPACE, lambda settings: [0.5] * len(settings)).choose() == SPACE.default


def test_pruning_is_chosen_for_the_best_fusion() -> None:
    pruned = SparseVariant(document_prune=Prune.parse("max_ratio:0.1"), query_prune=Prune.parse("max_ratio:0.2"))

    def score(settings: Sequence[SearchSetting]) -> list[float]:
        return [len(setting.legs) + (setting.variant == pruned) for setting in settings]

    best = Sweep(replace(SPACE, most_legs=2), score).choose()
    assert (len(best.legs), best.variant) == (2, pruned)


VARIANT = SparseVariant(document_prune=Prune.parse("max_ratio:0.05"), query_prune=Prune.parse("max_ratio:0.1"))
MEANS = FusionSetting(
    normalization=Normalization.MIN_MAX, combination=Combination.GEOMETRIC_MEAN, weights=(0.2, 0.3, 0.5)
)
SETTINGS = {
    "bm25": SearchSetting(legs=(STANDARD,)),
    "sparse": SearchSetting(legs=(SPARSE,), variant=replace(VARIANT, two_phase=TwoPhase(prune_ratio=0.2))),
    "ranks": SearchSetting(
        legs=(ENGLISH, SPARSE),
        fusion=FusionSetting(rank_constant=5, weights=(0.7, 0.3)),
        variant=replace(VARIANT, two_phase=TwoPhase(prune_ratio=0.2)),
    ),
    "three legs": SearchSetting(legs=(ENGLISH, STANDARD, SPARSE), fusion=MEANS, variant=VARIANT),
}


def tuned(setting: SearchSetting, layout: IndexLayout | None = None) -> Tuning:
    measured = Measured(
        setting=setting,
        layout=layout or IndexLayout.of(setting, SPACE.default),
        chosen_on=0.5,
        computed=0.5,
        values={"q1": 0.5, "q2": 0.6},
    )
    return Tuning(collection="sentences", seed=0, queries=(4, 2), tried=9, default=measured, winner=measured, alone={})


@pytest.mark.parametrize("name", SETTINGS)
def test_the_three_programs_run_and_find_the_same(server, index_name: str, tmp_path: Path, name: str) -> None:
    tuning = tuned(SETTINGS[name])
    write_winner(tuning, tmp_path)
    program = runpy.run_path(str(tmp_path / PYTHON))
    with program["open_store"](index_name, server.url) as store:
        program["write"](store, DOCUMENTS)
        found = {text: [hit.id for hit in program["search"](store, text)] for text in QUERIES.values()}
        assert any(found.values())
        layer = runpy.run_path(str(tmp_path / LANGCHAIN))
        with layer["open_vectorstore"](index_name, server.url) as vectorstore:
            retriever = layer["make_retriever"](vectorstore)
            for text, ids in found.items():
                assert [document.id for document in retriever.invoke(text)] == ids
        pages = winner_files(tuning, index=index_name, url=server.url)
        Pipeline.loads(pages[HAYSTACK_INDEXING]).run(
            {"embedder": {"documents": [Document(id=key, content=text) for key, text in DOCUMENTS.items()]}}
        )
        search = Pipeline.loads(pages[HAYSTACK_SEARCH])
        for text, ids in found.items():
            documents = search.run({"retriever": {"query": text}})["retriever"]["documents"]
            assert sorted(document.id for document in documents) == sorted(ids)
            again = [hit.id for hit in program["search"](store, text)]
            assert [document.id for document in documents] == again
        store.delete_index()


def test_a_leg_of_a_further_model_has_a_field_that_the_programs_make(
    client, server, index_name: str, tmp_path: Path, cache: Path
) -> None:
    other = str(copytree(SMALL_MODEL, tmp_path / "other"))
    space = tuning_space([MODEL, other], document_prunes=(None,), query_prunes=(None,), two_phases=(None,))
    found = tune(client, SENTENCES, replace(space, most_legs=2), cache=cache)
    assert found.alone["sparse other"] == found.alone["sparse"]
    legs = tuple(leg for leg in space.legs if leg.kind == "sparse")
    setting = SearchSetting(legs=legs, fusion=FusionSetting(weights=(0.2, 0.8)))
    layout = IndexLayout.of(setting, space.default)
    pages = winner_files(tuned(setting, layout), index=index_name, url=server.url)
    assert pages.keys() == {PYTHON, LANGCHAIN, HAYSTACK_SEARCH}
    (tmp_path / PYTHON).write_text(pages[PYTHON], encoding="utf-8")
    program = runpy.run_path(str(tmp_path / PYTHON))
    with program["open_store"](index_name, server.url) as store:
        program["write"](store, DOCUMENTS)
        register_model(other, name="other")
        search = Pipeline.loads(pages[HAYSTACK_SEARCH])
        for text in QUERIES.values():
            hits = program["search"](store, text)
            assert [hit.id for hit in hits] == [hit.id for hit in store.search(text)]
            documents = search.run({"retriever": {"query": text}})["retriever"]["documents"]
            assert [document.id for document in documents] == [hit.id for hit in hits]
