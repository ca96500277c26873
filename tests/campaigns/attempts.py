"""One attempt of a campaign: run under a time limit, and judged by how it ends.

```python
tally = Tally()
value = attempt(tally, "filter None", lambda: store.search("stone", filter=None))
attempt(tally, "a document", write, check=lambda report: None if read_back() else Outcome.SILENT_LOSS)
```
"""

from __future__ import annotations

import asyncio
import importlib
import signal
import traceback
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

from opensearch_neural_sparse import NeuralSparseError
from tests.campaigns.tally import Outcome, Tally

SECONDS = 30.0
"""Time limit of an attempt."""
LONGEST_MESSAGE = 4_000
"""Characters of a message that a person still reads."""
OURS = ("opensearch_neural_sparse", "langchain_opensearch_neural_sparse", "haystack_integrations")
PROMISED: tuple[type[Exception], ...] = (TypeError, ValueError, LookupError, RuntimeError)
"""Built-in errors that are clear where a `raise` of ours raised them."""
_FRAMEWORKS = ("haystack", "haystack_integrations", "langchain_core", "opensearchpy", "enum.py")
_FRAMEWORK_ERRORS = {
    "haystack.document_stores.errors": ("DocumentStoreError", "DuplicateDocumentError", "MissingDocumentError"),
    "haystack.errors": ("FilterError",),
    "haystack.core.errors": ("DeserializationError", "SerializationError"),
    "pydantic_core": ("ValidationError",),
}
NOTHING: Final = object()
"""What `attempt` returns where the call did not."""


class AttemptTimeoutError(BaseException):
    """An attempt that did not end; no handler of `Exception` swallows it."""


Check = Callable[[Any], Outcome | None]
"""What a call returned -> the fault in it, or None."""


def attempt(
    tally: Tally,
    name: str,
    call: Callable[[], Any],
    *,
    check: Check | None = None,
    seconds: float = SECONDS,
    promised: tuple[type[BaseException], ...] = (),
) -> Any:
    """Run a call, count how it ends, and return what it returned, or NOTHING.

    Args:
        tally: Where the outcome is counted.
        name: The attempt in words, for the examples.
        call: What is tried; a coroutine that it returns is awaited.
        check: Says what is wrong with the result.
        seconds: Time limit.
        promised: Errors that are clear here, beside ours.
    """
    try:
        with time_limit(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call()
            if isinstance(result, Coroutine):
                result = asyncio.run(result)
            fault = check(result) if check else None
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  a panic of native code is one, too
        outcome = outcome_of(error, promised)
        tally.add(outcome, f"{described(error)}: {name}", place=f"{type(error).__name__} {place_of(error)}")
        return NOTHING
    tally.add(fault or Outcome.ACCEPTED, name)
    return result


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise AttemptTimeoutError in the main thread after some seconds."""

    def end(number: int, frame: FrameType | None) -> None:
        raise AttemptTimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def outcome_of(error: BaseException, promised: tuple[type[BaseException], ...] = ()) -> Outcome:
    """Return whether an error is a clear one, a raw one, or a hang."""
    if isinstance(error, AttemptTimeoutError):
        return Outcome.HANG
    clear = isinstance(error, (NeuralSparseError, *promised, *framework_errors()))
    clear = clear or (isinstance(error, PROMISED) and was_raised_on_purpose(error.__traceback__))
    return Outcome.REFUSED if clear and 0 < len(str(error)) <= LONGEST_MESSAGE else Outcome.RAW_ERROR


def was_raised_on_purpose(trace: TracebackType | None) -> bool:
    """Whether the last frame of a trace is a `raise` statement of ours, of a framework, or of the hostile value."""
    frames = traceback.extract_tb(trace)
    if not frames:
        return False
    last = frames[-1]
    parts = set(Path(last.filename).parts)
    return bool(parts & {*OURS, *_FRAMEWORKS, "campaigns"}) and (last.line or "").lstrip().startswith("raise ")


def described(error: BaseException) -> str:
    """Return the type of an error, the last frames of ours, and the beginning of its message."""
    return f"{type(error).__name__} at {place_of(error)}: {str(error)[:100]!r} ({len(str(error))} characters)"


def place_of(error: BaseException) -> str:
    """Return where an error was raised: the last frame, and the last two of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if set(Path(each.filename).parts) & set(OURS)]
    return " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed([*ours[-2:], *frames[-1:]]))


def framework_errors() -> tuple[type[BaseException], ...]:
    """Return the errors that the frameworks document for stores and components."""
    if not _found:
        for module, names in _FRAMEWORK_ERRORS.items():
            _found.extend(vars(importlib.import_module(module))[name] for name in names)
    return tuple(_found)


_found: list[type[BaseException]] = []
