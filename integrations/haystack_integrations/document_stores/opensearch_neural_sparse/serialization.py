"""Convert parameters of components: to the core's options, and to what YAML holds."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import asdict
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from haystack.utils import ComponentDevice, Secret

from opensearch_neural_sparse import ModelFiles, RemoteOptions, Side, get_model, resolve_files
from opensearch_neural_sparse.layer_support import (
    check_client_options,
    check_host_options,
    resolve_without_weights,
)

Options = TypeVar("Options")
PROCESSES = ("workers", "devices")
"""Parameters that say which processes encode; they are saved where they are given."""
REMOTE = ("url", "api_key", "remote_options")
"""Parameters of an encoder behind HTTP; they are saved where they are given."""
DENSE = ("with_dense",)
"""Parameter that says whether dense vectors come with sparse ones; it is saved where it is given."""
_OF_THE_LAYOUT = ("mappings", "method")
"""Parameters of opensearch-haystack's store that say how fields are mapped."""


class NamesModel(Protocol):
    """A component with a model: attributes that name it and say where its files are."""

    model: str | Path
    revision: str | None
    token: Secret | None
    cache_dir: str | Path | None
    local_files_only: bool


def saved_parameters(component: object, *, only_given: Collection[str] = ()) -> dict[str, Any]:
    """Return the parameters of a component's constructor as they were given, as plain values.

    Args:
        component: It keeps each parameter in an attribute of the same name.
        only_given: Parameters that are left out where they are None.
    """
    names = list(inspect.signature(type(component).__init__).parameters)[1:]
    values = {name: plain(getattr(component, name)) for name in names}
    return {name: value for name, value in values.items() if value is not None or name not in only_given}


def device_name(device: ComponentDevice | str | None) -> str | None:
    """Return a device in torch's words, such as `cpu` or `cuda:0`."""
    return device.to_torch_str() if isinstance(device, ComponentDevice) else device


def check_connection(hosts: Any, options: Mapping[str, Any], *, also: Collection[str]) -> None:
    """Check options of a document store that are not its own, which its clients take.

    Args:
        hosts: Addresses of the server.
        options: Name -> value.
        also: Parameters of the store, which may be meant by a misspelt name.

    Raises:
        TypeError: No client takes an option, or it is one of opensearch-haystack's store that this one has no use for.
    """
    if decided := [name for name in _OF_THE_LAYOUT if options.get(name) is not None]:
        raise TypeError(
            f"{' and '.join(decided)} cannot be given, since the layout of the index belongs to the model. "
            "metadata_fields={...} maps metadata; create_index(mappings=...) creates an index by your own mappings."
        )
    check_client_options({name: options[name] for name in options if name not in _OF_THE_LAYOUT}, also=also)
    check_host_options(hosts, options)


def token_value(token: Secret | None) -> str | None:
    """Return the value of a secret; None where there is none, or where its environment variable is not set."""
    return None if token is None else token.resolve_value()


def query_files(component: NamesModel, *, with_weights: bool = True) -> ModelFiles:
    """Return the files that the queries of a component's model are encoded with.

    Args:
        component: The component.
        with_weights: Whether the weights of a bi-encoder are among them; else it runs elsewhere.

    Raises:
        ModelFilesError: They cannot be had.
        UnknownModelError: There is no such model.
    """
    resolve = partial(resolve_files, side=Side.QUERY) if with_weights else resolve_without_weights
    return resolve(
        get_model(component.model),
        revision=component.revision,
        token=token_value(component.token),
        cache_dir=component.cache_dir,
        local_files_only=component.local_files_only,
    )


def given(**options: Any) -> dict[str, Any]:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def plain(value: Any) -> Any:
    """Return a parameter as YAML holds it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, RemoteOptions):
        return {name: plain(part) for name, part in asdict(value).items()}
    return list(value) if isinstance(value, tuple) else value


def options_of(kind: type[Options], name: str, value: Mapping[str, Any]) -> Options:
    """Return options of the core by a mapping of their names.

    Args:
        kind: Their class.
        name: What the parameter is called.
        value: Name -> value.

    Raises:
        TypeError: No mapping, or an option that there is not.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is a mapping of options, got {type(value).__name__}.")
    parameters = inspect.signature(kind).parameters
    if unknown := sorted(map(str, value.keys() - parameters)):
        raise TypeError(f"{name} has no {', '.join(map(repr, unknown))}; it has {', '.join(parameters)}.")
    needed = [each.name for each in parameters.values() if each.default is each.empty]
    if lacking := [each for each in needed if each not in value]:
        raise TypeError(f"{name} lacks {', '.join(map(repr, lacking))}; it has {', '.join(parameters)}.")
    return kind(**value)
