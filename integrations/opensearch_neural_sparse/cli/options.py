"""Arguments and options shared by several commands."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import environ
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli.remedies import in_shell_words


def complete_model(incomplete: str) -> Iterable[str]:
    """Complete the name of a model in the catalogue."""
    from opensearch_neural_sparse.models.registry import list_models

    return [spec.name for spec in list_models() if spec.name.startswith(incomplete)]


IndexArgument = Annotated[str, typer.Argument(metavar="INDEX", help="Name of the index.")]
ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="Name, hub id or folder of a model.", autocompletion=complete_model)
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Name, hub id or folder of the model; by default the index's.",
        autocompletion=complete_model,
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Name, hub id or folder of the model; may be repeated if INDEX covers several models.",
        show_default="the index's",
        autocompletion=complete_model,
    ),
]
NeededModel = Annotated[
    str,
    typer.Option(
        "--model", metavar="MODEL", help="Name, hub id or folder of the model.", autocompletion=complete_model
    ),
]
PruneOption = Annotated[
    str | None,
    typer.Option(metavar="RULE", help="Tokens that documents keep, such as max_ratio:0.1."),
]

WorkersOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Processes that encode, each with the model.", show_default="1")
]

ENCODER_KEY_VARIABLE = "ENCODER_API_KEY"
EncoderUrlOption = Annotated[
    str | None,
    typer.Option(
        "--encoder-url",
        envvar="ENCODER_URL",
        metavar="URL",
        help=f"Address of an encoder that runs the model; {ENCODER_KEY_VARIABLE} holds its key.",
        show_default="this machine encodes",
    ),
]


def encoder_options(url: str | None, **options: Any) -> dict[str, Any]:
    """Return the options of the encoder of a command.

    Args:
        url: Address of an encoder, or None.
        options: Further options.

    Raises:
        BadParameter: No address of an encoder, or options of an engine beside it.
    """
    from opensearch_neural_sparse.encode.remote.loading import check_remote_options

    if url is None:
        return options
    given = {**options, "url": url, "api_key": environ.get(ENCODER_KEY_VARIABLE) or None}
    with usage_errors("--encoder-url"):
        check_remote_options(given)
    return given


@contextmanager
def usage_errors(hint: str | None = None) -> Iterator[None]:
    """Report an out-of-range value as a usage error.

    Args:
        hint: The option that it was given for.
    """
    from opensearch_neural_sparse.errors import NeuralSparseError

    try:
        yield
    except NeuralSparseError:
        raise
    except ValueError as error:
        raise typer.BadParameter(in_shell_words(error), param_hint=hint) from None
