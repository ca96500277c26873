"""Convert parameters of components: to the core's options, and to what YAML holds."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from enum import Enum
from os import environ
from pathlib import Path
from typing import Any, Protocol

from haystack.utils import ComponentDevice, Secret
from haystack.utils.auth import SecretType

from opensearch_neural_sparse import ModelFiles, Side, get_model, resolve_files
from opensearch_neural_sparse.layer_support import SourcedLogin, check_client_options, check_host_options

_OF_THE_LAYOUT = ("mappings", "method")
"""Parameters of opensearch-haystack's store that say how fields are mapped."""


class NamesModel(Protocol):
    """A component with a model: attributes that name it and say where its files are."""

    model: str | Path
    revision: str | None
    token: Secret | None
    cache_dir: str | Path | None
    local_files_only: bool


def saved_parameters(component: object) -> dict[str, Any]:
    """Return the parameters of a component's constructor as they were given, as plain values.

    Args:
        component: It keeps each parameter in an attribute of the same name.
    """
    names = list(inspect.signature(type(component).__init__).parameters)[1:]
    return {name: _plain(getattr(component, name)) for name in names}


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


def query_files(component: NamesModel) -> ModelFiles:
    """Return the files that the queries of a component's model are encoded with.

    Raises:
        ModelFilesError: They cannot be had.
        UnknownModelError: There is no such model.
    """
    return resolve_files(
        get_model(component.model),
        side=Side.QUERY,
        revision=component.revision,
        token=token_value(component.token),
        cache_dir=component.cache_dir,
        local_files_only=component.local_files_only,
    )


def given(**options: Any) -> dict[str, Any]:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def named_login(secrets: Any, resolved: Any) -> Any:
    """Return a login that knows the environment variables of its two secrets; any other as it is.

    Args:
        secrets: What was given as `http_auth`.
        resolved: What it amounts to.
    """
    if not isinstance(resolved, list):
        return resolved
    of_environment = [secret.to_dict()["env_vars"] for secret in secrets if secret.type is SecretType.ENV_VAR]
    variables = [name for names in of_environment for name in names if name in environ][: len(secrets)]
    source = f"the environment variables {' and '.join(variables)}" if variables else "http_auth"
    user, password = resolved
    return SourcedLogin(user, password, source)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
