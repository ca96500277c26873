"""Limits of an encoder service."""

from __future__ import annotations

from dataclasses import dataclass, fields

MEBIBYTE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ServiceOptions:
    """Limits of an encoder service.

    Args:
        max_texts: Most texts of a request.
        max_characters: Most characters of a text.
        max_bytes: Most bytes of a request's body.
        queue: Most texts that wait for the model; a request beyond is refused with status 429.
        batch_texts: Most texts that one call of the model takes from several requests.
        batch_wait_ms: Milliseconds that a request waits for others to be encoded with it. Those that come while the
            model runs are joined without it.
        read_timeout: Seconds in which the headers of a request, and then its body, must have come.
        answer_timeout: Seconds after which a request that waits is refused with status 503.
        end_timeout: Seconds that requests in flight have to end when the service stops.

    Raises:
        ValueError: A number out of range.
    """

    max_texts: int = 256
    max_characters: int = 1_000_000
    max_bytes: int = 16 * MEBIBYTE
    queue: int = 1024
    batch_texts: int = 32
    batch_wait_ms: float = 0.0
    read_timeout: float = 30.0
    answer_timeout: float = 120.0
    end_timeout: float = 30.0

    def __post_init__(self) -> None:
        for name, value in ((field.name, getattr(self, field.name)) for field in fields(self)):
            least = 0 if name == "batch_wait_ms" else 1
            if not value >= least:
                raise ValueError(f"{name} is {value}; it must be {least} or more.")
        if self.queue < self.max_texts:
            raise ValueError(
                f"queue is {self.queue}, less than max_texts, {self.max_texts}: such a request would never be "
                "taken. Raise queue, or lower max_texts."
            )

    @property
    def queue_characters(self) -> int:
        """Most characters of the texts that wait for the model."""
        return 4 * max(self.max_bytes, self.max_characters)

    @property
    def batch_characters(self) -> int:
        """Most characters that one call of the model takes from several requests."""
        return 1000 * self.batch_texts

    @property
    def limits(self) -> dict[str, int]:
        """Limits of a request, as `/info` shows them."""
        return {"texts": self.max_texts, "characters": self.max_characters, "bytes": self.max_bytes}
