"""Requests to the plugin that runs models, ml-commons."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    InvalidVectorError,
    ServerModelError,
    ServerRequestError,
)
from opensearch_neural_sparse.server_models.prediction import ML_ROOT, predicted_weights, without_templates
from opensearch_neural_sparse.server_models.reasons import explain
from opensearch_neural_sparse.server_models.registered_model import REMOTE, TOKENIZING, RegisteredModel
from opensearch_neural_sparse.transport.answers import is_refusal, readable
from opensearch_neural_sparse.transport.errors import error_of_answer, translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

MOST_MODELS = 10_000
_DENIED, _NOT_FOUND = (401, 403), 404
_PAUSES = (0.1, 0.2, 0.5, 1.0)
_PASSING = ("heap", "heap_request", "too_many_tasks")
"""Causes that pass by themselves: a heap is full until the next collection."""
UNREAD_PATIENCE = 30.0
"""Seconds for which a request is sent again that a node with a full heap refuses unread."""
Result = TypeVar("Result")


class Deadline:
    """The time until which something is waited for.

    Args:
        seconds: How long from now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self._end, self._turn = seconds, time.monotonic() + seconds, 0

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def pause(self, model: str, wait_for: str) -> None:
        """Wait a little.

        Args:
            model: Name or id of the model, for the message.
            wait_for: What is waited for, for the message.

        Raises:
            ServerModelError: The time is over.
        """
        if self.over:
            remedy = "Call it again, which continues, or give a longer timeout."
            problem = f"{wait_for} took longer than {self.seconds:g} seconds"
            raise ServerModelError(model, problem, remedy=remedy, cause="timeout")
        time.sleep(_PAUSES[min(self._turn, len(_PAUSES) - 1)])
        self._turn += 1


def patiently(ask: Callable[[], Result], deadline: Deadline) -> Result:
    """Return the result of a request, sent again while a node is too busy for it.

    Args:
        ask: Sends the request.
        deadline: Until when.

    Raises:
        ServerModelError: It failed for another reason, or the time is over.
    """
    busy: ServerModelError | None = None
    while True:
        try:
            return ask()
        except ServerModelError as error:
            if error.cause == "timeout" and busy is not None:
                raise busy from None
            if error.cause not in _PASSING or deadline.over:
                raise
            busy = error
            deadline.pause(error.model, "waiting for a node that is too busy")


