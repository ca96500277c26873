"""Observation of requests and operations: a span, a duration and a log line each."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import ServerRequestError
from opensearch_neural_sparse.telemetry.conventions import (
    BATCH_SIZE,
    COLLECTION,
    ERROR_TYPE,
    MODEL,
    OPENSEARCH,
    OPERATION,
    SERVER_ADDRESS,
    SERVER_PORT,
    STATUS,
    SYSTEM,
    TEXTS,
    Attributes,
    AttributeValue,
    shown_attributes,
)
from opensearch_neural_sparse.telemetry.metrics import (
    OPERATION_DURATION,
    REQUEST_DURATION,
    is_measured,
    record_duration,
)
from opensearch_neural_sparse.telemetry.tracing import is_traced, open_span

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_logger = logging.getLogger("opensearch_neural_sparse.telemetry")
_OF_NO_INDEX = ("cat.", "info", "ingest.", "ml.", "search_pipeline.")
"""Beginnings of the names of requests that are for the server, not for an index."""


class Observation:
    """A request or an operation that is observed.

    Attributes:
        is_active: Whether anything reads what it is described by.
        attributes: What is known of it.
    """

    def __init__(self, attributes: Attributes, span: Span | None, *, is_active: bool) -> None:
        self.attributes: dict[str, AttributeValue] = dict(attributes)
        self.is_active, self._span = is_active, span

    def describe(self, attributes: Attributes) -> None:
        """Add attributes, such as those of the result."""
        self.attributes.update(attributes)
        if self._span is not None:
            self._span.set_attributes(dict(attributes))


def observe_request(name: str, index: str, client: Any, size: int = 1) -> AbstractContextManager[Observation]:
    """Return a context in which one request to the server is observed.

    Args:
        name: Its name in opensearch-py, such as `indices.get`.
        index: The index that it is for.
        client: The client that sends it.
        size: How many searches or documents it holds.
    """
    if not _is_observed():
        return _UNOBSERVED
    attributes: dict[str, AttributeValue] = {SYSTEM: OPENSEARCH, OPERATION: name}
    target = ""
    if not name.startswith(_OF_NO_INDEX):
        attributes[COLLECTION], target = index, f" {index}"
    if size > 1:
        attributes[BATCH_SIZE] = size
    attributes |= _server(client)
    return _observe(name, f"{name}{target}", attributes, REQUEST_DURATION, to_server=True)


def observe_operation(name: str | None, index: str) -> AbstractContextManager[Observation]:
    """Return a context in which an operation of a store is observed.

    Args:
        name: Its name, such as `hybrid_search`; None observes nothing.
        index: The index that it is for.
    """
    if name is None or not _is_observed():
        return _UNOBSERVED
    attributes: Attributes = {SYSTEM: OPENSEARCH, OPERATION: name, COLLECTION: index}
    return _observe(name, f"{name} {index}", attributes, OPERATION_DURATION)


def observe_encoding(name: str, model: str | None, count: int) -> AbstractContextManager[Observation]:
    """Return a context in which the encoding of texts is observed.

    Args:
        name: `encode_queries` or `encode_documents`.
        model: Id of the model, as far as it is known.
        count: How many texts there are.
    """
    if not _is_observed():
        return _UNOBSERVED
    attributes: Attributes = {OPERATION: name} if model is None else {OPERATION: name, MODEL: model}
    return _observe(name, name, {**attributes, TEXTS: count}, OPERATION_DURATION, measured=attributes)


def _is_observed() -> bool:
    return is_traced() or is_measured() or _logger.isEnabledFor(logging.DEBUG)


@contextmanager
def _observe(
    name: str,
    span_name: str,
    attributes: Attributes,
    histogram: str,
    *,
    to_server: bool = False,
    measured: Attributes | None = None,
) -> Iterator[Observation]:
    started, failed = perf_counter(), dict[str, AttributeValue]()
    with open_span(span_name, attributes, to_server=to_server) as span:
        is_active = _logger.isEnabledFor(logging.DEBUG) or (span is not None and span.is_recording())
        observation = Observation(attributes, span, is_active=is_active)
        try:
            yield observation
        except BaseException as error:
            failed = _failure(error)
            observation.describe(failed)
            raise
        finally:
            seconds = perf_counter() - started
            record_duration(histogram, seconds, {**(attributes if measured is None else measured), **failed})
            how = "failed after" if failed else "took"
            _logger.debug("%s %s %.1f ms%s", name, how, 1000 * seconds, shown_attributes(observation.attributes))


def _failure(error: BaseException) -> dict[str, AttributeValue]:
    if not isinstance(error, ServerRequestError):
        return {ERROR_TYPE: type(error).__name__}
    return {ERROR_TYPE: error.error_type, STATUS: str(error.status)}


def _server(client: Any) -> Attributes:
    """Return the address of a client's server; of several, one cannot say which answers."""
    hosts: Sequence[Mapping[str, Any]] = client.transport.hosts if is_traced() or is_measured() else ()
    if len(hosts) != 1:
        return {}
    port = hosts[0].get("port")
    address: Attributes = {SERVER_ADDRESS: str(hosts[0].get("host", "localhost"))}
    return address if not port else {**address, SERVER_PORT: int(port)}


class _Unobserved(AbstractContextManager[Observation]):
    """The context where nothing observes."""

    def __enter__(self) -> Observation:
        return _NOTHING

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


_NOTHING, _UNOBSERVED = Observation({}, None, is_active=False), _Unobserved()
