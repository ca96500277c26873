"""Errors and warnings of this package.

Each message has the problem, the conflicting values and a remedy. No message holds credentials,
document text or vectors.

```text
NeuralSparseError
|- UnknownModelError (LookupError)         no such model; lists the close matches
|- ModelFilesError                         not downloaded, offline, incomplete or damaged
|- VectorCacheError                        a file of cached vectors that is damaged or is none
|- MissingDependencyError (ImportError)    an extra is not installed; prints the install command
|- ModelMismatchError                      an index belongs to another model
|- IndexSchemaError (ValueError)           a document or field does not fit the index
|- IndexNotFoundError                      no such index
|- IndexNotBoundError                      the index carries no model and none was given
|- InvalidVectorError (ValueError)         a token or weight the server would refuse or drop
|- FilterSyntaxError (ValueError)          a filter that is not an OpenSearch query clause
|- InvalidRequestError (ValueError)        a value of a request that has no JSON
|- ServerConnectionError                   the server did not answer
|- ServerRequestError                      the server refused the request
|- PartialResultsError                     some shards failed
|- UnsupportedServerError                  the server lacks a feature; found and required
|- DevServerError                          the local server did not start
`- BulkWriteError                          some documents were not written
```
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opensearch_neural_sparse.index.bulk.report import BulkReport

DISTRIBUTION = "opensearch-neural-sparse"


class Remedy(StrEnum):
    """Remedies in the words of the Python API; the command line has its own."""

    CREATE_INDEX = "Check its name, or create it first."
    CREATE_INDICES = "Check their names, or create them first."
    CHECK_PATTERN = "Check the pattern, or create an index that it matches."
    OPEN_EXISTING = "exist_ok=True opens it instead."
    NAME_MODEL = "Name the model that encoded it: model='...'."
    GIVE_MODEL = "Name one: model='...'."
    GIVE_FOLDER = "Give it, by name or folder: model='...', or make it known with register_model()."
    REBIND = "bind_model(replace=True) writes another stamp; reindex_with_model() encodes the documents again."
    REINDEX = "Name the model that encoded them, or encode them again: reindex_with_model()."
    FIND_MODEL = "list_models() shows them."
    LIST_MODELS = "list_models() shows the known models."
    REGISTER_MODEL = "A model of your own is given as its folder, or made known with register_model(path_or_hub_id)."
    GIVE_LOGIN = "Give one as http_auth."
    CHECK_LOGIN = "Check its user and password."
    LACKS_RIGHT = "Give its user that right, or another login."
    USE_HTTP = "Its address begins with http://, not https://."
    USE_HTTPS = "Is it running and reachable from here? If it speaks TLS, its address begins with https://."
    TRUST_AUTHORITY = "ca_certs names the file of its authority; verify_certs=False trusts any certificate."
    CHECK_HOST_NAME = "Reach it by a name in its certificate; verify_certs=False trusts it under any."
    CHECK_CERTIFICATE_FILES = "ca_certs, client_cert and client_key name PEM files."


class Choice(StrEnum):
    """Base of the option enumerations; an unknown value is refused with the allowed ones."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        """Refuse an unknown value.

        Raises:
            ValueError: Always.
        """
        raise ValueError(f"{cls.__name__} is one of {', '.join(repr(str(known)) for known in cls)}, got {value!r}.")


class NeuralSparseError(Exception):
    """Base of every error of this package."""


class UnknownModelError(NeuralSparseError, LookupError):
    """A model name that is neither in the catalogue nor a folder.

    Attributes:
        model: The name as given.
        close_matches: Known names that resemble it, best first.
        folder: The folder of that name, if it is a path; else None.
    """

    def __init__(self, model: str, close_matches: Sequence[str] = (), *, folder: Path | None = None) -> None:
        self.model = model
        self.close_matches, self.folder = tuple(close_matches), folder
        if folder is not None:
            wrong = "is a file, not the folder of a model" if folder.exists() else "does not exist"
            super().__init__(f"The model folder {model!r} {wrong} ({folder}). {Remedy.LIST_MODELS}")
            return
        hint = f"Did you mean {', '.join(map(repr, close_matches))}?" if close_matches else Remedy.FIND_MODEL
        super().__init__(f"Unknown model {model!r}. {hint} {Remedy.REGISTER_MODEL}")


class ModelFilesError(NeuralSparseError):
    """Missing, incomplete, damaged or unavailable files of a model or of a judged collection."""


class VectorCacheError(NeuralSparseError):
    """A vector cache file that is damaged, of another kind, or cannot be opened."""


class JournalError(NeuralSparseError):
    """A journal or a file of dead letters that cannot be used."""


class JournalMismatchError(JournalError):
    """A journal of another source, index or model.

    Attributes:
        journal: Name of the journal.
        part: What differs: `source`, `index`, `uuid` or `model`.
        before: Its value in the journal.
        now: Its value in this load.
    """

    def __init__(self, *, journal: str, part: str, before: str, now: str, index: str) -> None:
        self.journal, self.part, self.before, self.now = journal, part, before, now
        if part == "uuid":
            problem = f"index {index!r} was deleted or replaced since it was written"
        elif part == "model":
            problem = f"the stamp of index {index!r} (its model, pruning, lengths or chunks) has changed since"
        else:
            problem = f"its {part} is {before!r}, that of this load {now!r}"
        super().__init__(
            f"Journal {journal} belongs to another load: {problem}. Give another journal, or restart=True (--restart) "
            "to write all documents again."
        )


class MissingDependencyError(NeuralSparseError, ImportError):
    """A missing optional dependency.

    Attributes:
        extra: The extra that brings the missing module.
    """

    def __init__(self, module: str, extra: str, feature: str) -> None:
        self.extra = extra
        super().__init__(
            f"{feature} needs the module {module!r}, which is not installed. "
            f"Install it with: pip install '{DISTRIBUTION}[{extra}]'",
            name=module,
        )


class ModelMismatchError(NeuralSparseError):
    """An index field that is bound to another model than the given one.

    Attributes:
        index: The index.
        field: Its sparse field.
        bound: The model the field is bound to; None where it carries none.
        given: The model that was given.
    """

    def __init__(self, *, index: str, field: str, bound: str | None, given: str, reason: str, remedy: str) -> None:
        self.index, self.field, self.bound, self.given = index, field, bound, given
        found = "carries no model" if bound is None else f"is bound to model {bound!r}"
        super().__init__(f"Index {index!r}, field {field!r} {found}, but {given!r} was given: {reason}. {remedy}")


class IndexSchemaError(NeuralSparseError, ValueError):
    """A document, field or mapping that does not fit the index layout."""


class IndexNotFoundError(NeuralSparseError):
    """An index, alias or pattern without a match on the server.

    Attributes:
        index: The name that is missing; of a list, the names that are, with commas between them.
    """

    def __init__(self, index: str, remedy: str | None = None) -> None:
        self.index = index
        names = index.split(",")
        if len(names) > 1:
            problem, wayout = f"Indices {', '.join(map(repr, names))} do not exist.", Remedy.CREATE_INDICES
        elif "*" in index:
            problem, wayout = f"No index matches {index!r}.", Remedy.CHECK_PATTERN
        else:
            problem, wayout = f"Index {index!r} does not exist.", Remedy.CREATE_INDEX
        super().__init__(f"{problem} {wayout if remedy is None else remedy}".rstrip())


class IndexNotFoundWarning(UserWarning):
    """A read from a missing index that the store creates at its first write.

    Attributes:
        index: Its name.
    """

    def __init__(self, index: str) -> None:
        self.index = index
        super().__init__(
            f"Index {index!r} does not exist yet, so nothing is found: the first write makes it. A misspelt name looks "
            "the same; check it."
        )


class IndexNotBoundError(NeuralSparseError):
    """An index without a model stamp, opened without a model.

    Attributes:
        index: The index.
        field: Its sparse field.
    """

    def __init__(self, index: str, field: str) -> None:
        self.index, self.field = index, field
        super().__init__(f"Index {index!r} carries no model for its sparse field {field!r}. {Remedy.NAME_MODEL}")


class InvalidVectorError(NeuralSparseError, ValueError):
    """A sparse vector entry that the server would refuse or silently drop.

    Attributes:
        token: The token of the entry.
        weight: Its weight, as given.
    """

    def __init__(self, token: object, weight: object, reason: str) -> None:
        self.token, self.weight = token, weight
        super().__init__(f"Token {token!r} has weight {weight!r}: {reason}.")


class FilterSyntaxError(NeuralSparseError, ValueError):
    """A filter that is neither an OpenSearch query clause nor a list of clauses."""


class UnmappedFieldWarning(UserWarning):
    """A filter on a field that no mapping of the index has, so that no document matches."""


class MissingVectorWarning(UserWarning):
    """Documents written without a vector of a field; a search by that field does not find them.

    Attributes:
        missing: Field -> the ids of these documents.
    """

    def __init__(self, message: str, missing: Mapping[str, Sequence[str]]) -> None:
        self.missing = missing
        super().__init__(message)


class ServerConnectionError(NeuralSparseError):
    """No response from the server: connection refused, closed, timed out or not trusted.

    Attributes:
        address: The server's address, without credentials.
    """

    def __init__(
        self, address: str, reason: str, remedy: str = "Is it running and reachable from here?", *, asked: bool = True
    ) -> None:
        self.address = address
        super().__init__(
            f"OpenSearch at {address} {'did not answer' if asked else 'was not asked'}: {reason}. {remedy}"
        )


class ServerRequestError(NeuralSparseError):
    """A request that the server refused.

    Attributes:
        status: The HTTP status.
        error_type: The server's own name of the error, such as `parsing_exception`.
        reason: The server's reason, cut short and without the field values it quotes.
        login: How the request was signed in, without the secret; empty where that is no matter.
    """

    def __init__(self, status: int, error_type: str, reason: str, *, login: str = "", remedy: str = "") -> None:
        self.status, self.error_type, self.reason = status, error_type, reason
        self.login = login
        sentences = [f"It was sent {login}."] if login else []
        more = " ".join([".", *sentences, remedy]).rstrip() if sentences or remedy else ""
        super().__init__(f"OpenSearch refused the request with status {status}, {error_type}: {reason}{more}")

    def with_remedy(self, remedy: str) -> ServerRequestError:
        """Return the same error with a remedy in its message."""
        return ServerRequestError(self.status, self.error_type, self.reason, login=self.login, remedy=remedy)


class InvalidRequestError(NeuralSparseError, ValueError):
    """A request value without a JSON form; the request was not sent."""

    def __init__(self, value: str) -> None:
        super().__init__(
            f"The request was not sent, since it has no JSON: {value}. JSON has texts, finite numbers, booleans, lists "
            "and mappings of these."
        )


class PartialResultsError(NeuralSparseError):
    """Partial search results raised as an error (some shards failed).

    Attributes:
        failures: The failures as the server reports them.
    """

    def __init__(self, failed: int, total: int, failures: Sequence[Mapping[str, Any]]) -> None:
        self.failures = tuple(failures)
        causes = [failure.get("reason") for failure in failures]
        reasons = sorted({str(cause.get("reason") if isinstance(cause, dict) else cause) for cause in causes})
        why = "; ".join(reasons) or "no reason given"
        super().__init__(f"{failed} of {total} shards did not answer, so hits may be missing: {why}")


class PartialResultsWarning(UserWarning):
    """Partial search results (some shards failed)."""


class TruncationWarning(UserWarning):
    """A text or query longer than the model's limit; its end is in no vector.

    Attributes:
        documents: Ids of the documents that were cut -> how many of their tokens; empty where no ids are known, as of
            a query.
    """

    def __init__(self, message: str, documents: Mapping[str, int] | None = None) -> None:
        self.documents: Mapping[str, int] = documents or {}
        super().__init__(message)


class HybridPoolWarning(UserWarning):
    """A page of a hybrid search beyond the fused documents, though more match."""


class UnsupportedServerError(NeuralSparseError):
    """A feature that this server lacks or computes incorrectly.

    Attributes:
        feature: The requested feature.
        found: The server.
        required: The required server.
    """

    def __init__(self, feature: str, *, found: str, required: str, reason: str = "") -> None:
        self.feature, self.found, self.required = feature, found, required
        super().__init__(f"{feature} needs {required}, but the server is {found}. {reason}".rstrip())


class LimitedRightsWarning(UserWarning):
    """An optional request was denied by the server."""


class DevServerError(NeuralSparseError):
    """A local OpenSearch that could not be assembled, started or stopped.

    Attributes:
        log: The end of the server's own log, or the empty string.
    """

    def __init__(self, message: str, log: str = "") -> None:
        self.log = log
        super().__init__(f"{message}\n{log}".rstrip())


class BulkWriteError(NeuralSparseError):
    """Documents that were not written, or whether they were is unknown.

    Attributes:
        report: Counts, the ids that failed with their reasons, and the ids whose outcome is unknown.
    """

    def __init__(self, report: BulkReport) -> None:
        self.report = report
        super().__init__(str(report))
