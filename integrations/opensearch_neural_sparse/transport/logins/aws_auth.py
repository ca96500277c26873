"""Request signing for Amazon's services, by both clients."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from opensearch_neural_sparse.arguments import check_text
from opensearch_neural_sparse.errors import MissingDependencyError


class AwsAuth:
    """Sign requests for Amazon OpenSearch Service or Serverless (SigV4), blocking or asynchronous.

    Args:
        region: Such as `eu-central-1`.
        service: `es` for a domain, `aoss` for a serverless collection.
        credentials: Credentials of botocore; by default those that boto3 finds when the first request is sent.

    Raises:
        MissingDependencyError: boto3 is not installed, and no credentials are given.

    Examples:
        ```python
        client_options = {"http_auth": AwsAuth("eu-central-1"), "use_ssl": True}
        ```
    """

    def __init__(self, region: str, service: str = "es", credentials: Any = None) -> None:
        check_text(region=region, service=service)
        self.region, self.service = region, service
        self._credentials = credentials
        if credentials is None and find_spec("boto3") is None:
            raise _missing_boto3()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_signer"}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.region!r}, {self.service!r})"

    def __call__(self, method: str, url: str, body: Any, headers: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Return the headers that sign a request."""
        headers = None if headers is None else dict(headers)
        return self._signer.sign(method, url, body, headers)  # type: ignore[no-any-return]

    @cached_property
    def _signer(self) -> Any:
        from opensearchpy.helpers.signer import AWSV4Signer

        return AWSV4Signer(self._credentials or _found_credentials(), self.region, self.service)


def awaitable_options(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of an asynchronous client, with a connection class that calls a given signer."""
    if not callable(options.get("http_auth")) or "connection_class" in options:
        return options
    from opensearchpy import AsyncHttpConnection

    return {**options, "connection_class": AsyncHttpConnection}


def _found_credentials() -> Any:
    try:
        import boto3  # type: ignore[import-untyped]
    except ImportError:
        raise _missing_boto3() from None
    return boto3.Session().get_credentials()


def _missing_boto3() -> MissingDependencyError:
    return MissingDependencyError("boto3", "aws", "Signing requests for Amazon OpenSearch Service")
