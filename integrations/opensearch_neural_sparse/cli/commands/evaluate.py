"""`opensearch-neural-sparse evaluate`: relevance and cost of models on judged collections."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.evaluation.options import (
    AnalyzersOption,
    CacheOption,
    CollectionsArgument,
    DenseOption,
    HybridsOption,
    LegsOption,
    LengthsOption,
    LexicalOption,
    ModelsOption,
    OutputOption,
    PrunesOption,
    SeedOption,
    SplitOption,
    TuneOption,
    WriteOption,
)
from opensearch_neural_sparse.cli.evaluation.tuning import TuningPlan, read_space, refuse_options, tune_collections
from opensearch_neural_sparse.cli.options import usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json, shown_bar
from opensearch_neural_sparse.cli.remedies import in_shell_words

if TYPE_CHECKING:
    from opensearch_neural_sparse.evaluate.datasets.beir import Collection
    from opensearch_neural_sparse.evaluate.experiments.dense_encoder import DenseEncoder
    from opensearch_neural_sparse.evaluate.experiments.encoded_collection import Progress
    from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import Hybrid
    from opensearch_neural_sparse.evaluate.experiments.runs import Run, Setting

MOST_LEGS = 5
COLUMNS = ("COLLECTION", "WAY", "MODELS", "NDCG@10", "RECALL@100", "FLOPS", "P50 MS")


@connected
def evaluate(
    connection: Connection,
    collections: CollectionsArgument,
    model: ModelsOption = None,
    prune: PrunesOption = None,
    max_length: LengthsOption = None,
    hybrid: HybridsOption = None,
    dense: DenseOption = None,
    analyzer: AnalyzersOption = None,
    lexical: LexicalOption = None,
    split: SplitOption = None,
    output: OutputOption = Path("evaluation"),
    cache: CacheOption = None,
    tune: TuneOption = False,
    seed: SeedOption = 0,
    legs: LegsOption = MOST_LEGS,
    write: WriteOption = None,
    json: JsonOption = False,
) -> None:
    """Measure relevance and cost of BM25, sparse, dense and hybrid search on judged collections.

    Each collection has a separate index, which is deleted at the end. Vectors are cached in a file, so that an
    interrupted evaluation does not encode again.
    """
    check_collections(collections)
    refuse_options(
        tune,
        {"--seed": seed != 0, "--legs": legs != MOST_LEGS, "--write": write},
        {"--hybrid": hybrid, "--lexical": lexical, "A second --max-length": len(max_length or []) > 1},
    )
    file = cache or output / "vectors.sqlite"
    if tune:
        rules = [setting.prune for setting in read_settings((model or [])[:1], prune or [], max_length or [])]
        tuning = TuningPlan(
            space=read_space(model or [], analyzer or [], dense, rules if prune else [], legs),
            cache=file,
            dense=dense,
            max_length=next(iter(max_length or []), None),
            seed=seed,
            folder=write,
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        tune_collections(connection, [read(name, split) for name in collections], tuning, json=json)
        return
    plan = Plan(
        settings=read_settings(model or [], prune or [], max_length or []),
        hybrids=read_hybrids(hybrid or [], with_dense=dense is not None),
        cache=file,
        dense=dense,
        analyzers=list(dict.fromkeys(analyzer or [])),
        lexical=lexical or [],
    )
    output.mkdir(parents=True, exist_ok=True)
    summary = measure(connection, collections, split, plan, output)
    if json:
        print_json(summary)
    else:
        print_table(summary)
        typer.echo(f"Written to {output}: results.json, results.md, queries.jsonl, relevance.png.")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Runs to measure on each collection.

    Attributes:
        settings: Models, and how they encode documents.
        hybrids: What is fused, and how.
        cache: File of the vectors.
        dense: Name of the dense model, or None.
        analyzers: Analyzers of the texts; none takes that of each model's language.
        lexical: Folders of the baselines.

    Raises:
        BadParameter: There is nothing to measure, or dense search without a model beside it.
    """

    settings: "list[Setting]"
    hybrids: "list[Hybrid]"
    cache: Path
    dense: str | None
    analyzers: list[str]
    lexical: list[Path]

    def __post_init__(self) -> None:
        if self.settings:
            return
        if self.dense is not None or self.hybrids or self.analyzers:
            raise typer.BadParameter("Give a --model: --analyzer, --dense and --hybrid are measured beside it.")
        if not self.lexical:
            raise typer.BadParameter("Give a --model or a --lexical folder.")


def check_collections(names: list[str]) -> None:
    """Check that each name is a collection, before the first run."""
    from opensearch_neural_sparse.evaluate.datasets.loader import check_source

    with usage_errors():
        for name in names:
            check_source(name)


