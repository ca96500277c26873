"""Arguments and options shared by several commands."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer


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
        metavar="MODEL", help="Its name, hub id or folder; by default the index's.", autocompletion=complete_model
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Its name, hub id or folder; may be repeated where INDEX covers several models.",
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
        raise typer.BadParameter(str(error), param_hint=hint) from None
