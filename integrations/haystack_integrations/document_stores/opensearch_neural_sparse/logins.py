"""Logins of a document store: secrets, and which of several holds."""

from __future__ import annotations

from collections.abc import Mapping
from os import environ
from typing import Any

from haystack.utils import Secret
from haystack.utils.auth import SecretType

from opensearch_neural_sparse.layer_support import SourcedHeader, SourcedLogin, check_type

USER_AND_PASSWORD = (
    Secret.from_env_var("OPENSEARCH_USERNAME", strict=False),
    Secret.from_env_var("OPENSEARCH_PASSWORD", strict=False),
)
API_KEY = Secret.from_env_var("OPENSEARCH_API_KEY", strict=False)
BEARER_TOKEN = Secret.from_env_var("OPENSEARCH_BEARER_TOKEN", strict=False)
_DEFAULTS: Mapping[str, Any] = {"http_auth": USER_AND_PASSWORD, "api_key": API_KEY, "bearer_token": BEARER_TOKEN}
_HEADERS = {"api_key": ("ApiKey", "an API key"), "bearer_token": ("Bearer", "a bearer token")}
"""Parameter -> the scheme of its header, and its name in messages."""


def saved_tokens(**tokens: Secret | None) -> dict[str, Secret | None]:
    """Return the tokens that are not those of the environment by default.

    Raises:
        TypeError: A token that is no secret.
    """
    given: dict[str, Any] = tokens
    check_type(Secret, optional=True, **given)
    return {name: token for name, token in tokens.items() if token != _DEFAULTS[name]}


def login_options(http_auth: Any, resolved: Any, tokens: Mapping[str, Secret | None]) -> dict[str, Any]:
    """Return `http_auth` or `headers` of a client, by the login that is set.

    Args:
        http_auth: What was given as such.
        resolved: What it amounts to.
        tokens: `api_key` and `bearer_token`.

    Raises:
        ValueError: Several are set: several that were given, or several of the environment and none that was given.
    """
    given = {"http_auth": http_auth, **tokens}
    values = {"http_auth": resolved, **{name: token and token.resolve_value() for name, token in tokens.items()}}
    found = {name: value for name, value in values.items() if value}
    chosen = [name for name in found if _is_given(given[name], name)] or list(found)
    if len(chosen) > 1:
        names = " and ".join(_source_of(given[name], name) for name in chosen)
        raise ValueError(f"A login is one of several kinds, and {names} are set. Keep one, or give the others as None.")
    if not chosen:
        return {}
    [name] = chosen
    if name == "http_auth":
        return {"http_auth": _named(http_auth, resolved)}
    scheme, kind = _HEADERS[name]
    return {"headers": {"authorization": SourcedHeader(f"{scheme} {found[name]}", kind, _source_of(given[name], name))}}


def _is_given(secret: Any, name: str) -> bool:
    plain = tuple(secret) if isinstance(secret, list) else secret
    return bool(plain != _DEFAULTS[name])


def _named(secrets: Any, resolved: Any) -> Any:
    """Return a login that knows the environment variables of its two secrets; any other as it is."""
    if not isinstance(resolved, list):
        return resolved
    variables = _variables(*secrets)
    source = f"the environment variables {' and '.join(variables)}" if variables else "http_auth"
    user, password = resolved
    return SourcedLogin(user, password, source)


def _source_of(secret: Any, name: str) -> str:
    secrets = secret if isinstance(secret, tuple | list) else [secret]
    variables = _variables(*(one for one in secrets if isinstance(one, Secret)))
    return " and ".join(variables) or name


def _variables(*secrets: Secret) -> list[str]:
    """Return the environment variables that secrets were read from."""
    names = [secret.to_dict()["env_vars"] for secret in secrets if secret.type is SecretType.ENV_VAR]
    return [found for each in names if (found := next((name for name in each if name in environ), None))]
