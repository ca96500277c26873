"""Names of attributes, those of OpenTelemetry's conventions for databases and our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

AttributeValue = str | bool | int | float | Sequence[str] | Sequence[int]
Attributes = Mapping[str, AttributeValue]

SYSTEM, COLLECTION, OPERATION = "db.system.name", "db.collection.name", "db.operation.name"
BATCH_SIZE, RETURNED, STATUS = "db.operation.batch.size", "db.response.returned_rows", "db.response.status_code"
SERVER_ADDRESS, SERVER_PORT, ERROR_TYPE = "server.address", "server.port", "error.type"
OPENSEARCH = "opensearch"

OWN = "opensearch_neural_sparse"
MODEL, TEXTS = f"{OWN}.model", f"{OWN}.texts"
TOTAL, SERVER_MS, FUSION, FUSION_REASON = f"{OWN}.total", f"{OWN}.server_ms", f"{OWN}.fusion", f"{OWN}.fusion_reason"
LEGS, LEG_MS = f"{OWN}.legs", f"{OWN}.leg_ms"
DONE, REFUSED = f"{OWN}.documents.done", f"{OWN}.documents.refused"
NOT_SENT_COUNT, UNKNOWN = f"{OWN}.documents.not_sent", f"{OWN}.documents.unknown"
OUTCOME = f"{OWN}.outcome"

_IN_LOGS = {COLLECTION: "index", BATCH_SIZE: "batch_size", RETURNED: "hits", STATUS: "status", ERROR_TYPE: "error"}
_NOT_IN_LOGS = frozenset({SYSTEM, OPERATION, SERVER_ADDRESS, SERVER_PORT})


def shown_attributes(attributes: Attributes) -> str:
    """Return attributes as a part of a log line: `, index='articles', hits=10`.

    Args:
        attributes: Attributes of a span.
    """
    shown = {name: value for name, value in attributes.items() if name not in _NOT_IN_LOGS}
    return "".join(f", {_IN_LOGS.get(name, name.removeprefix(f'{OWN}.'))}={value!r}" for name, value in shown.items())
