"""`opensearch-neural-sparse index`: indices and their models."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected, look_at
from opensearch_neural_sparse.cli.options import (
    EncoderUrlOption,
    IndexArgument,
    NeededModel,
    PruneOption,
    WorkersOption,
    encoder_options,
    usage_errors,
)
from opensearch_neural_sparse.cli.output import JsonOption, counted, print_columns, print_json, shown_progress
from opensearch_neural_sparse.errors import IndexSchemaError, NeuralSparseError

if TYPE_CHECKING:
    from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
    from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding

NOTHING_TO_DELETE = "Check its name: `index info '*'` shows those of the server."

app = typer.Typer(help="Create, check and change indices and their models.", no_args_is_help=True)


@app.command()
@connected
def create(
    connection: Connection,
    index: IndexArgument,
    model: NeededModel,
    shards: Annotated[int | None, typer.Option(min=1, metavar="N", help="Primary shards.")] = None,
    replicas: Annotated[int | None, typer.Option(min=0, metavar="N", help="Copies of each shard.")] = None,
    prune: PruneOption = None,
    chunk_tokens: Annotated[
        int | None,
        typer.Option(metavar="N", help="Cut texts into chunks of N tokens, each with a vector."),
    ] = None,
    chunk_overlap: Annotated[int, typer.Option(metavar="N", help="Tokens that neighbouring chunks share.")] = 32,
    approximate: Annotated[
        bool,
        typer.Option("--approximate", help="Search approximately, for very many documents; servers of 3.3 or later."),
    ] = False,
    analyzer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Analyzer of the text, such as german.", show_default="that of the model's language"
        ),
    ] = None,
    languages: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="Additional languages for the analysis of texts, such as en,de or en,sw=standard."
        ),
    ] = None,
    exist_ok: Annotated[
        bool, typer.Option("--exist-ok", help="Succeed if the index exists and has this model.")
    ] = False,
    encoder_url: EncoderUrlOption = None,
    server_model_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Model in the server that encodes the documents.")
    ] = None,
    server_query_model_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Model or tokenizer in the server that encodes queries."),
    ] = None,
    server_chunking: Annotated[
        str | None,
        typer.Option(
            metavar="RULE", help="Rule by which the server cuts texts: fixed_token_length:200, delimiter, ..."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Create an index, bound to a model.

    With --server-model-id, the server encodes the documents: an ingest pipeline is made, and `ingest` needs no engine.
    With --server-chunking, the server first cuts the texts into passages, each with a vector.
    """
    from opensearch_neural_sparse.encode.chunking import ChunkOptions
    from opensearch_neural_sparse.encode.pruning import Prune
    from opensearch_neural_sparse.index.schema import FieldType, IndexSchema

    with usage_errors():
        chunking = None if chunk_tokens is None else ChunkOptions(tokens=chunk_tokens, overlap=chunk_overlap)
        kind = FieldType.SPARSE_VECTOR if approximate else FieldType.RANK_FEATURES
        named = read_languages(languages)
        schema = IndexSchema(field_type=kind, chunking=chunking, text_analyzer=analyzer, languages=named)
        rule = Prune.parse(prune)
    server_encoding = read_server_encoding(server_model_id, server_query_model_id, encoder_url, server_chunking)
    given = {"number_of_shards": shards, "number_of_replicas": replicas}
    settings = {name: value for name, value in given.items() if value is not None}
    options = encoder_options(encoder_url)
    with (
        connection.store(
            index,
            schema=schema,
            model=model,
            prune=rule,
            encoder_options=options,
            server_encoding=server_encoding,
        ) as store,
        usage_errors(),
    ):
        store.create(exist_ok=exist_ok, settings=settings)
        stamp = store.open().binding
    if stamp is None:
        raise NeuralSparseError(f"The index {index!r} lost its stamp while it was created. Create it again.")
    show_binding(index, stamp, json)


def read_languages(value: str | None) -> dict[str, str]:
    """Return language -> analyzer of a list such as `en,sw=standard`.

    Raises:
        BadParameter: A language for which the server has no analyzer, and no other is named, or that is none.
    """
    from opensearch_neural_sparse.index.analyzers import ANALYZERS, STANDARD, language_analyzers

    analyzers: dict[str, str] = {}
    for part in () if value is None else value.split(","):
        language, named, analyzer = (each.strip() for each in part.partition("="))
        if language and not named and language not in ANALYZERS:
            message = (
                f"OpenSearch has no analyzer of its own for {language!r}. Name one, such as {language}={STANDARD}."
            )
            raise typer.BadParameter(message, param_hint="--languages")
        try:
            analyzers |= language_analyzers({language: analyzer} if named else [language])
        except IndexSchemaError as error:
            raise typer.BadParameter(str(error), param_hint="--languages") from None
    return analyzers


@app.command()
@connected
def bind(
    connection: Connection,
    index: IndexArgument,
    model: NeededModel,
    sparse_field: Annotated[str, typer.Option(metavar="FIELD", help="Field of the token weights.")] = "sparse_vector",
    text_field: Annotated[str, typer.Option(metavar="FIELD", help="Field of the text.")] = "content",
    sample: Annotated[
        int, typer.Option(min=1, max=10000, metavar="N", help="Documents with a vector for the check of tokens.")
    ] = 100,
    verify: Annotated[
        int, typer.Option(min=0, metavar="N", help="Number of these texts that are encoded and compared.")
    ] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite the stamp of another model.")] = False,
    encoder_url: EncoderUrlOption = None,
    json: JsonOption = False,
) -> None:
    """Bind an existing index to a model, after a check of its vectors."""
    from opensearch_neural_sparse.index.binding.stamped_schema import field_type
    from opensearch_neural_sparse.index.schema import IndexSchema

    with connection.client() as client:
        mappings = [body["mappings"] for body in look_at(client, index).values()]
    kind = field_type(mappings[0] if mappings else {}, sparse_field)
    schema = IndexSchema(sparse_field=sparse_field, text_field=text_field, field_type=kind)
    options = encoder_options(encoder_url)
    with connection.store(index, schema=schema, model=model, encoder_options=options) as store, usage_errors():
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
            print_columns([("field", field), *((f"  {name}", value) for name, value in shown_stamp(stamp).items())])
        if not stamps:
            typer.echo("The index carries no model: opensearch-neural-sparse index bind names one.")


