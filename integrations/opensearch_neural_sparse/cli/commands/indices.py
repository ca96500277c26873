"""`opensearch-neural-sparse index`: indices and their models."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected, look_at
from opensearch_neural_sparse.cli.options import IndexArgument, NeededModel, PruneOption, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json, shown_progress
from opensearch_neural_sparse.errors import NeuralSparseError

app = typer.Typer(help="Indices, and the models that they belong to.", no_args_is_help=True)


@app.command()
@connected
def create(
    connection: Connection,
    index: IndexArgument,
    model: NeededModel,
    shards: Annotated[int | None, typer.Option(min=1, metavar="N", help="Primary shards.")] = None,
    replicas: Annotated[int | None, typer.Option(min=0, metavar="N", help="Copies of each.")] = None,
    prune: PruneOption = None,
    chunk_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="Cut texts into chunks of N tokens, each with a vector."),
    ] = None,
    chunk_overlap: Annotated[int, typer.Option(metavar="N", help="Tokens that neighbours share.")] = 32,
    approximate: Annotated[
        bool, typer.Option("--approximate", help="For very many documents; servers of 3.3 or later.")
    ] = False,
    analyzer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Analyzer of the text, such as german.", show_default="that of the model's language"
        ),
    ] = None,
    exist_ok: Annotated[bool, typer.Option("--exist-ok", help="Pass if it is there and of this model.")] = False,
    json: JsonOption = False,
) -> None:
    """Create an index, bound to a model."""
    from opensearch_neural_sparse.encode.chunking import ChunkOptions
    from opensearch_neural_sparse.encode.pruning import Prune
    from opensearch_neural_sparse.index.schema import FieldType, IndexSchema

    with usage_errors():
        chunking = None if chunk_tokens is None else ChunkOptions(tokens=chunk_tokens, overlap=chunk_overlap)
        kind = FieldType.SPARSE_VECTOR if approximate else FieldType.RANK_FEATURES
        schema = IndexSchema(field_type=kind, chunking=chunking, text_analyzer=analyzer)
        rule = Prune.parse(prune)
    given = {"number_of_shards": shards, "number_of_replicas": replicas}
    settings = {name: value for name, value in given.items() if value is not None}
    with connection.store(index, schema=schema, model=model, prune=rule) as store, usage_errors():
        store.create(exist_ok=exist_ok, settings=settings)
        stamp = store.open().binding
    show_binding(index, stamp, json)


@app.command()
@connected
def bind(
    connection: Connection,
    index: IndexArgument,
    model: NeededModel,
    sparse_field: Annotated[str, typer.Option(metavar="FIELD", help="Field of the token weights.")] = "sparse_vector",
    text_field: Annotated[str, typer.Option(metavar="FIELD", help="Field of the text.")] = "content",
    sample: Annotated[
        int, typer.Option(min=1, max=10000, metavar="N", help="Documents with a vector to check the tokens of.")
    ] = 100,
    verify: Annotated[
        int, typer.Option(min=0, metavar="N", help="Of these, how many texts are encoded and compared.")
    ] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the stamp of another model.")] = False,
    json: JsonOption = False,
) -> None:
    """Bind an existing index to a model, after a check of its vectors."""
    from opensearch_neural_sparse.cli.index_layout import field_type
    from opensearch_neural_sparse.index.schema import IndexSchema

    with connection.client() as client:
        mappings = [body["mappings"] for body in look_at(client, index).values()]
    kind = field_type(mappings[0] if mappings else {}, sparse_field)
    schema = IndexSchema(sparse_field=sparse_field, text_field=text_field, field_type=kind)
    with connection.store(index, schema=schema, model=model) as store, usage_errors():
        stamp = store.bind_model(sample=sample, verify=verify, replace=replace)
    show_binding(index, stamp, json)


@app.command()
@connected
def info(connection: Connection, index: IndexArgument, json: JsonOption = False) -> None:
    """Show the indices behind a name: documents, size, shards, models."""
    from opensearch_neural_sparse.transport.errors import translated_errors

    with connection.client() as client:
        bodies = look_at(client, index)
        with translated_errors(client, index):
            counts = {name: client.count(index=name)["count"] for name in bodies}
            stats = client.indices.stats(index=index, metric="store")["indices"]
    rows = [describe(name, body, counts[name], stats.get(name, {})) for name, body in bodies.items()]
    if json:
        print_json({"name": index, "indices": rows})
        return
    for row in rows:
        stamps = row.pop("models")
        print_columns(row.items())
        for field, stamp in stamps.items():
            print_columns([("field", field), *((f"  {name}", value) for name, value in stamp.items())])
        if not stamps:
            typer.echo("It carries no model: opensearch-neural-sparse index bind names one.")


@app.command()
@connected
def delete(
    connection: Connection,
    index: IndexArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    pattern: Annotated[
        bool, typer.Option("--pattern", help="Take INDEX for a pattern or list, which may match several.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Delete an index and everything in it, after confirmation.

    An alias is not deleted; name the index that it is for.
    """
    from opensearch_neural_sparse.transport.errors import translated_errors

    if not pattern and is_pattern(index):
        message = f"{index!r} may match several indices; --pattern deletes all that it matches."
        raise typer.BadParameter(message, param_hint="INDEX")
    with connection.client() as client:
        names = own_names(index, look_at(client, index, remedy=""))
        with translated_errors(client, index):
            counts = {name: client.count(index=name)["count"] for name in names}
            if not yes:
                confirm(counts)
            client.indices.delete(index=",".join(names))
    if json:
        print_json({"name": index, "deleted": [{"index": name, "documents": counts[name]} for name in names]})
    else:
        typer.echo("\n".join(f"Deleted {name}, {counts[name]:,} documents." for name in names))


