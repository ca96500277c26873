"""Options of an encoder behind HTTP, as a frozen value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from opensearch_neural_sparse.arguments import check_count, check_number, check_text
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.short_repr import short_repr

_SHA256 = re.compile(r"[0-9a-f]{64}")


class RemoteProtocol(Choice):
    """HTTP interface of an encoder.

    `AUTO` finds it by the answer to `GET /info`. `OWN` is that of `serve-encoder`; `TEI` is that of Text Embeddings
    Inference, started with `--pooling splade`.
    """

    AUTO = "auto"
    OWN = "opensearch-neural-sparse"
    TEI = "tei"


RemoteProtocolLike = RemoteProtocol | Literal["auto", "opensearch-neural-sparse", "tei"]
"""A `RemoteProtocol`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """Options of an encoder behind HTTP.

    Attributes:
        batch_size: Texts of a request; fewer where the encoder says that it takes fewer.
        batch_characters: Characters above which a request is not grown further; one longer text travels alone.
        in_flight: Requests that are under way at once.
        timeout: Seconds that a request may take, to the end of its answer.
        max_retries: How often a request is sent again after a broken connection, a timeout, or status 429, 502, 503 or
            504.
        initial_backoff: Seconds before the first of these retries; doubled for each further one, with jitter. A
            `Retry-After` of the encoder is waited for.
        max_backoff: Most seconds between retries.
        protocol: HTTP interface of the encoder; `auto` finds it.
        weights_sha256: Fingerprint of the model's document side, 64 hexadecimal digits, as a model stamp has it. Text
            Embeddings Inference does not give one, so it is stated here where the weights are not on this machine.

    Raises:
        ValueError: A number out of range, no such protocol, or no fingerprint.
    """

    batch_size: int = 32
    batch_characters: int = 200_000
    in_flight: int = 4
    timeout: float = 60.0
    max_retries: int = 6
    initial_backoff: float = 0.5
    max_backoff: float = 30.0
    protocol: RemoteProtocolLike = RemoteProtocol.AUTO
    weights_sha256: str | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "protocol", RemoteProtocol(self.protocol))
        check_count(1, batch_size=self.batch_size, batch_characters=self.batch_characters, in_flight=self.in_flight)
        check_count(0, max_retries=self.max_retries)
        check_number(0.0, initial_backoff=self.initial_backoff, max_backoff=self.max_backoff)
        check_number(timeout=self.timeout)
        check_text(optional=True, weights_sha256=self.weights_sha256)
        if not self.timeout > 0:
            raise ValueError(f"timeout is {self.timeout} seconds; it must be more than 0.")
        if self.weights_sha256 is not None and not _SHA256.fullmatch(self.weights_sha256):
            raise ValueError("weights_sha256 is 64 hexadecimal digits in lower case, as the model stamp has it.")

    @classmethod
    def of(cls, given: RemoteOptions | Mapping[str, Any] | None) -> RemoteOptions:
        """Return options that were given as such, or as a mapping from a configuration file.

        Args:
            given: The options; None is the defaults.

        Raises:
            TypeError: Something else, or an option that there is not.
            ValueError: A value out of range.
        """
        if isinstance(given, RemoteOptions):
            return given
        if given is not None and not isinstance(given, Mapping):
            raise TypeError(f"remote_options is RemoteOptions or a mapping, got {type(given).__name__}.")
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(given or {}) - set(known)):
            raise TypeError(f"remote_options has no {', '.join(map(repr, unknown))}; it has {', '.join(known)}.")
        return cls(**given or {})

    def backoff(self, attempt: int) -> float:
        """Return the longest pause, in seconds, before retry number `attempt`, counted from 0.

        Args:
            attempt: Number of the retry.
        """
        return min(self.max_backoff, self.initial_backoff * 2.0**attempt)