class MlRequests:
    """Requests to ml-commons; failures are explained.

    Args:
        client: A client.
    """

    def __init__(self, client: OpenSearch) -> None:
        self.client = client

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        model: str,
        root: str = ML_ROOT,
        expected: int | None = None,
    ) -> Any:
        """Send a request; one that a node refuses unread, because its heap is full, is sent again for 30 seconds.

        Args:
            method: HTTP method.
            path: Path below `root`.
            body: JSON body.
            model: Name or id of the model, for messages.
            root: Root of the API.
            expected: A status that is a normal outcome, of which the client logs no warning; it is raised all the same.

        Raises:
            ServerModelError: The server refused it.
            ServerRequestError: The login lacks the right.
        """
        patience = Deadline(UNREAD_PATIENCE)
        while True:
            try:
                return self._send_once(method, f"{root}/{path}", body, model, expected)
            except ServerModelError as error:
                if error.cause != "heap_request" or patience.over:
                    raise
                patience.pause(model, "waiting for a node with a full heap")

    def _send_once(self, method: str, path: str, body: Any, model: str, expected: int | None) -> Any:
        params = {} if expected is None else {"ignore": expected}
        try:
            with translated_errors(self.client, model):
                response = self.client.transport.perform_request(method, path, params=params, body=body)
                if not is_refusal(response, expected):
                    return readable(response)
            raise error_of_answer(self.client, response, model)
        except ServerRequestError as error:
            if error.status in _DENIED and error.login:
                raise
            raise explain(model, error.reason) from None

    def search(self, kind: str, query: Mapping[str, Any], *, model: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Return ids and documents of models, connectors or groups.

        Args:
            kind: `models`, `connectors` or `model_groups`.
            query: The query.
            model: Name or id of the model, for messages.
        """
        excluded = ["content", "model_content"]
        body = {"query": query, "size": MOST_MODELS, "_source": {"excludes": excluded}}
        try:
            found = self.send("POST", f"{kind}/_search", body, model=model, expected=_NOT_FOUND)
        except IndexNotFoundError:  # nothing was ever registered
            return []
        return [(hit["_id"], hit["_source"]) for hit in found["hits"]["hits"]]

    def models(self, *, model: str = "*", **terms: str) -> list[RegisteredModel]:
        """Return the models in the server, those with the given values.

        Args:
            model: Name or id of the model, for messages.
            terms: Field -> value; two underscores stand for a dot.
        """
        query = {
            "bool": {
                "filter": [{"term": {field.replace("__", "."): value}} for field, value in terms.items()],
                "must_not": [{"exists": {"field": "chunk_number"}}],
            }
        }
        return [RegisteredModel.read(*row) for row in self.search("models", query, model=model)]

    def named(self, name: str, **terms: str) -> list[RegisteredModel]:
        """Return the models of a name as they are now; a search alone may show an earlier state.

        Args:
            name: The name.
            terms: Further fields and values.
        """
        found = []
        for model in self.models(model=name, name__keyword=name, **terms):
            try:
                found.append(self.model(model.model_id))
            except ServerModelError as error:  # deleted meanwhile
                if error.cause != "no_model":
                    raise
        return found

    def model(self, model_id: str) -> RegisteredModel:
        """Return a model.

        Raises:
            ServerModelError: There is no such model.
        """
        return RegisteredModel.read(model_id, self.send("GET", f"models/{model_id}", model=model_id))

    def wait(self, task_id: str, deadline: Deadline, *, model: str, wait_for: str) -> Mapping[str, Any]:
        """Wait for a task; return it.

        Raises:
            ServerModelError: It failed, or the time is over.
        """
        while True:
            task: Mapping[str, Any] = self.send("GET", f"tasks/{task_id}", model=model)
            if task["state"] == "COMPLETED":
                return task
            if task["state"] not in ("CREATED", "RUNNING"):
                raise explain(model, failure_of(task))
            deadline.pause(model, wait_for)

    def predict(self, model: RegisteredModel, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors that a model gives.

        Args:
            model: The model.
            texts: What is encoded.

        Raises:
            ServerModelError: It gives none, or another number of them.
        """
        function = "sparse_tokenize" if model.function == TOKENIZING else "sparse_encoding"
        given = [without_templates(text) for text in texts] if model.function == REMOTE else [*texts]
        if not given:
            return []
        path = f"_predict/{function}/{model.model_id}"
        answer = self.send("POST", path, {"text_docs": given}, model=model.name or model.model_id)
        return _read_vectors(answer, len(given), model)


def failure_of(task: Mapping[str, Any]) -> str:
    """Return the reason of a failed task, without the nodes' ids."""
    error = str(task.get("error") or task.get("state"))
    try:
        by_node = json.loads(error)
    except ValueError:
        return error
    return "; ".join(dict.fromkeys(map(str, by_node.values()))) if isinstance(by_node, dict) else error


def _read_vectors(answer: Mapping[str, Any], count: int, model: RegisteredModel) -> list[SparseVector]:
    try:
        vectors = [SparseVector(weights) for weights in predicted_weights(answer)]
    except (AttributeError, KeyError, TypeError, ValueError, InvalidVectorError):
        remedy = "A sparse model answers with a list of {token: weight}, one for each text."
        problem = "its answer holds no token weights"
        raise ServerModelError(model.name, problem, remedy=remedy, cause="encoder_not_vectors") from None
    if len(vectors) != count:
        remedy = "An encoder answers with a list of {token: weight}, one for each text."
        problem = f"it gives {len(vectors)} vectors for {count} texts"
        raise ServerModelError(model.name, problem, remedy=remedy, cause="encoder_too_few")
    return vectors
