"""`opensearch-neural-sparse doctor`: problems of a server, an index and a model, with remedies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected, look_at
from opensearch_neural_sparse.cli.options import ModelsOption
from opensearch_neural_sparse.cli.output import JsonOption, print_json
from opensearch_neural_sparse.cli.remedies import in_shell_words

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

    from opensearch_neural_sparse.cli.doctor_checks import Check
    from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
    from opensearch_neural_sparse.index.index_info import IndexInfo
    from opensearch_neural_sparse.models.files.resolve import Side
    from opensearch_neural_sparse.models.spec import ModelSpec
    from opensearch_neural_sparse.server_info import ServerInfo

ENGINES = {"onnxruntime": "onnx", "sentence_transformers": "encode"}
"""Module of an inference engine -> the extra that installs it."""


@connected
def doctor(
    connection: Connection,
    index: Annotated[str | None, typer.Argument(metavar="INDEX", help="Name of the index.", show_default=False)] = None,
    models: ModelsOption = None,
    json: JsonOption = False,
) -> None:
    """Check a server, an index and its model, and print a remedy for each problem.

    The exit status is 1 if a check fails.
    """
    from opensearch_neural_sparse.cli.doctor_checks import Verdict

    with connection.client() as client:
        checks = list(examine(client, index, models or []))
    failed = any(check.verdict is Verdict.FAIL for check in checks)
    if json:
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            show(check)
    if failed:
        raise typer.Exit(1)


def show(check: "Check") -> None:
    """Print a check, and its remedy if there is one."""
    where = "" if check.index is None else f"{check.index}: "
    typer.echo(f"{check.verdict:<5} {check.name:<9} {where}{check.message}")
    if check.remedy is not None:
        typer.echo(f"{'':15} -> {check.remedy}")


def examine(client: "OpenSearch", index: str | None, models: Sequence[str]) -> "Iterator[Check]":
    """Yield all checks; without an answer of the server, only that one."""
    from opensearch_neural_sparse.cli.doctor_checks import check_clauses, check_plugins, fail, ok
    from opensearch_neural_sparse.errors import NeuralSparseError
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

    try:
        server = NeuralSparseStore(index or "*", client=client).server()
    except NeuralSparseError as error:
        remedy = "Check --url, --user or OPENSEARCH_USERNAME, OPENSEARCH_PASSWORD and --ca-certs."
        yield fail("server", in_shell_words(error), remedy)
        return
    yield ok("server", str(server))
    yield check_plugins(server)
    limits = {"include_defaults": "true", "flat_settings": "true"}
    yield check_clauses(read_response(client, lambda: client.cluster.get_settings(params=limits)))
    if index is not None:
        yield from examine_index(client, index, models, server)
    for model in models if index is None else ():
        yield from examine_model(model, None)


def examine_index(client: "OpenSearch", index: str, models: Sequence[str], server: "ServerInfo") -> "Iterator[Check]":
    """Yield the checks of an index and its model."""
    from opensearch_neural_sparse.cli.doctor_checks import check_health, check_index, check_stamp, fail
    from opensearch_neural_sparse.errors import IndexNotBoundError, NeuralSparseError
    from opensearch_neural_sparse.index.binding.model_binding import read_bindings
    from opensearch_neural_sparse.index.binding.stamped_schema import stamped_schema
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

    try:
        bodies = look_at(client, index)
        stamped = any(read_bindings(body["mappings"]) for body in bodies.values())
        # the model is checked against the stamp below, by its local files: opening with it would download them
        model = None if stamped or not models else models[0]
        store = NeuralSparseStore(index, client=client, model=model, schema=stamped_schema(bodies))
        state = store.open()
    except IndexNotBoundError as error:
        yield fail("stamp", in_shell_words(error), f"opensearch-neural-sparse index bind {index} --model MODEL")
        return
    except NeuralSparseError as error:
        yield fail("index", in_shell_words(error), "`index info` shows the name; `index create` creates an index.")
        return
    health = read_response(client, lambda: client.cluster.health(index=index))
    yield replace(check_health(health), index=index)
    for name, body in bodies.items():
        for check in check_index(body, state.schema.vector_field, server, health.get("number_of_data_nodes", 0)):
            yield replace(check, index=name)
    for group in state.groups or (state,):
        yield replace(check_stamp(group.binding), index=", ".join(group.indices) or index)
        yield from examine_model(model_for(models, group.binding), group)


def model_for(models: Sequence[str], binding: "ModelBinding | None") -> str | None:
    """Return the given model to verify an index by: the one that the index is bound to, if it was given."""
    from opensearch_neural_sparse.cli.model_choice import fitting

    named = models[0] if models else None
    return named if binding is None or len(models) < 2 else fitting(models, [binding]) or named


def examine_model(model: str | None, state: "IndexInfo | None") -> "Iterator[Check]":
    """Yield the checks of a model, against the index if there is one: files and inference engine."""
    from opensearch_neural_sparse.cli.doctor_checks import fail, ok, warn
    from opensearch_neural_sparse.errors import ModelFilesError, ModelMismatchError, UnknownModelError
    from opensearch_neural_sparse.models.files.resolve import Side
    from opensearch_neural_sparse.models.registry import get_model

    binding = None if state is None else state.binding
    wanted = binding.model if model is None and binding is not None else model
    if wanted is None:
        return
    try:
        spec = get_model(wanted)
        if state is not None and binding is not None:
            binding.ensure_same_model(spec, index=", ".join(state.indices), field=state.schema.sparse_field)
    except (UnknownModelError, ModelFilesError) as error:
        yield warn("model", in_shell_words(error), "Name its folder: --model FOLDER.")
        return
    except ModelMismatchError as error:
        yield fail("model", in_shell_words(error), "Leave --model out, or encode the index again: `index reindex`.")
        return
    yield from (examine_files(spec, side, binding) for side in Side)
    installed = [module for module in ENGINES if find_spec(module) is not None]
    if installed:
        yield ok("engine", f"{', '.join(installed)} can encode documents")
    else:
        remedy = "pip install 'opensearch-neural-sparse[onnx]', or [encode]"
        yield warn("engine", "No engine is installed that encodes documents.", remedy)


def examine_files(spec: "ModelSpec", side: "Side", binding: "ModelBinding | None") -> "Check":
    """Check that one side of a model is on this machine and matches the index's binding."""
    from opensearch_neural_sparse.cli.doctor_checks import fail, ok, warn
    from opensearch_neural_sparse.errors import ModelFilesError
    from opensearch_neural_sparse.models.files.resolve import Side, resolve_files

    revision = binding.revision if binding is not None and binding.model == spec.id else None
    try:
        files = resolve_files(spec, side=side, revision=revision, local_files_only=True)
        given = files.query_sha256 if side is Side.QUERY else files.weights_sha256
    except ModelFilesError as error:
        return warn(side, in_shell_words(error), f"opensearch-neural-sparse models download {spec.name} --side {side}")
    if binding is not None and given != (binding.query_sha256 if side is Side.QUERY else binding.weights_sha256):
        message = f"The {side} side of {spec.name} is not the one that the index is bound to, {binding.model}."
        return fail(side, message, f"Use --model {binding.model}, or encode the index again: `index reindex`.")
    return ok(side, f"{spec.name}: {files.root}")


def read_response(client: "OpenSearch", ask: Callable[[], Any]) -> Mapping[str, Any]:
    """Return a response of the server; empty if it refuses the request."""
    from opensearch_neural_sparse.errors import ServerRequestError
    from opensearch_neural_sparse.transport.errors import translated_errors

    answer: Mapping[str, Any] = {}
    try:
        with translated_errors(client, "/"):
            answer = ask()
    except ServerRequestError:
        pass
    return answer
