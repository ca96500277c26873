"""`opensearch-neural-sparse serve-encoder`: a model's encoder as an HTTP service."""

import logging
import os
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.options import ModelArgument, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_json, shown_progress
from opensearch_neural_sparse.encode.engines.engine import Engine
from opensearch_neural_sparse.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder

MODEL_PANEL = "Model"
LIMITS_PANEL = "Limits"
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


def serve_encoder(
    model: ModelArgument,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Port of the service; 0 is a free one.")
    ] = 8080,
    api_key_env: Annotated[
        str, typer.Option(metavar="NAME", help="Environment variable that holds the key of the service.")
    ] = "ENCODER_API_KEY",
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Allow requests without a key, also from other machines.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="Engine that runs the model.", rich_help_panel=MODEL_PANEL)
    ] = Engine.AUTO,
    device: Annotated[
        str | None,
        typer.Option(help="Device of the torch engine.", show_default="a GPU if any", rich_help_panel=MODEL_PANEL),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Threads of the ONNX engine.",
            show_default="one a core",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(
            min=3,
            metavar="N",
            help="Maximum number of tokens of a document.",
            show_default="the model's",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    max_active_dims: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of heaviest tokens to keep.",
            show_default="the model's",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="Commit, tag or branch on the hub.", rich_help_panel=MODEL_PANEL)
    ] = None,
    max_texts: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum texts of a request.", rich_help_panel=LIMITS_PANEL)
    ] = 256,
    max_characters: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum characters of a text.", rich_help_panel=LIMITS_PANEL)
    ] = 1_000_000,
    max_bytes: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum bytes of a request.", rich_help_panel=LIMITS_PANEL)
    ] = 16 << 20,
    queue: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="Maximum waiting texts; then 429.", rich_help_panel=LIMITS_PANEL),
    ] = 1024,
    batch_wait_ms: Annotated[
        float,
        typer.Option(min=0, metavar="MS", help="Time that a request waits for others.", rich_help_panel=LIMITS_PANEL),
    ] = 0.0,
    read_timeout: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="Maximum time to receive a request.", rich_help_panel=LIMITS_PANEL),
    ] = 30.0,
    json: JsonOption = False,
) -> None:
    """Serve a model's encoder over HTTP, for several clients at once.

    Texts of simultaneous requests are encoded together. The service prints its address when it is ready. At Ctrl-C or
    SIGTERM it answers the requests in flight and ends with exit status 0. Use a proxy for more processes and for TLS.
    """
    from opensearch_neural_sparse.serving import ServiceOptions, create_app, listen, serve
    from opensearch_neural_sparse.serving.access import ensure_protected, read_api_key

    with usage_errors("--api-key-env"):
        api_key = read_api_key(api_key_env, os.environ)
    with usage_errors("--host"):
        ensure_protected(host, api_key, no_auth=no_auth)
    with usage_errors():
        options = ServiceOptions(
            max_texts=max_texts,
            max_characters=max_characters,
            max_bytes=max_bytes,
            queue=queue,
            batch_wait_ms=batch_wait_ms,
            read_timeout=read_timeout,
        )
    with listen(host, port) as listener:
        with shown_progress(f"Loading {model}"), usage_errors():
            documents, queries = load_encoders(
                model,
                engine=engine,
                device=device,
                threads=threads,
                max_length=max_length,
                max_active_dims=max_active_dims,
                revision=revision,
            )
        local_only = api_key is None and is_loopback(host)
        app = create_app(documents, queries, options=options, api_key=api_key, local_only=local_only)
        address = address_of(host, listener.getsockname()[1])
        with closing(documents):
            serve(app, listener, on_ready=lambda: announce(address, app.state.service.info, json=json))


def announce(address: str, info: "Mapping[str, Any]", *, json: bool) -> None:
    """Print the address of the service, and log its start.

    Args:
        address: The address.
        info: Facts of the service.
        json: Whether to print all of them.
    """
    logging.basicConfig(format=LOG_FORMAT, level=logging.WARNING)
    log = logging.getLogger("opensearch_neural_sparse.serving")
    log.setLevel(logging.INFO)
    log.info("Serving %s on %s.", info["model"], address)
    print_json({"url": address, **info}) if json else typer.echo(address)


def load_encoders(model: str, **options: object) -> "tuple[DocumentEncoder, QueryEncoder]":
    """Load both encoders of a model; a bi-encoder of one transformer and one prompt is loaded once.

    Args:
        model: Its name, hub id or folder.
        options: Options of `load_document_encoder`; those that are None are left out.
    """
    from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
    from opensearch_neural_sparse.encode.encoding_settings import read_encoding_settings
    from opensearch_neural_sparse.encode.query_encoder import load_query_encoder, share_document_encoder
    from opensearch_neural_sparse.errors import ModelFilesError
    from opensearch_neural_sparse.models.registry import get_model
    from opensearch_neural_sparse.models.spec import Family, Mode

    spec = get_model(model)
    if spec.family in (Family.UNICOIL, Family.DEEP_IMPACT):
        raise ModelFilesError(
            f"{spec.id!r} is a {spec.family} model, which the service does not encode: uniCOIL's queries and "
            "DeepImpact's words need encoders in the program itself: load_document_encoder and load_query_encoder."
        )
    documents = load_document_encoder(model, **options)  # type: ignore[arg-type]
    files = documents.files
    if files.spec.mode is Mode.DOC_ONLY:
        return documents, load_query_encoder(files)
    settings = read_encoding_settings(files.root)
    if files.query_route is None and settings.query_prompt == settings.document_prompt:
        return documents, share_document_encoder(documents)
    own = {**options, "revision": None, "max_active_dims": None}
    return documents, load_query_encoder(files, **own)  # type: ignore[arg-type]


def address_of(host: str, port: int) -> str:
    """Return the address of the service."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