def is_pattern(index: str) -> bool:
    """Return whether a name may match several indices."""
    return index == "_all" or any(character in index for character in "*?,")


def own_names(index: str, found: Mapping[str, Any]) -> list[str]:
    """Return the concrete indices of a name or pattern; an alias is refused.

    Args:
        index: The name or pattern.
        found: The response of `GET /<index>`; empty without the right to read it.

    Raises:
        NeuralSparseError: None, or they cannot be known.
    """
    if not found:
        raise NeuralSparseError(
            f"Cannot list the indices that {index!r} would delete. Grant the right indices:admin/get."
        )
    patterns = ["*" if part == "_all" else part for part in index.split(",")]
    names = [name for name in found if any(fnmatchcase(name, part) for part in patterns)]
    if not names:
        others = ", ".join(found)
        raise NeuralSparseError(f"{index!r} is an alias. Delete the index that it is for by its own name: {others}.")
    return names


def confirm(counts: Mapping[str, int]) -> None:
    """Ask for confirmation of a deletion on standard error; end the command unless the answer is yes.

    Raises:
        BadParameter: There is nobody to answer.
    """
    shown = ", ".join(f"{name} ({count:,} documents)" for name, count in counts.items())
    typer.echo(f"Delete {shown}? [y/N] ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer:
        raise typer.BadParameter("Nobody answered; this option deletes without asking.", param_hint="--yes")
    if answer.strip().lower() not in ("y", "yes"):
        typer.echo("Nothing was deleted.", err=True)
        raise typer.Exit(1)


@app.command()
@connected
def reindex(
    connection: Connection,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Name of the index.")],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="Name of the new index.")],
    model: NeededModel,
    alias: Annotated[
        str | None, typer.Option(metavar="NAME", help="Alias that is moved to the new index at the end.")
    ] = None,
    keep_missing_text: Annotated[
        bool, typer.Option("--keep-missing-text", help="Copy documents without a text, without a vector.")
    ] = False,
    prune: PruneOption = None,
    json: JsonOption = False,
) -> None:
    """Encode an index for another model, from its texts, into a new index.

    Writes to the source are refused meanwhile. After an interruption, the same command continues.
    """
    from opensearch_neural_sparse.encode.pruning import Prune

    with usage_errors():
        rule = Prune.parse(prune)
    with connection.store(source) as store, shown_progress(f"Encoding {source} again"):
        report = store.reindex_with_model(
            target, model=model, alias=alias, on_missing_text="keep" if keep_missing_text else "raise", prune=rule
        )
    if json:
        print_json(asdict(report))
    else:
        typer.echo(f"{report.index} holds {report.documents} documents, {report.encoded} of them encoded now.")


def show_binding(index: str, stamp: Any, json: bool) -> None:
    """Print the model that an index is bound to."""
    if json:
        print_json({"index": index, "model": stamp.to_meta()})
    else:
        typer.echo(f"{index} is bound to {stamp.model}.")


def describe(index: str, body: Mapping[str, Any], documents: int, stats: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an index in `info`.

    Args:
        index: Its name.
        body: Its part of the response of `GET /<index>`.
        documents: How many there are.
        stats: Its part of the response of `GET /<index>/_stats`.
    """
    from opensearch_neural_sparse.index.model_binding import read_bindings

    settings = body["settings"]["index"]
    return {
        "index": index,
        "documents": documents,
        "bytes": stats.get("primaries", {}).get("store", {}).get("size_in_bytes"),
        "shards": int(settings.get("number_of_shards", 0)),
        "replicas": int(settings.get("number_of_replicas", 0)),
        "refresh_interval": settings.get("refresh_interval"),
        "models": {field: stamp.to_meta() for field, stamp in read_bindings(body["mappings"]).items()},
    }
