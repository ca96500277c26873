"""Type checks of metadata, so that values are stored exactly."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.errors import FilterSyntaxError, IndexSchemaError
from opensearch_neural_sparse.index.metadata.declarations import Declarations, FieldMapping
from opensearch_neural_sparse.index.metadata.field_names import named_fields
from opensearch_neural_sparse.index.metadata.instants import has_instants
from opensearch_neural_sparse.index.metadata.values import EXACT_WHOLE, Kind, kind_of, values_of

WHOLE_NUMBERS = frozenset({"long", "integer", "short", "byte", "unsigned_long"})
NUMBERS = WHOLE_NUMBERS | {"double", "float", "half_float", "scaled_float"}
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(NUMBERS, Kind.NUMBER),
    **dict.fromkeys(("keyword", "wildcard", "constant_keyword", "text", "match_only_text"), Kind.TEXT),
    "boolean": Kind.BOOLEAN,
}
"""Field type -> comparable kind of value; the server checks other types itself."""
_EXACT_IN_FLOAT = 2**24
_LONGEST_SHOWN = 2**64


class MetadataTypes:
    """Kinds of values in an index's metadata: those of its mapping, and those written since.

    A keyword field takes a number and compares it as text, a `long` cuts fractions off, a `double` rounds whole numbers
    beyond 2^53: the server accepts all three.

    Args:
        mappings: The `mappings` of the concrete indices that are written to.

    Attributes:
        declarations: Fields that are to be declared before the documents that were checked are sent.
        conflicts: How often the mappings were of other types than documents had been checked by; these are checked
            again.
    """

    def __init__(self, mappings: Iterable[Mapping[str, Any]]) -> None:
        read = list(mappings)
        self.declarations, self.conflicts = Declarations(read), 0
        self._kinds: dict[str, Kind] = {}
        self._read(read)

    def read_again(self, mappings: Iterable[Mapping[str, Any]]) -> None:
        """Take over the mappings as they are now.

        Args:
            mappings: The `mappings` of the concrete indices that are written to.
        """
        read = list(mappings)
        self._read(read)
        self.conflicts += self.declarations.read(read)  # after the kinds, by which documents are checked meanwhile

    def _read(self, mappings: Sequence[Mapping[str, Any]]) -> None:
        fields = [named for each in mappings for named in named_fields(each.get("properties", {}))]
        self._types = {path: field["type"] for path, field in fields if "type" in field}
        self._kinds.update({path: _KINDS[found] for path, found in self._types.items() if found in _KINDS})
        self._opaque = tuple(f"{path}." for path, field in fields if _is_opaque(field))
        self._doubles = all(_maps_numbers_to_double(each) for each in mappings)

    def kind(self, path: str) -> Kind | None:
        """Return the kind of a field's values; None if the server compares them by its own rules."""
        return self._kinds.get(path)

    def check_compared(self, path: str, number: object) -> None:
        """Check that a field does not round a whole number that it is compared with.

        Args:
            path: The field.
            number: A value of a filter.

        Raises:
            FilterSyntaxError: The field rounds it, so that other numbers would count as equal.
        """
        field_type = self._types.get(path, "double" if self._doubles else "long")
        if not isinstance(number, int) or field_type in WHOLE_NUMBERS or field_type not in NUMBERS:
            return
        if not _is_exact(number, field_type):
            shown = f"{number!r}" if abs(number) < _LONGEST_SHOWN else f"a number of {number.bit_length()} bits"
            raise FilterSyntaxError(
                f"The filter compares field {path!r} with {shown}, which a field of type {field_type} rounds. Declare "
                f"the field: metadata_fields={{{path!r}: {{'type': 'long'}}}}, or keep such numbers as text."
            )

    def check(self, metadata: Mapping[str, Any], document_id: str | None) -> None:
        """Check that the fields store a document's metadata exactly.

        Args:
            metadata: Top-level field -> value, as JSON has it.
            document_id: The document's id, for the message.

        Raises:
            IndexSchemaError: A field holds values of another kind, or numbers that cannot be this one.
        """
        kinds, types, new = dict[str, Kind](), dict[str, str](), dict[str, FieldMapping]()
        for key, value in metadata.items():
            for path, scalar in values_of(value, key):
                if self._opaque and f"{path}.".startswith(self._opaque):
                    continue
                lacking, found = self.declarations.missing(path, scalar), kind_of(scalar)
                _check_kind(path, found, self._kinds.get(path, kinds.get(path)), document_id)
                if path not in self._types:
                    kinds[path] = found
                if lacking is not None and not has_instants(new.get(path, {})):
                    new[path] = lacking
                if found is Kind.NUMBER:
                    types.setdefault(path, self._type_of(path, scalar))
                    _check_number(path, scalar, types[path], document_id)
        if kinds:
            self._kinds.update(kinds)
        if new:
            self.declarations.add(new)
        if not self._doubles:
            self._types.update(types)

    def _type_of(self, path: str, number: object) -> str:
        """Return the type of a field, or the one of its dynamic mapping for this number."""
        if (found := self._types.get(path)) is not None or self._doubles:
            return found or "double"
        return "long" if isinstance(number, int) else "float"


def _check_kind(path: str, found: Kind, held: Kind | None, document_id: str | None) -> None:
    if held not in (None, found):
        raise IndexSchemaError(
            f"Document {document_id!r}: metadata {path!r} is a {found}, but the field holds values of the kind {held}, "
            "and the server compares values of one kind. Convert it, or use another key."
        )


def _check_number(path: str, number: Any, field_type: str, document_id: str | None) -> None:
    if _is_exact(number, field_type):
        return
    declared = {path: {"type": "long" if isinstance(number, int) else "double"}}
    long = isinstance(number, int) and abs(number) >= _LONGEST_SHOWN
    shown = f"a number of {number.bit_length()} bits" if long else f"{number!r}"
    raise IndexSchemaError(
        f"Document {document_id!r}: metadata {path!r} is {shown}, which a field of type {field_type} cannot hold "
        f"exactly. Write it as text, or create the index with metadata_fields={declared}."
    )


def _is_exact(number: float, field_type: str) -> bool:
    """Return whether a field type stores a number exactly."""
    if field_type in WHOLE_NUMBERS:
        return isinstance(number, int) or number.is_integer()
    if field_type == "float" and abs(number) > _EXACT_IN_FLOAT:
        return _as_float(number) == number
    return isinstance(number, float) or abs(number) <= EXACT_WHOLE or _as_double(number) == number


def _as_float(number: float) -> float:
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return float("inf")


def _as_double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf")


def _maps_numbers_to_double(mappings: Mapping[str, Any]) -> bool:
    """Return whether the index maps new numeric fields as double."""
    rules = [rule for template in mappings.get("dynamic_templates", ()) for rule in template.values()]
    doubles = {rule.get("match_mapping_type") for rule in rules if rule.get("mapping", {}).get("type") == "double"}
    return {"long", "double"} <= doubles


def _is_opaque(field: Mapping[str, Any]) -> bool:
    """Return whether the server compares values below a field as text or not at all."""
    return field.get("type") == "flat_object" or field.get("enabled") is False
