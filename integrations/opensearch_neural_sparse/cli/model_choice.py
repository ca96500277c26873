"""Choice of the model for each index behind a name."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, read_bindings
from opensearch_neural_sparse.models.registry import get_model, register_model


def model_of(index: str, models: Sequence[str], bodies: Mapping[str, Any]) -> str | None:
    """Return the one model of a name; None if it covers several, after registering those in folders.

    Args:
        index: The name.
        models: The models that were named, one or more.
        bodies: The response of `GET /<index>`.

    Raises:
        BadParameter: One of several models belongs to none of the indices.
    """
    stamps = {stamp.identity: stamp for body in bodies.values() for stamp in read_bindings(body["mappings"]).values()}
    if len(models) == 1 and len(stamps) < 2:
        return models[0]
    for model in models:
        if fitting([model], stamps.values()) is None:
            bound = ", ".join(sorted({stamp.model for stamp in stamps.values()})) or "none"
            message = f"{model!r} is the model of no index behind {index!r}; they are bound to {bound}."
            raise typer.BadParameter(message, param_hint="--model")
    for model in models:
        if Path(model).expanduser().is_dir():
            register_model(model, name=str(Path(model).expanduser().resolve()))
    return None


def fitting(models: Iterable[str], stamps: Iterable[ModelBinding]) -> str | None:
    """Return the first model that one of the stamps is bound to, or None."""
    stamps = list(stamps)
    return next((model for model in models if any(stamp.is_of(get_model(model)) for stamp in stamps)), None)
