"""`opensearch-neural-sparse models`: known models and their files."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli.options import ModelArgument, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json, shown_progress
from opensearch_neural_sparse.models.criteria import Priority
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.models.spec import Mode, ModelSpec

app = typer.Typer(help="List, choose and download models.", no_args_is_help=True)

WIDTH = 80
HEADER = ("NAME", "MODE", "SIZE", "TOKENS", "LANG", "BEIR", "MIRACL", "FLOPS")
_HEADINGS = {"NOASSERTION": "no licence stated", "CC-BY-NC-SA-4.0": "CC-BY-NC-SA-4.0, non-commercial"}


LanguageOption = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="CODE", help="Language that the model must know; may be repeated."),
]
ModeOption = Annotated[Mode | None, typer.Option("--mode", help="Kind of query encoder.")]
ParametersOption = Annotated[
    int | None, typer.Option("--max-params", min=1, metavar="N", help="Maximum number of parameters.")
]
ContextOption = Annotated[
    int | None, typer.Option("--min-context", min=1, metavar="N", help="Minimum number of tokens that the model reads.")
]


@app.command("list")
def list_command(
    language: LanguageOption = None,
    mode: ModeOption = None,
    max_params: ParametersOption = None,
    min_context: ContextOption = None,
    commercial: Annotated[bool, typer.Option("--commercial", help="Only models for commercial use.")] = False,
    json: JsonOption = False,
) -> None:
    """List the models of the catalogue by licence, with their published means.

    BEIR and MIRACL are means of NDCG@10. MODE is `doc` for doc-only models and `bi` for bi-encoders.
    """
    from opensearch_neural_sparse.models.registry import list_models

    found = list_models(
        languages=language or (), mode=mode, max_params=max_params, min_context=min_context, commercial=commercial
    )
    if json:
        print_json({"models": [facts(spec) for spec in found]})
        return
    print_columns(rows_of(found))


@app.command()
def show(model: ModelArgument, json: JsonOption = False) -> None:
    """Show all metadata of a model."""
    from opensearch_neural_sparse.models.registry import get_model

    known = facts(get_model(model))
    if json:
        print_json(known)
        return
    print_columns(
        (name.replace("_", " "), as_text(value)) for name, value in known.items() if value not in (None, {}, [], "")
    )


@app.command()
def recommend(
    language: LanguageOption = None,
    mode: ModeOption = None,
    max_params: ParametersOption = None,
    min_context: ContextOption = None,
    non_commercial: Annotated[
        bool, typer.Option("--non-commercial", help="Also models that are not for commercial use.")
    ] = False,
    priority: Annotated[Priority, typer.Option(help="Most important criterion.")] = Priority.RELEVANCE,
    min_relevance: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="X", help="Minimum published NDCG@10; by default above BM25's."),
    ] = None,
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
            min_relevance=min_relevance,
        )
    if json:
        others = [spec.name for spec in chosen.runners_up]
        left_out = {reason: list(names) for reason, names in chosen.left_out.items()}
        reasons = list(chosen.reasons)
        print_json({"choice": chosen.choice.name, "runners_up": others, "reasons": reasons, "left_out": left_out})
        return
    for line in str(chosen).splitlines():
        typer.echo(fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False))


@app.command()
def download(
    model: ModelArgument,
    side: Annotated[
        Side, typer.Option(help="Part of the model: the small query side is enough to search with a doc-only model.")
    ] = Side.DOCUMENT,
    revision: Annotated[str | None, typer.Option(help="Commit, tag or branch.")] = None,
    cache_dir: Annotated[Path | None, typer.Option(help="Folder of the hub's cache.")] = None,
    json: JsonOption = False,
) -> None:
    """Download missing files of a model, and print their folder.

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
        "in_domain": list(relevance.in_domain),
        "msmarco": relevance.msmarco,
        "document_tokens": relevance.document_tokens,
        "query_tokens": relevance.query_tokens,
        "pruned": [vars(table) | {"scores": dict(table.scores)} for table in relevance.pruned],
    }


def rows_of(specs: Sequence[ModelSpec]) -> list[tuple[object, ...]]:
    """Return the rows of the list: the header, then the models below the licences they have."""
    rows: list[tuple[object, ...]] = [HEADER]
    for licence in dict.fromkeys(spec.licence for spec in specs):
        members = [spec for spec in specs if spec.licence == licence]
        heading = _HEADINGS.get(licence, licence)
        rows += [(f"[{heading}]", *[""] * (len(HEADER) - 1)), *map(row_of, members)]
    return rows


def row_of(spec: ModelSpec) -> tuple[object, ...]:
    """Return the row of a model in the list."""
    languages = spec.languages[0] if len(spec.languages) == 1 else len(spec.languages) or None
    size = None if spec.parameters is None else f"{spec.parameters / 1e6:.0f}M"
    means = (spec.relevance.beir_average, spec.relevance.miracl_average)
    figures = [None if mean is None else f"{mean:.3f}".removeprefix("0") for mean in means]
    mode = "doc" if spec.mode is Mode.DOC_ONLY else "bi"
    return (spec.name, mode, size, spec.max_length, languages, *figures, spec.relevance.flops)


def as_text(value: object) -> str:
    """Format a value as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:.3f}" for name, number in value.items())
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "; ".join(f"{table['benchmark']} {table['prune']} {table['average']:.3f}" for table in value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
