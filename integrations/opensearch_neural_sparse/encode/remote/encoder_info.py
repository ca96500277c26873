"""Description of an encoder behind HTTP, as it gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.encode.remote.remote_options import RemoteProtocol

SERVICE = "opensearch-neural-sparse"


@dataclass(frozen=True, kw_only=True)
class EncoderInfo:
    """Description of an encoder: the answer to `GET /info`.

    Attributes:
        protocol: Its HTTP interface.
        model: Id of its model.
        revision: Commit of the model on the hub, or None.
        dtype: Number format, or None where it does not say.
        mode: Mode of the model, or None.
        activation: Activation of the model, or None.
        query_sha256: Fingerprint of the query side, or None.
        weights_sha256: Fingerprint of the document side, or None.
        max_length: Most tokens of a text.
        max_active_dims: Most tokens of a vector; None keeps all.
        most_texts: Most texts of a request, or None.
        most_characters: Most characters of a text, or None.
        most_at_once: Most texts under way at once, or None.
    """

    protocol: RemoteProtocol
    model: str
    revision: str | None = None
    dtype: str | None = None
    mode: str | None = None
    activation: str | None = None
    query_sha256: str | None = None
    weights_sha256: str | None = None
    max_length: int
    max_active_dims: int | None = None
    most_texts: int | None = None
    most_characters: int | None = None
    most_at_once: int | None = None


def read_info(answer: Any, protocol: RemoteProtocol) -> EncoderInfo:
    """Read the answer to `GET /info`.

    Args:
        answer: The answer.
        protocol: The expected interface; `AUTO` takes either.

    Raises:
        ValueError: It is that of another interface, or lacks a part; the message says so.
    """
    if not isinstance(answer, Mapping):
        raise ValueError("GET /info has no JSON object")  # noqa: TRY004  of a server, not of a caller
    found = RemoteProtocol.OWN if answer.get("service") == SERVICE else RemoteProtocol.TEI
    if protocol not in (RemoteProtocol.AUTO, found):
        raise ValueError(f"GET /info is not that of protocol {str(protocol)!r}")
    try:
        return _own_info(answer) if found is RemoteProtocol.OWN else _tei_info(answer)
    except (KeyError, TypeError, ValueError) as error:
        part = str(error) if isinstance(error, KeyError) else "a value of the right kind"
        raise ValueError(f"GET /info lacks {part}, which protocol {str(found)!r} has") from None


def _own_info(answer: Mapping[str, Any]) -> EncoderInfo:
    limits = answer.get("limits") or {}
    return EncoderInfo(
        protocol=RemoteProtocol.OWN,
        model=str(answer["model"]),
        revision=_text(answer.get("revision")),
        mode=str(answer["mode"]),
        activation=str(answer["activation"]),
        query_sha256=str(answer["query_sha256"]),
        weights_sha256=str(answer["weights_sha256"]),
        max_length=int(answer["max_length"]),
        max_active_dims=_number(answer.get("max_active_dims")),
        most_texts=_number(limits.get("texts")),
        most_characters=_number(limits.get("characters")),
    )


def _tei_info(answer: Mapping[str, Any]) -> EncoderInfo:
    return EncoderInfo(
        protocol=RemoteProtocol.TEI,
        model=str(answer["model_id"]),
        revision=_text(answer.get("model_sha")),
        dtype=_text(answer.get("model_dtype")),
        max_length=int(answer["max_input_length"]),
        most_texts=_number(answer.get("max_client_batch_size")),
        most_at_once=_number(answer.get("max_concurrent_requests")),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
