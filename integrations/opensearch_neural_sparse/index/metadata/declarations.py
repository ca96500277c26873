"""Declarations of new metadata fields, by the rules of the index's dynamic templates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from opensearch_neural_sparse.index.metadata.field_names import named_fields
from opensearch_neural_sparse.index.metadata.instants import has_instants, is_instant

FieldMapping = Mapping[str, Any]
_OBJECTS = frozenset({None, "object", "nested"})
"""Types of fields with fields of their own."""
_RULE_TYPES = {"long": "double", "double": "double", "date": "keyword", "string": "keyword"}
"""Match of a dynamic template -> the type that it maps to; an index with other templates is left to the server."""


class _Rules(NamedTuple):
    """Mappings that an index's dynamic templates give to new fields."""

    number: FieldMapping
    date: FieldMapping
    text: FieldMapping
    boolean: FieldMapping


class Declarations:
    """Fields that documents bring and that the index does not map yet, with the mappings that it would give them.

    The server maps a new field by the first value that arrives, so two writers of one new key can each take it for
    another type. Declared before the documents are sent, a field has one type, and a second declaration conflicts.
    A text field is declared again, with the subfield of instants, once a date is written to it.

    One thread reads documents while others send them, so what is pending is changed in place.

    Args:
        mappings: The `mappings` of the concrete indices. Unless all have the dynamic templates of this package, nothing
            is declared.
    """

    def __init__(self, mappings: Sequence[Mapping[str, Any]]) -> None:
        self._pending: dict[str, FieldMapping] = {}
        self.read(mappings)

    def read(self, mappings: Sequence[Mapping[str, Any]]) -> bool:
        """Read the mappings; return whether a field that is pending has another type. What they lack stays pending.

        Args:
            mappings: The `mappings` of the concrete indices.
        """
        rules = [_rules(each) for each in mappings]
        self._rules = rules[0] if rules and all(each == rules[0] for each in rules) else None
        fields = [dict(named_fields(each.get("properties", {}))) for each in mappings]
        self._known = {path: field for each in fields for path, field in each.items()}
        mapped = set.intersection(*map(set, fields)) if fields else set()
        self._undated = None if self._rules is None or self._rules.date == self._rules.text else self._rules.text
        self._complete = {path: all(each[path] != self._undated for each in fields) for path in mapped}
        conflicts = False
        for path, field in self.pending.items():
            conflicts |= self._is_of_another_type(path, field)
            if not self._lacks(path, field):
                self._pending.pop(path, None)
        return conflicts

    def missing(self, path: str, value: object) -> FieldMapping | None:
        """Return the mapping that a field needs for a value, or None where it has what it needs.

        Args:
            path: Full name of the field.
            value: A JSON scalar.
        """
        complete = self._complete.get(path)
        if complete or self._rules is None:
            return None
        dated = isinstance(value, str) and is_instant(value)
        if complete is False:
            return self._rules.date if dated else None
        if not all(_takes_fields(self._known.get(parent)) for parent in _parents(path)):
            self._complete[path] = True  # the server decides about it
            return None
        if isinstance(value, str):
            return self._rules.date if dated else self._rules.text
        return self._rules.boolean if isinstance(value, bool) else self._rules.number

    def add(self, fields: Mapping[str, FieldMapping]) -> None:
        """Add fields that a document needs.

        Args:
            fields: Full name -> mapping, as `missing` returned it.
        """
        self._pending.update(fields)
        self._complete.update((path, field != self._undated) for path, field in fields.items())

    @property
    def is_due(self) -> bool:
        """Whether fields are pending."""
        return bool(self._pending)

    @property
    def pending(self) -> dict[str, FieldMapping]:
        """Full name -> mapping of the fields that are to be declared before the documents are sent."""
        return dict(self._pending)

    def body(self, fields: Mapping[str, FieldMapping]) -> dict[str, Any]:
        """Return the body of `PUT /<index>/_mapping`.

        Args:
            fields: Full name -> mapping. Of a field and one below it, the first is taken; the server refuses the other.
        """
        properties: dict[str, Any] = {}
        for path, mapping in fields.items():
            *parents, name = path.split(".")
            within: dict[str, Any] | None = properties
            for place, parent in enumerate(parents):
                within = self._within(within, parent, ".".join(parents[: place + 1]))
            if within is not None:
                within.setdefault(name, mapping)
        return {"properties": properties}

    def finish(self, fields: Mapping[str, FieldMapping]) -> None:
        """Take fields that were declared out of those that are pending.

        Args:
            fields: Full name -> mapping.
        """
        for path, mapping in fields.items():
            if self._pending.get(path) == mapping:
                self._complete[path] = mapping != self._undated
                self._pending.pop(path, None)

    def leave_to_server(self, fields: Iterable[str]) -> None:
        """Leave the types of fields to the server's dynamic mapping.

        Args:
            fields: Full names.
        """
        for path in fields:
            self._complete[path] = True
            self._pending.pop(path, None)

    def leave_all_to_server(self) -> None:
        """Declare nothing from now on."""
        self._rules = None
        self._pending.clear()

    def _lacks(self, path: str, field: FieldMapping) -> bool:
        if self._rules is None or self._is_of_another_type(path, field):
            return False
        complete = self._complete.get(path)
        return complete is None or (complete is False and has_instants(field))

    def _is_of_another_type(self, path: str, field: FieldMapping) -> bool:
        return path in self._known and self._known[path].get("type") != field["type"]

    def _within(self, properties: dict[str, Any] | None, name: str, path: str) -> dict[str, Any] | None:
        """Return the properties of an object, or None where its name is another field's."""
        if properties is None:
            return None
        known = self._known.get(path, {})
        added = {"type": "nested", "properties": {}} if known.get("type") == "nested" else {"properties": {}}
        found: dict[str, Any] | None = properties.setdefault(name, added).get("properties")
        return found


def _parents(path: str) -> Collection[str]:
    parts = path.split(".")
    return [".".join(parts[:place]) for place in range(1, len(parts))]


def _takes_fields(field: FieldMapping | None) -> bool:
    """Return whether the server maps new fields below a field."""
    return field is None or (field.get("type") in _OBJECTS and _is_dynamic(field))


def _is_dynamic(mapping: Mapping[str, Any]) -> bool:
    return str(mapping.get("dynamic", True)).lower() == "true"


def _rules(mappings: Mapping[str, Any]) -> _Rules | None:
    """Return the rules of an index's dynamic templates; None if they are not those of this package."""
    rules: dict[str, FieldMapping] = {}
    for template in mappings.get("dynamic_templates", ()):
        for rule in template.values():
            if rule.keys() != {"match_mapping_type", "mapping"}:
                return None
            rules.setdefault(rule["match_mapping_type"], rule["mapping"])
    usual = {kind: rule.get("type") for kind, rule in rules.items()} == _RULE_TYPES
    if not usual or not _is_dynamic(mappings) or mappings.get("numeric_detection"):
        return None
    date = rules["string" if mappings.get("date_detection") is False else "date"]
    return _Rules(rules["double"], date, rules["string"], {"type": "boolean"})
