"""Templates of connectors: how the server calls an encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Self

OWN_SERVICE = "opensearch-neural-sparse"
_NO_SECRET = "none"  # noqa: S105  the server wants some credential


@dataclass(frozen=True, kw_only=True)
class ConnectorTemplate:
    """Template of a connector, by which the server calls an encoder.

    Attributes:
        about: What it is for.
        path: What is added to the service's address.
        protocol: `http` or `aws_sigv4`.
        headers: Headers of each request.
        authorization: The header `authorization` where there is an API key, or None.
        request_body: Body of each request, in the server's notation.
        pre_process_function: The server's function that hands texts to the body.
        credential: Names of the secrets that it needs.
        parameters: Values that the body, or signing, uses; None is to be given.
    """

    about: str
    path: str
    protocol: str
    headers: Mapping[str, str]
    authorization: str | None
    request_body: str
    pre_process_function: str
    credential: tuple[str, ...]
    parameters: Mapping[str, str | None]

    @classmethod
    def named(cls, name: str) -> Self:
        """Return a template by its name.

        Raises:
            ValueError: There is no such template.
        """
        known = _known()
        if name not in known:
            raise ValueError(f"template is one of {', '.join(map(repr, known))}, got {name!r}.")
        row = known[name]
        return cls(**{**row, "credential": tuple(row["credential"])})

    def body(
        self,
        name: str,
        url: str,
        *,
        credential: Mapping[str, str],
        parameters: Mapping[str, str],
        read_timeout: int,
    ) -> dict[str, Any]:
        """Return the body of the request that creates the connector.

        Args:
            name: Its name.
            url: Address of the encoder.
            credential: Secrets; an HTTP service may have none.
            parameters: Values of the template's parameters.
            read_timeout: Longest time in seconds that an answer may take.

        Raises:
            ValueError: A secret or a parameter is missing, or is none of the template.
        """
        secrets = self._secrets(credential)
        authorized = {"authorization": self.authorization} if self.authorization and credential else {}
        action = {
            "action_type": "predict",
            "method": "POST",
            "url": url,
            "headers": {**self.headers, **authorized},
            "request_body": self.request_body,
            "pre_process_function": self.pre_process_function,
        }
        return {
            "name": name,
            "description": "opensearch-neural-sparse calls an encoder",
            "version": 1,
            "protocol": self.protocol,
            "parameters": self._filled(parameters),
            "credential": secrets,
            "actions": [action],
            "client_config": {"read_timeout": read_timeout},
        }

    def _secrets(self, given: Mapping[str, str]) -> dict[str, str]:
        optional = {*self.credential, "session_token"} if self.protocol != "http" else {*self.credential}
        missing = [] if self.protocol == "http" else [key for key in self.credential if key not in given]
        unknown = [key for key in given if key not in optional]
        if missing or unknown:
            raise ValueError(f"credential has the keys {', '.join(self.credential)}, got {', '.join(given) or 'none'}.")
        return dict(given) or dict.fromkeys(self.credential, _NO_SECRET)

    def _filled(self, given: Mapping[str, str]) -> dict[str, str]:
        filled = {**self.parameters, **given}
        missing = [key for key, value in filled.items() if value is None]
        unknown = [key for key in given if key not in self.parameters]
        if missing or unknown:
            known = ", ".join(self.parameters) or "none"
            raise ValueError(f"parameters of this template are {known}, got {', '.join(given) or 'none'}.")
        return {key: str(value) for key, value in filled.items()}


@cache
def _known() -> Mapping[str, Any]:
    known: Mapping[str, Any] = json.loads(files(__package__).joinpath("templates.json").read_text(encoding="utf-8"))
    return known
