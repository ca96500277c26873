"""`opensearch-neural-sparse models`: known models and their files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli.options import ModelArgument, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json, shown_progress
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.models.recommendation import Priority
from opensearch_neural_sparse.models.spec import Mode, ModelSpec

app = typer.Typer(help="Which models there are, which to take, and their files.", no_args_is_help=True)


LanguageOption = Annotated[
    list[str] | None, typer.Option("--language", metavar="CODE", help="A language that it must know; may be repeated.")
]
ModeOption = Annotated[Mode | None, typer.Option("--mode", help="How it encodes queries.")]
ParametersOption = Annotated[int | None, typer.Option("--max-params", min=1, metavar="N", help="Most parameters.")]
ContextOption = Annotated[
    int | None, typer.Option("--min-context", min=1, metavar="N", help="Tokens of a document that must fit.")
]


@app.command("list")
def list_command(
    language: LanguageOption = None,
    mode: ModeOption = None,
    max_params: ParametersOption = None,
    min_context: ContextOption = None,
    commercial: Annotated[bool, typer.Option("--commercial", help="Only those for commercial use.")] = False,
    json: JsonOption = False,
) -> None:
    """List the models of the catalogue."""
    from opensearch_neural_sparse.models.registry import list_models

    found = list_models(
        languages=language or (), mode=mode, max_params=max_params, min_context=min_context, commercial=commercial
    )
    if json:
        print_json({"models": [facts(spec) for spec in found]})
        return
    header = ("NAME", "MODE", "PARAMS", "TOKENS", "LANGUAGES", "BEIR", "LICENCE")
    print_columns([header, *map(row_of, found)])


@app.command()
def show(model: ModelArgument, json: JsonOption = False) -> None:
    """Show all metadata of a model."""
    from opensearch_neural_sparse.models.registry import get_model

    known = facts(get_model(model))
    if json:
        print_json(known)
        return
    print_columns((name.replace("_", " "), as_text(value)) for name, value in known.items() if value not in (None, {}))


@app.command()
def recommend(
    language: LanguageOption = None,
    mode: ModeOption = None,
    max_params: ParametersOption = None,
    min_context: ContextOption = None,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="Also those that are not for commercial use.")
    ] = False,
    priority: Annotated[Priority, typer.Option(help="What counts most.")] = Priority.RELEVANCE,
    json: JsonOption = False,
) -> None:
    """Recommend a model by requirements and published relevance, with the reasons."""
    from opensearch_neural_sparse.models.recommendation import recommend_model

    with usage_errors():
        chosen = recommend_model(
            languages=language or ("en",),
            mode=mode,
            max_params=max_params,
            min_context=min_context,
            commercial=not non_commercial,
            priority=priority,
        )
    if json:
        others = [spec.name for spec in chosen.runners_up]
        print_json({"choice": chosen.choice.name, "runners_up": others, "reasons": list(chosen.reasons)})
    else:
        typer.echo(str(chosen))


@app.command()
def download(
    model: ModelArgument,
    side: Annotated[
        Side, typer.Option(help="What of it: to search by a doc-only model, its small query side is enough.")
    ] = Side.DOCUMENT,
    revision: Annotated[str | None, typer.Option(help="Commit, tag or branch.")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="Cache of the hub.")] = None,
    json: JsonOption = False,
) -> None:
    """Download the files of a model, unless they are there, and print their folder.

    A gated model needs HF_TOKEN.
    """
    from opensearch_neural_sparse.models.files.resolve import resolve_files
    from opensearch_neural_sparse.models.registry import get_model

    with shown_progress(f"Looking for the files of {model}"):
        files = resolve_files(get_model(model), side=side, revision=revision, cache_dir=cache_dir)
    if json:
        print_json({"model": files.spec.id, "revision": files.revision, "side": side, "folder": str(files.root)})
    else:
        typer.echo(str(files.root))


def facts(spec: ModelSpec) -> dict[str, Any]:
    """Return the metadata of a model as JSON values, under the names of `ModelSpec`."""
    known = {name: value for name, value in vars(spec).items() if name != "relevance"}
    known |= {"path": None if spec.path is None else str(spec.path), "languages": list(spec.languages)}
    relevance = spec.relevance
    return known | {
        "beir": dict(relevance.beir),
        "beir_average": relevance.beir_average,
        "miracl": dict(relevance.miracl),
        "miracl_average": relevance.miracl_average,
        "flops": relevance.flops,
    }


def row_of(spec: ModelSpec) -> tuple[object, ...]:
    """Return the row of a model in the list."""
    languages = spec.languages[0] if len(spec.languages) == 1 else len(spec.languages) or None
    size = None if spec.parameters is None else f"{spec.parameters / 1e6:.0f}M"
    return (spec.name, spec.mode, size, spec.max_length, languages, spec.relevance.beir_average, spec.licence)


def as_text(value: object) -> str:
    """Format a value as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:.3f}" for name, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
