"""An evaluation of a few sentences on a real server of each line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from opensearch_neural_sparse import (
    IndexSchemaError,
    Prune,
    SparseDocument,
    SparseVector,
    load_query_encoder,
    register_model,
)
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.evaluation import evaluate
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import every_hybrid, parse_hybrid
from opensearch_neural_sparse.evaluate.experiments.runs import Setting
from opensearch_neural_sparse.evaluate.experiments.temporary_index import fill, index_bytes, temporary_index
from opensearch_neural_sparse.evaluate.metrics.relevance import METRICS, NDCG_AT_10
from tests.evaluate.collections import DOCUMENTS, QUERIES, SENTENCES
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

PRUNED = Setting(model=SMALL_MODEL, prune=Prune.parse("top_k:20"))
SETTINGS = (Setting(model=SMALL_MODEL), PRUNED)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "vectors.sqlite"


def test_every_way_is_measured_in_every_setting(client, cache: Path) -> None:
    before = set(client.indices.get(index="evaluate-*"))
    told: list[tuple[str, int, int]] = []
    runs = list(
        evaluate(
            client,
            SENTENCES,
            SETTINGS,
            cache=cache,
            hybrids=[parse_hybrid("rrf"), parse_hybrid("rrf:0.6,0.4")],
            progress=lambda *news: told.append(news),
        )
    )
    ways = ["sparse", "hybrid rrf", "hybrid rrf:0.6,0.4", "sparse exact"]
    assert [(run.way, run.setting) for run in runs] == [
        ("bm25 english", ""),
        *[(way, setting.label) for setting in SETTINGS for way in ways],
    ]
    assert all(set(run.metrics) == set(METRICS) and run.per_query.keys() == QUERIES.keys() for run in runs)
    found = {(run.way, run.setting): run for run in runs}
    for setting in SETTINGS:
        server, exact = found["sparse", setting.label], found["sparse exact", setting.label]
        assert server.metrics[NDCG_AT_10] == pytest.approx(exact.metrics[NDCG_AT_10], abs=0.002)
        assert exact.metrics[NDCG_AT_10] > 0.9
        assert server.cost.index_bytes
        assert 0 < server.cost.p50_ms <= server.cost.p99_ms
    whole, pruned = (found["sparse", setting.label].cost for setting in SETTINGS)
    assert pruned.document_tokens <= 20 < whole.document_tokens
    assert pruned.flops < whole.flops
    assert pruned.encoded == 0  # pruning needs no further encoding
    assert ("encoding sentences", len(DOCUMENTS), len(DOCUMENTS)) in told
    assert ("sentences: sparse", len(QUERIES), len(QUERIES)) in told
    assert set(client.indices.get(index="evaluate-*")) <= before


def test_what_was_encoded_is_not_encoded_again(client, cache: Path) -> None:
    first, second = (list(evaluate(client, SENTENCES, SETTINGS[:1], cache=cache)) for _ in range(2))
    assert second[-1].cost.encoded == 0
    assert second[-1].rankings == first[-1].rankings


class Letters:
    """Counts letters, and how many documents it was given."""

    name, encoded = "letters", 0

    def encode_query(self, text: str) -> list[float]:
        return [1.0 + text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"]

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Sequence[float]]:
        self.encoded += len(texts)
        return [self.encode_query(text) for text in texts]


def test_dense_vectors_are_searched_and_fused_with_the_others(client, cache: Path) -> None:
    dense, hybrids = Letters(), every_hybrid([])
    runs = list(evaluate(client, SENTENCES, SETTINGS, cache=cache, hybrids=hybrids, dense=dense))
    first, second = (setting.label for setting in SETTINGS)
    assert [(run.way, run.setting) for run in runs] == [
        ("bm25 english", ""),
        ("sparse", first),
        ("dense", "letters"),
        ("hybrid rrf", first),
        ("hybrid bm25+dense:rrf", "letters"),
        ("hybrid sparse+dense:rrf", f"{first} + letters"),
        ("hybrid bm25+sparse+dense:rrf", f"{first} + letters"),
        ("sparse exact", first),
        ("sparse", second),
        ("hybrid rrf", second),
        ("hybrid sparse+dense:rrf", f"{second} + letters"),
        ("hybrid bm25+sparse+dense:rrf", f"{second} + letters"),
        ("sparse exact", second),
    ]
    found = runs[2]
    assert all(len(ranking) == len(DOCUMENTS) for ranking in found.rankings.values())
    assert (found.cost.flops, found.cost.encoded, dense.encoded) == (None, len(DOCUMENTS), len(DOCUMENTS))
    assert runs[4].cost.flops is None
    assert runs[5].cost.flops == runs[1].cost.flops


def test_the_size_of_an_index_is_that_of_all_its_documents_whoever_asked_before(client) -> None:
    encoder = load_query_encoder(SMALL_MODEL)
    with temporary_index(client, "evaluate", model=SMALL_MODEL, query_encoder=encoder) as store:
        empty = index_bytes(client, store.index)
        vector = SparseVector({"river": 1.0})
        fill(store, (SparseDocument(id=str(n), text=f"{n} " * 200, vector=vector) for n in range(200)))
        assert index_bytes(client, store.index) > empty + 10_000


def test_equal_scores_are_ranked_in_the_order_of_the_collection_each_time(client) -> None:
    encoder, vector = load_query_encoder(SMALL_MODEL), SparseVector({"river": 1.0})
    names = [str(number) for number in range(3000)]
    with temporary_index(client, "evaluate", model=SMALL_MODEL, query_encoder=encoder) as store:
        fill(store, (SparseDocument(id=name, text="A river.", vector=vector) for name in names))
        for search in (store.search, store.match_search, store.hybrid_search):
            assert [hit.id for hit in search("river", size=100)] == names[:100]


def test_an_index_is_deleted_when_the_work_is_broken_off(client, cache: Path) -> None:
    before = set(client.indices.get(index="evaluate-*"))

    def stop(what: str, done: int, total: int) -> None:
        if what == "sentences: sparse":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(evaluate(client, SENTENCES, SETTINGS[:1], cache=cache, progress=stop))
    assert set(client.indices.get(index="evaluate-*")) <= before


def test_settings_are_called_by_what_differs() -> None:
    setting = Setting(model=Path("models") / "small-en", max_length=256, prune=Prune.parse("max_ratio:0.1"))
    assert setting.label == "small-en, max_length 256, max_ratio 0.1"
    assert Setting(model="org/doc-v3").label == "doc-v3"


def test_documents_of_equal_scores_count_in_the_order_that_the_server_gives(client, cache: Path) -> None:
    names = ["a", "c", "b", "d"]
    equal = Collection(
        name="equal",
        documents=dict.fromkeys(names, "Rivers carry water to the sea."),
        queries={"q1": "water of rivers", "q2": "where is the sea"},
        judgements={"q1": {"a": 1}, "q2": {"c": 1}},
    )
    runs = list(evaluate(client, equal, SETTINGS[:1], cache=cache, hybrids=[parse_hybrid("rrf")], dense=Letters()))
    for run in runs:
        for query, judged in equal.judgements.items():
            served = list(run.rankings[query])
            assert sorted(served) == sorted(names)
            assert run.per_query[query]["RR@10"] == pytest.approx(1 / (served.index(next(iter(judged))) + 1))
    written = [list(run.rankings["q1"]) for run in runs if run.way in ("bm25 english", "sparse")]
    assert written == [names, names]


def test_bm25_is_measured_by_each_analyzer_and_hybrids_by_the_first(client, cache: Path) -> None:
    forms = Collection(
        name="forms",
        documents={"water": "Rivers carry water.", "rock": "A glacier is ice."},
        queries={"q1": "what is a river?", "q2": "glaciers of ice"},
        judgements={"q1": {"water": 1}, "q2": {"rock": 1}},
    )
    hybrid = parse_hybrid("rrf:0.9,0.1")
    found = {}
    for analyzers in (("english", "standard"), ("standard", "english")):
        runs = list(evaluate(client, forms, SETTINGS, cache=cache, hybrids=[hybrid], analyzers=analyzers))
        first, second = (f"bm25 {name}" for name in analyzers)
        assert [run.way for run in runs] == [first, second, *["sparse", f"hybrid {hybrid}", "sparse exact"] * 2]
        found[analyzers[0]] = {run.way: run for run in runs[:4]}
    for rows in found.values():
        assert rows["bm25 english"].rankings["q1"].keys() == {"water"}
        assert rows["bm25 standard"].rankings["q1"].keys() == {"rock"}
        assert rows["bm25 english"].metrics[NDCG_AT_10] > rows["bm25 standard"].metrics[NDCG_AT_10]
    best = {analyzer: next(iter(rows[f"hybrid {hybrid}"].rankings["q1"])) for analyzer, rows in found.items()}
    assert best == {"english": "water", "standard": "rock"}


@pytest.mark.parametrize(("languages", "analyzer"), [("de", "german"), (("de", "en"), "standard")])
def test_bm25_is_measured_by_the_analyzer_of_the_models_language(
    client, cache: Path, languages: str | Sequence[str], analyzer: str
) -> None:
    register_model(SMALL_MODEL, name="ours", languages=languages)
    runs = evaluate(client, SENTENCES, [Setting(model="ours")], cache=cache)
    assert next(runs).way == f"bm25 {analyzer}"
    runs.close()


def test_an_analyzer_that_the_server_lacks_is_named_before_anything_is_encoded(client, tmp_path: Path) -> None:
    cache = tmp_path / "vectors.sqlite"
    with pytest.raises(IndexSchemaError, match=r"The server has no analyzer 'klingon'\. .* standard, .*english"):
        list(evaluate(client, SENTENCES, SETTINGS, cache=cache, analyzers=["english", "klingon"]))
    assert not cache.exists()
