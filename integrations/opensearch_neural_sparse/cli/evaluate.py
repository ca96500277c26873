"""`opensearch-neural-sparse evaluate`: how well models answer judged collections, and at what cost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json

if TYPE_CHECKING:
    from opensearch_neural_sparse.evaluate.collection import Collection
    from opensearch_neural_sparse.evaluate.runs import Run, Setting

COLUMNS = ("collection", "way", "setting", "NDCG@10", "recall@100", "FLOPS", "p50 ms")


@connected
def evaluate(
    connection: Connection,
    collections: Annotated[
        list[Path], typer.Argument(exists=True, file_okay=False, help="Folders in the format of BEIR or MIRACL.")
    ],
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Name, id or folder of a model; may be repeated.")
    ] = None,
    prune: Annotated[
        list[str] | None,
        typer.Option("--prune", help="Which tokens documents keep, such as none or max_ratio:0.1; may be repeated."),
    ] = None,
    hybrid: Annotated[
        list[str] | None,
        typer.Option("--hybrid", help="How to fuse BM25 and sparse search: rrf, min_max:0.3,0.7; may be repeated."),
    ] = None,
    max_length: Annotated[
        list[int] | None, typer.Option("--max-length", help="Longest document in tokens; may be repeated.")
    ] = None,
    lexical: Annotated[
        list[Path] | None,
        typer.Option(
            "--lexical",
            exists=True,
            file_okay=False,
            help="Folder with tokenizer.json and idf.json, for the baseline without a network; may be repeated.",
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Which judgements.", show_default="test; dev of MIRACL")
    ] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder of the results.")] = Path("evaluation"),
    cache: Annotated[
        Path | None,
        typer.Option("--cache", dir_okay=False, help="File of vectors.", show_default="vectors.sqlite in the folder"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure relevance and cost of BM25, sparse and hybrid search on judged collections.

    Each collection is indexed under a name of its own, which is deleted. Vectors are kept in a file, so that an
    evaluation that was broken off goes on where it was.
    """
    settings = _settings(model or [], prune or [], max_length or [])
    if not settings and not lexical:
        raise typer.BadParameter("Give a --model or a --lexical folder.")
    hybrids = _checked_hybrids(hybrid or [])
    output.mkdir(parents=True, exist_ok=True)
    summary: dict[str, Any] = {}
    runs: list[Run] = []
    judgements = {}
    with shown_bar() as progress:
        for folder in collections:
            collection = _read(folder, split)
            judgements[collection.name] = collection.judgements
            runs += _indexed_runs(
                connection, collection, settings, hybrids, cache or output / "vectors.sqlite", progress
            )
            runs += _lexical_runs(collection, lexical or [])
            summary = _write(output, runs, settings, judgements)
    if as_json:
        print_json(summary)
    else:
        _print_table(summary)
        typer.echo(f"Written to {output}: results.json, results.md, queries.jsonl, relevance.png.")


def _indexed_runs(
    connection: Connection,
    collection: "Collection",
    settings: "list[Setting]",
    hybrids: list[str],
    cache: Path,
    progress: Callable[[str, int, int], None],
) -> "list[Run]":
    if not settings:
        return []
    from opensearch_neural_sparse.evaluate.evaluation import evaluate as evaluate_collection

    with connection.client() as client:
        return list(evaluate_collection(client, collection, settings, cache=cache, hybrids=hybrids, progress=progress))


def _lexical_runs(collection: "Collection", folders: list[Path]) -> "list[Run]":
    from opensearch_neural_sparse.evaluate.evaluation import evaluate_lexically
    from opensearch_neural_sparse.evaluate.lexical import load_lexical_encoder

    return [evaluate_lexically(collection, load_lexical_encoder(folder), setting=folder.name) for folder in folders]


def _settings(models: list[str], prunes: list[str], lengths: list[int]) -> "list[Setting]":
    from opensearch_neural_sparse.encode.prune import Prune
    from opensearch_neural_sparse.evaluate.runs import Setting

    try:
        rules = [None if text == "none" else Prune.parse(text) for text in prunes or ["none"]]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--prune") from None
    limits: list[int | None] = [*lengths] or [None]
    return [
        Setting(model=model, max_length=length, prune=rule) for model, length, rule in product(models, limits, rules)
    ]


def _checked_hybrids(hybrids: list[str]) -> list[str]:
    from opensearch_neural_sparse.evaluate.runs import parse_hybrid

    try:
        for text in hybrids:
            parse_hybrid(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--hybrid") from None
    return hybrids


def _read(folder: Path, split: str | None) -> "Collection":
    from opensearch_neural_sparse.evaluate.collection import read_collection
    from opensearch_neural_sparse.evaluate.miracl import TOPICS, read_miracl

    reader = read_miracl if (folder / TOPICS).is_dir() else read_collection
    try:
        return reader(folder) if split is None else reader(folder, split)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="COLLECTIONS") from None


def _write(output: Path, runs: "list[Run]", settings: "list[Setting]", judgements: dict[str, Any]) -> dict[str, Any]:
    from opensearch_neural_sparse.evaluate.report import write_report
    from opensearch_neural_sparse.evaluate.summary import query_rows, summarise

    summary = summarise(runs, settings)
    write_report(output, summary, query_rows(runs, judgements))
    return summary


def _print_table(summary: dict[str, Any]) -> None:
    def cells(row: dict[str, Any]) -> tuple[str | None, ...]:
        metrics, cost = row["metrics"], row["cost"]
        numbers = [(metrics["nDCG@10"], 4), (metrics["R@100"], 4), (cost["flops"], 2), (cost["p50_ms"], 1)]
        shown = [None if value is None else f"{value:.{digits}f}" for value, digits in numbers]
        return (row["collection"], row["way"], row["setting"] or None, *shown)

    print_columns([COLUMNS, *map(cells, summary["runs"])])


@contextmanager
def shown_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show on a terminal how far the work has come; elsewhere show nothing."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProgressBar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield show