@app.command()
@connected
def delete(
    connection: Connection,
    index: IndexArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without confirmation.")] = False,
    pattern: Annotated[
        bool, typer.Option("--pattern", help="Treat INDEX as a pattern or list, which may match several indices.")
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
        names = own_names(index, look_at(client, index, remedy=NOTHING_TO_DELETE))
        with translated_errors(client, index):
            counts = {name: client.count(index=name)["count"] for name in names}
            if not yes:
                confirm(counts)
            client.indices.delete(index=",".join(names))
    if json:
        print_json({"name": index, "deleted": [{"index": name, "documents": counts[name]} for name in names]})
    else:
        typer.echo("\n".join(f"Deleted {name}, {counted(counts[name], 'document')}." for name in names))


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
    shown = ", ".join(f"{name} ({counted(count, 'document')})" for name, count in counts.items())
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
        str | None, typer.Option(metavar="NAME", help="Alias that moves to the new index at the end.")
    ] = None,
    keep_missing_text: Annotated[
        bool, typer.Option("--keep-missing-text", help="Copy documents without a text, but without a vector.")
    ] = False,
    prune: PruneOption = None,
    workers: WorkersOption = None,
    encoder_url: EncoderUrlOption = None,
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
            target,
            model=model,
            alias=alias,
            on_missing_text="keep" if keep_missing_text else "raise",
            prune=rule,
            encoder_options=encoder_options(encoder_url, workers=workers),
        )
    if json:
        print_json(asdict(report))
    else:
        documents = counted(report.documents, "document")
        typer.echo(f"{report.index} holds {documents}, {report.encoded} of them encoded now.")


@app.command("add-field")
@connected
def add_field(
    connection: Connection,
    index: IndexArgument,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="Name of the new field.")],
    model: NeededModel,
    prune: PruneOption = None,
    workers: WorkersOption = None,
    encoder_url: EncoderUrlOption = None,
    json: JsonOption = False,
) -> None:
    """Add a sparse field of another model to an index, and encode its documents.

    After an interruption, the same command continues.
    """
    from opensearch_neural_sparse.encode.pruning import Prune

    with usage_errors():
        rule = Prune.parse(prune)
    with connection.store(index) as store, shown_progress(f"Encoding {index} for {field}"):
        encoded = store.add_field(
            field, model=model, prune=rule, encoder_options=encoder_options(encoder_url, workers=workers)
        )
    if json:
        print_json({"index": index, "field": field, "encoded": encoded})
    else:
        typer.echo(f"Encoded {counted(encoded, 'document')} of {index} for {field}.")


def read_server_encoding(
    model_id: str | None, query_model_id: str | None, encoder_url: str | None, chunking: str | None = None
) -> "ServerEncoding | None":
    """Return the model in the server that encodes the documents of an index; None where clients do.

    Raises:
        BadParameter: A model for queries or a rule for texts alone, or an encoder of clients beside the server's.
    """
    from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
    from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding

    if model_id is None:
        alone = {"--server-query-model-id": query_model_id, "--server-chunking": chunking}
        if (option := next((name for name, value in alone.items() if value is not None), None)) is None:
            return None
        message = "It goes with --server-model-id, the model in the server that encodes documents."
        raise typer.BadParameter(message, param_hint=option)
    if encoder_url is not None:
        message = "The server or an encoder of clients encodes the documents; leave out one, --encoder-url or this."
        raise typer.BadParameter(message, param_hint="--server-model-id")
    with usage_errors("--server-chunking"):
        rule = ServerChunking.parse(chunking)
    with usage_errors("--server-model-id"):
        return ServerEncoding(model_id=model_id, query_model_id=query_model_id, chunking=rule)


def show_binding(index: str, stamp: "ModelBinding", json: bool) -> None:
    """Print the model that an index is bound to."""
    if json:
        print_json({"index": index, "model": stamp.to_meta()})
        return
    typer.echo(f"{index} is bound to {stamp.model}.")
    if stamp.server is not None:
        typer.echo(
            f"The server encodes its documents: model {stamp.server.model_id}, pipeline {stamp.server.pipeline}."
        )
        if stamp.server.chunking is not None:
            parts = (f"{name} {value!r}" for name, value in stamp.server.chunking.to_dict().items())
            typer.echo(f"It cuts their texts first: {', '.join(parts)}.")


def shown_stamp(stamp: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stamp for people: how the server encodes as values of its own, without the weights of the probe."""
    shown = {name: value for name, value in stamp.items() if name != "server"}
    server: Mapping[str, Any] = stamp.get("server") or {}
    named = {f"server {name}": value for name, value in server.items() if name != "probe" and value is not None}
    return {**shown, **named}


def describe(index: str, body: Mapping[str, Any], documents: int, stats: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an index in `info`.

    Args:
        index: Its name.
        body: Its part of the response of `GET /<index>`.
        documents: How many there are.
        stats: Its part of the response of `GET /<index>/_stats`.
    """
    from opensearch_neural_sparse.index.binding.model_binding import read_bindings

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
