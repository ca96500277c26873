"""Spans of OpenTelemetry, in programs that use it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from opensearch_neural_sparse.telemetry.conventions import OWN, Attributes
from opensearch_neural_sparse.version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


def is_traced() -> bool:
    """Return whether the program has a provider of spans; nothing of OpenTelemetry is imported for it."""
    return is_provided("opentelemetry.trace", "get_tracer_provider")


def is_provided(api: str, provider: str) -> bool:
    """Return whether the program has set a provider, other than those of the API, which record nothing.

    Args:
        api: The module of the API; where the program has not imported it, there is none.
        provider: The function of the module that returns the provider.
    """
    function = vars(sys.modules.get(api, object)).get(provider)
    return function is not None and not type(function()).__module__.startswith(api)


@contextmanager
def open_span(name: str, attributes: Attributes, *, to_server: bool = False) -> Iterator[Span | None]:
    """Open a span for the block; it is the parent of spans within. None where there is no provider of spans.

    An error in the block is its status; the message of the error is no part of it.

    Args:
        name: Its name.
        attributes: What is known at its begin.
        to_server: Whether it is a request to the server.
    """
    if not is_traced():
        yield None
        return
    from opentelemetry import trace

    kind = trace.SpanKind.CLIENT if to_server else trace.SpanKind.INTERNAL
    span = _tracer().start_span(name, kind=kind, attributes=dict(attributes))
    with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield span
        except BaseException:
            span.set_status(trace.StatusCode.ERROR)
            raise


@lru_cache(maxsize=1)
def _tracer() -> Tracer:
    from opentelemetry import trace

    return trace.get_tracer(OWN, __version__)
