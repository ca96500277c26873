"""Scripted updates of existing documents, as bulk actions.

The server applies a change to what a document holds at that moment, in one step, so two programs that change the same
document lose nothing. A partial document (`doc`) would not do: the server merges maps, and tokens of an old vector, or
keys of an old map, would stay.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from opensearch_neural_sparse.index.bulk.actions import BulkAction, PendingAction, pending_action
from opensearch_neural_sparse.index.documents.document import SparseDocument, check_id, to_source
from opensearch_neural_sparse.index.schema import ID_FIELD, META_FIELD, IndexSchema

CONFLICT_RETRIES = 5
"""Number of retries of an update after a version conflict."""
_SCRIPT = """
Map source = ctx._source;
if (params.keep != null) { source.keySet().removeIf(name -> !params.keep.contains(name)); }
for (name in params.drop) { source.remove(name); }
source.putAll(params.put);
if (!params.nested_drop.isEmpty() || !params.nested_put.isEmpty()) {
  Map nested = source.get(params.nested) instanceof Map ? source.get(params.nested) : new HashMap();
  for (name in params.nested_drop) { nested.remove(name); }
  nested.putAll(params.nested_put);
  if (nested.isEmpty()) { source.remove(params.nested); } else { source.put(params.nested, nested); }
}
"""
"""Update script; all values are parameters, so the server compiles it once."""


def metadata_draft(
    document_id: str, metadata: Mapping[str, Any], schema: IndexSchema, *, replace: bool = False
) -> PendingAction:
    """Make the pending update of a document's metadata.

    Args:
        document_id: Its id.
        metadata: Key -> new value; None removes the key.
        schema: Names of the fields.
        replace: Whether keys that are not named go.
    """

    def parameters() -> dict[str, Any]:
        kept = {key: value for key, value in metadata.items() if value is not None}
        source = to_source(SparseDocument(id=document_id, metadata=kept), schema)
        nested = source.pop(META_FIELD, {})
        del source[ID_FIELD]
        dropped = sorted(set(metadata) - set(kept))
        return {
            "keep": sorted(schema.reserved_names - {META_FIELD}) if replace else None,
            "put": source,
            "drop": [key for key in dropped if not schema.is_reserved(key)],
            "nested_put": nested,
            "nested_drop": [key for key in dropped if schema.is_reserved(key)],
        }

    return _change(document_id, parameters)


def text_draft(document: SparseDocument, schema: IndexSchema) -> PendingAction:
    """Make the pending update of a document's text and vectors.

    Args:
        document: Its id, the new text, and the vectors of that.
        schema: Names of the fields.
    """

    def parameters() -> dict[str, Any]:
        source = to_source(document, schema)
        del source[ID_FIELD]
        markers = (field.model_field for field in schema.sparse_fields.values())
        of_the_text = {schema.text_field, *schema.sparse_vectors, *markers}
        if schema.server_chunking is not None:
            of_the_text.add(schema.passage_field)
        return {"keep": None, "put": source, "drop": sorted(of_the_text), "nested_put": {}, "nested_drop": []}

    draft = _change(str(document.id), parameters)
    if isinstance(draft.body, Exception):
        return draft
    put = draft.body["script"]["params"]["put"]
    # A dense vector stays as it was.
    return draft._replace(lacks=tuple(name for name in schema.sparse_vectors if name not in put))


def written_metadata(action: BulkAction, schema: IndexSchema) -> dict[str, Any]:
    """Return the metadata that a serialised action writes, by top-level field.

    Args:
        action: The action.
        schema: Names of the fields.
    """
    lines = action.body.splitlines()
    body = json.loads(lines[1]) if len(lines) > 1 else {}
    if "script" in body:
        parameters = body["script"]["params"]
        body = parameters["put"] | {META_FIELD: parameters["nested_put"]}
    return {key: value for key, value in body.items() if key == META_FIELD or not schema.is_reserved(key)}


def _change(document_id: str, parameters: Callable[[], Mapping[str, Any]]) -> PendingAction:
    header = {"_id": check_id(document_id), "retry_on_conflict": CONFLICT_RETRIES}

    def body() -> dict[str, Any]:
        return {"script": {"source": _SCRIPT, "params": {**parameters(), "nested": META_FIELD}}}

    return pending_action("update", header, body)
