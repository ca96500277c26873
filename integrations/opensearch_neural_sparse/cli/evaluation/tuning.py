"""`opensearch-neural-sparse evaluate --tune`: choose a setting, and write it as code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection
from opensearch_neural_sparse.cli.options import usage_errors
from opensearch_neural_sparse.cli.output import print_columns, print_json, shown_bar

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.pruning import Prune
    from opensearch_neural_sparse.evaluate.datasets.beir import Collection
    from opensearch_neural_sparse.evaluate.tuning.settings.search_space import SearchSpace
    from opensearch_neural_sparse.evaluate.tuning.tuning_report import Tuning


@dataclass(frozen=True, kw_only=True)
class TuningPlan:
    """Options of a tuning.

    Attributes:
        space: What is tried.
        cache: File of the vectors.
        dense: Name of the dense model, or None.
        max_length: Longest document in tokens, or None.
        seed: Seed of the halves.
        folder: Folder of the code; None prints it.
    """

    space: "SearchSpace"
    cache: Path
    dense: str | None
    max_length: int | None
    seed: int
    folder: Path | None


def refuse_options(tune: bool, with_tuning: Mapping[str, Any], without: Mapping[str, Any]) -> None:
    """Refuse options of the other way of evaluating.

    Args:
        tune: Whether settings are tuned.
        with_tuning: Option -> whether it was given, of those that go with --tune alone.
        without: The same of those that do not go with it.

    Raises:
        BadParameter: One was given.
    """
    if given := [name for name, value in (without if tune else with_tuning).items() if value]:
        relation = "cannot be used with --tune" if tune else "needs --tune"
        raise typer.BadParameter(f"{given[0]} {relation}; leave it out.")


def read_space(
    models: Sequence[str],
    analyzers: Sequence[str],
    dense: str | None,
    prunes: "Sequence[Prune | None]",
    most_legs: int,
) -> "SearchSpace":
    """Return the space; the default always keeps every token of documents."""
    from opensearch_neural_sparse.evaluate.tuning.tuning import tuning_space

    if not models:
        raise typer.BadParameter("Give a --model to tune.")
    chosen = {"document_prunes": tuple(dict.fromkeys((None, *prunes)))} if prunes else {}
    with usage_errors():
        return tuning_space(models, analyzers=analyzers, dense=dense, most_legs=most_legs, **chosen)


def tune_collections(
    connection: Connection, collections: "Sequence[Collection]", plan: TuningPlan, *, json: bool
) -> None:
    """Tune on each collection in turn; write or print the results and the code."""
    from opensearch_neural_sparse.evaluate.experiments.dense_encoder import SentenceEncoder
    from opensearch_neural_sparse.evaluate.tuning.tuning import tune

    dense = None if plan.dense is None else SentenceEncoder(plan.dense, plan.cache)
    options = {"cache": plan.cache, "dense": dense, "max_length": plan.max_length, "seed": plan.seed}
    with connection.client() as client, shown_bar() as progress, usage_errors():
        found = [tune(client, each, plan.space, **options, progress=progress) for each in collections]  # type: ignore[arg-type]
    written = [path for tuning in found for path in _write(tuning, plan.folder, alone=len(found) == 1)]
    if json:
        print_json({"tunings": [tuning.to_dict() for tuning in found], "files": list(map(str, written))})
        return
    _print(found, code=plan.folder is None)
    if written:
        typer.echo(f"Written: {', '.join(map(str, written))}.")


def _write(tuning: "Tuning", folder: Path | None, *, alone: bool) -> list[Path]:
    """Write the code of a collection to the folder, or to one within it for each of several collections."""
    from opensearch_neural_sparse.evaluate.tuning.winner.files import write_winner

    if folder is None:
        return []
    return write_winner(tuning, folder if alone else folder / tuning.collection)


def _print(found: "Sequence[Tuning]", *, code: bool) -> None:
    from opensearch_neural_sparse.evaluate.tuning.tuning_report import COLUMNS
    from opensearch_neural_sparse.evaluate.tuning.winner.files import winner_files

    print_columns([COLUMNS, *(row for tuning in found for row in tuning.rows())])
    for tuning in found:
        typer.echo(f"\n{tuning.conclusion()}")
        if code:
            for name, content in winner_files(tuning).items():
                typer.echo(f"\n--- {name}\n{content}", nl=False)
