"""Serve a page that searches the Python language reference by BM25, by sparse vectors, and by both."""

import argparse
import os
import socket
from contextlib import suppress

import uvicorn

from examples.demo.indexing import INDEX, MODEL_FOLDER, cache_file, index
from examples.demo.progress import running_server
from examples.demo.reference import language_reference
from examples.demo.show import say
from examples.web.app import create_app
from examples.web.two_models import FIELD, SCHEMA, network_model
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    CachedDocumentEncoder,
    IndexNotFoundError,
    ModelMismatchError,
    ModelSpec,
    NeuralSparseStore,
    load_document_encoder,
    load_query_encoder,
    register_model,
)

HOST = "127.0.0.1"


def main() -> None:
    """Get a server and the index, and serve the page until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m examples.web", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the page; a free one by default")
    parser.add_argument("--limit", type=int, help="index this many documents, not all of them")
    options = parser.parse_args()
    keep = os.environ.get("DEMO_KEEP", "") not in ("", "0")
    model = register_model(MODEL_FOLDER, name="small-en")
    with listen(parser, options.port) as listener, running_server(keep=keep) as server:
        network = network_model(cache_file().with_name("small-en-network"))
        ensure_index(server.url, model, network, options.limit)
        encoder = load_query_encoder(model)
        store = AsyncNeuralSparseStore(INDEX, url=server.url, model=model, query_encoder=encoder)
        by_network = AsyncNeuralSparseStore(
            INDEX,
            url=server.url,
            model=network,
            schema=SCHEMA,
            query_encoder=load_query_encoder(network, engine="onnx"),
        )
        say(f"The page: http://{HOST}:{listener.getsockname()[1]}  (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            app = create_app(store, encoder.tokenizer, by_network)
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


def listen(parser: argparse.ArgumentParser, port: int) -> socket.socket:
    """Take the port before anything else is done, so that the page's address is known early or refused early."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        parser.error(f"Port {port} cannot be had: {os.strerror(error.errno)}. Name another, or none for a free one.")


def ensure_index(url: str, model: ModelSpec, network: ModelSpec, limit: int | None) -> None:
    """Make the index, unless it is there for both models, with as many documents as the running Python has passages."""
    documents = language_reference()[:limit]
    with (
        CachedDocumentEncoder(load_document_encoder(model, engine="onnx"), cache_file()) as encoder,
        NeuralSparseStore(INDEX, url=url, model=model, document_encoder=encoder) as store,
    ):
        with suppress(IndexNotFoundError, ModelMismatchError):
            if FIELD in store.open().schema.bindings and store.count() == len(documents):
                say(f"The index {INDEX!r} is there already, {len(documents)} passages")
                return
        index(store, encoder, documents, also={FIELD: network})


if __name__ == "__main__":
    main()