def read_settings(models: list[str], prunes: list[str], lengths: list[int]) -> "list[Setting]":
    """Return all combinations of models, lengths and pruning rules, after checking each model with each length."""
    from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
    from opensearch_neural_sparse.encode.pruning import Prune
    from opensearch_neural_sparse.evaluate.experiments.runs import Setting

    with usage_errors("--prune"):
        rules = [None if text == "none" else Prune.parse(text) for text in prunes or ["none"]]
    limits: list[int | None] = [*lengths] or [None]
    with usage_errors("--max-length"):
        for model, length in product(models, limits):
            load_document_encoder(model, max_length=length).close()
    return [
        Setting(model=model, max_length=length, prune=rule) for model, length, rule in product(models, limits, rules)
    ]


def read_hybrids(texts: list[str], *, with_dense: bool) -> "list[Hybrid]":
    """Return the hybrid searches; with dense search, every choice of legs as well."""
    from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import DENSE, every_hybrid, parse_hybrid

    with usage_errors("--hybrid"):
        hybrids = list(map(parse_hybrid, texts))
    if with_dense:
        return every_hybrid(hybrids)
    if any(DENSE in hybrid.legs for hybrid in hybrids):
        raise typer.BadParameter("A hybrid with dense search needs --dense MODEL.", param_hint="--hybrid")
    return hybrids


def measure(connection: Connection, names: list[str], split: str | None, plan: Plan, output: Path) -> dict[str, Any]:
    """Measure the collections in turn; write the results after each, and return them."""
    runs: list[Run] = []
    judgements: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    dense = open_dense(plan)
    with shown_bar() as progress:
        for name in names:
            collection = read(name, split)
            judgements[collection.name] = collection.judgements
            runs += indexed_runs(connection, collection, plan, dense, progress)
            runs += lexical_runs(collection, plan.lexical)
            summary = write(output, runs, plan.settings, judgements)
    return summary


def open_dense(plan: Plan) -> "DenseEncoder | None":
    """Return the dense encoder, which loads its model on first use."""
    from opensearch_neural_sparse.evaluate.experiments.dense_encoder import SentenceEncoder

    return None if plan.dense is None else SentenceEncoder(plan.dense, plan.cache)


def read(name: str, split: str | None) -> "Collection":
    """Read a collection; report a malformed one as a usage error."""
    from opensearch_neural_sparse.evaluate.datasets.loader import read_source

    try:
        return read_source(name, split)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(in_shell_words(error), param_hint="COLLECTION") from None


def indexed_runs(
    connection: Connection, collection: "Collection", plan: Plan, dense: "DenseEncoder | None", progress: "Progress"
) -> "Iterator[Run]":
    """Yield the runs on the server; none without a model."""
    from opensearch_neural_sparse.evaluate.experiments.evaluation import evaluate as evaluate_collection

    if not plan.settings:
        return
    with (
        connection.client() as client,
        closing(
            evaluate_collection(
                client,
                collection,
                plan.settings,
                cache=plan.cache,
                hybrids=plan.hybrids,
                dense=dense,
                analyzers=plan.analyzers,
                progress=progress,
            )
        ) as runs,
    ):
        yield from runs


def lexical_runs(collection: "Collection", folders: list[Path]) -> "Iterator[Run]":
    """Yield the runs of the baselines."""
    from opensearch_neural_sparse.evaluate.experiments.evaluation import evaluate_lexically
    from opensearch_neural_sparse.evaluate.experiments.lexical_baseline import load_lexical_encoder

    for folder in folders:
        yield evaluate_lexically(collection, load_lexical_encoder(folder), setting=folder.resolve().name)


def write(output: Path, runs: "list[Run]", settings: "list[Setting]", judgements: Mapping[str, Any]) -> dict[str, Any]:
    """Write and return the results so far."""
    from opensearch_neural_sparse.evaluate.reporting.report import write_report
    from opensearch_neural_sparse.evaluate.reporting.summary import query_rows, summarise

    summary = summarise(runs, settings)
    write_report(output, summary, query_rows(runs, judgements))
    return summary


def print_table(summary: Mapping[str, Any]) -> None:
    """Print a table with a row per run."""

    def cells(row: Mapping[str, Any]) -> tuple[str | None, ...]:
        metrics, cost = row["metrics"], row["cost"]
        numbers = [(metrics["nDCG@10"], 4), (metrics["R@100"], 4), (cost["flops"], 2), (cost["p50_ms"], 1)]
        shown = [None if value is None else f"{value:.{digits}f}" for value, digits in numbers]
        return (row["collection"], row["way"], row["setting"] or None, *shown)

    print_columns([COLUMNS, *map(cells, summary["runs"])])
