"""Inspect and update the metadata of an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from haystack.document_stores.errors import DocumentStoreError

from haystack_integrations.document_stores.opensearch_neural_sparse.base import BoundDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import (
    Filters,
    filter_errors,
    needed_filters,
    stored_field,
)
from opensearch_neural_sparse import IndexSchema, IndexSchemaError, MetadataSearch
from opensearch_neural_sparse.layer_support import (
    AS_DATE,
    check_count,
    check_mapping,
    check_text,
    check_texts,
    check_type,
    has_instants,
    json_value,
    named_fields,
    refuse_deep_metadata,
    written_instant,
)

Row = dict[str, Any]
"""Metadata key -> value."""
_DATES = frozenset({"date", "date_nanos"})
"""Field types of instants."""


class InspectedDocumentStore(BoundDocumentStore):
    """Inspect and update metadata, without the index's own fields; the arguments are those of `BoundDocumentStore`."""

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = False) -> int:
        """Change metadata of the documents that satisfy filters, and return how many there were.

        Args:
            filters: Haystack's filters.
            meta: Keys, with or without `meta.` in front, and their new values.
            refresh: Whether the changes can be searched when this returns.

        Raises:
            DocumentStoreError: A key is a field of the index, or the server refused.
            FilterError: The filters are not Haystack's, or there are none.
        """
        store = self._open()
        keys = _writable(meta, store.schema)
        with _document_store_errors():
            store.declare_metadata(keys)
        return super().update_by_filter(needed_filters(self._checked(filters)), keys, refresh)

    async def update_by_filter_async(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = False) -> int:
        """Change metadata of the documents that satisfy filters; see `update_by_filter`."""
        store = await self._open_async()
        keys = _writable(meta, store.schema)
        with _document_store_errors():
            await store.declare_metadata(keys)
        return await super().update_by_filter_async(needed_filters(await self._checked_async(filters)), keys, refresh)

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """Return metadata key -> type; the index's own fields are no metadata."""
        return _metadata_alone(super().get_metadata_fields_info(), self._open().schema)

    async def get_metadata_fields_info_async(self) -> dict[str, dict[str, str]]:
        """Return metadata key -> type; see `get_metadata_fields_info`."""
        fields = await super().get_metadata_fields_info_async()
        return _metadata_alone(fields, (await self._open_async()).schema)

    def count_unique_metadata_by_filter(self, filters: dict[str, Any], metadata_fields: list[str]) -> dict[str, int]:
        """Return how many values each key has among the documents that satisfy filters.

        Args:
            filters: Haystack's filters.
            metadata_fields: Keys, with or without `meta.` in front.

        Raises:
            FilterError: The filters are not Haystack's.
            ValueError: No document has such a key, or it is a field of the index.
        """
        _refuse_reading(metadata_fields, self._open().schema)
        return super().count_unique_metadata_by_filter(self._checked(filters) or {}, metadata_fields)

    async def count_unique_metadata_by_filter_async(
        self, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """Return how many values each key has; see `count_unique_metadata_by_filter`."""
        _refuse_reading(metadata_fields, (await self._open_async()).schema)
        checked = await self._checked_async(filters) or {}
        return await super().count_unique_metadata_by_filter_async(checked, metadata_fields)

    def retrieve_metadata(self, search: MetadataSearch, filters: Filters | None = None) -> list[Row]:
        """Find rows of metadata by their words: the values that documents have of some keys, each combination once.

        Args:
            search: The search, with keys of metadata, with or without `meta.` in front, as its fields; without filter.
            filters: Haystack filters that documents satisfy.

        Returns:
            Rows as key -> value, best first.

        Raises:
            FilterError: The filters are not Haystack's.
            IndexSchemaError: A key that no document has, or that is not searched by words.
        """
        check_type(MetadataSearch, search=search)
        store = self._open()
        schema = store.open().schema
        with filter_errors():
            wanted = _stored_search(search, schema, self._clause(filters, schema))
            return _by_key(store.search_metadata(wanted), search.fields, schema)

    async def retrieve_metadata_async(self, search: MetadataSearch, filters: Filters | None = None) -> list[Row]:
        """Find rows of metadata by their words; see `retrieve_metadata`."""
        check_type(MetadataSearch, search=search)
        store = await self._open_async()
        schema = (await store.open()).schema
        with filter_errors():
            wanted = _stored_search(search, schema, self._clause(filters, schema))
            return _by_key(await store.search_metadata(wanted), search.fields, schema)

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """Return the least and the greatest value of a key, as `min` and `max`; None where there is none.

        Of dates and times these are the instants, as ISO 8601 in UTC.

        Args:
            metadata_field: A key, with or without `meta.` in front.

        Raises:
            ValueError: It is a field of the index.
        """
        _refuse_reading([metadata_field], self._open().schema)
        if (instants := _field_of_instants(metadata_field, super().get_metadata_fields_info())) is not None:
            return _written_instants(super().get_metadata_field_min_max(instants))
        return super().get_metadata_field_min_max(metadata_field)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> dict[str, Any]:
        """Return the least and the greatest value of a key; see `get_metadata_field_min_max`."""
        _refuse_reading([metadata_field], (await self._open_async()).schema)
        if (instants := _field_of_instants(metadata_field, await super().get_metadata_fields_info_async())) is not None:
            return _written_instants(await super().get_metadata_field_min_max_async(instants))
        return await super().get_metadata_field_min_max_async(metadata_field)

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """Return a page of the values of a key, and how many there are in all.

        Of a key that is declared as `date` these are the instants, as ISO 8601 in UTC; other dates are as they were
        written.

        Args:
            metadata_field: A key, with or without `meta.` in front.
            search_term: Only values that contain this text, in upper or lower case.
            from_: How many values to skip.
            size: Most values.
            filters: Haystack's filters.

        Raises:
            FilterError: The filters are not Haystack's.
            ValueError: It is a field of the index.
        """
        _check_page(search_term, from_, size)
        _refuse_reading([metadata_field], self._open().schema)
        checked = self._checked(filters)
        values, count = super().get_metadata_field_unique_values(metadata_field, search_term, from_, size, checked)
        if _may_be_instants(values) and _holds_instants(metadata_field, super().get_metadata_fields_info()):
            return [*map(written_instant, values)], count
        return [*map(_as_written, values)], count

    async def get_metadata_field_unique_values_async(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """Return a page of the values of a key; see `get_metadata_field_unique_values`."""
        _check_page(search_term, from_, size)
        _refuse_reading([metadata_field], (await self._open_async()).schema)
        checked = await self._checked_async(filters)
        search = super().get_metadata_field_unique_values_async
        values, count = await search(metadata_field, search_term, from_, size, checked)
        if _may_be_instants(values) and _holds_instants(metadata_field, await super().get_metadata_fields_info_async()):
            return [*map(written_instant, values)], count
        return [*map(_as_written, values)], count


def _stored_search(search: MetadataSearch, schema: IndexSchema, clause: Mapping[str, Any] | None) -> MetadataSearch:
    """Return a search with the fields of its keys, and with a filter in place of its own, of which there is none."""
    if search.filter is not None:
        raise ValueError("The filter of this search is given as filters, in Haystack's syntax; leave it out of search.")
    return replace(search, fields=[stored_field(key, schema) for key in search.fields], filter=clause)


def _by_key(rows: Iterable[Row], keys: Sequence[str], schema: IndexSchema) -> list[Row]:
    """Return rows by their keys of metadata, without `meta.` in front."""
    names = {stored_field(key, schema): key.removeprefix("meta.") for key in keys}
    return [{names[field]: value for field, value in row.items()} for row in rows]


def _field(key: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mapping of a key of metadata, dots and all; an empty one if there is none."""
    found: Mapping[str, Any] = dict(named_fields(fields)).get(key.removeprefix("meta."), {})
    return found


def _holds_instants(key: str, fields: Mapping[str, Any]) -> bool:
    return _field(key, fields).get("type") in _DATES


def _may_be_instants(values: Iterable[Any]) -> bool:
    """Return whether values of an aggregation may be milliseconds: those of doubles are fractions."""
    return any(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _field_of_instants(key: str, fields: Mapping[str, Any]) -> str | None:
    """Return the field by which a key of metadata is compared as instants, or None if it is not."""
    if has_instants(_field(key, fields)):
        return f"{key}.{AS_DATE}"
    return key if _holds_instants(key, fields) else None


def _written_instants(found: Mapping[str, float | None]) -> dict[str, str | None]:
    return {name: None if value is None else written_instant(value) for name, value in found.items()}


def _as_written(value: Any) -> Any:
    """Return a value of an aggregation, in which every number is a double, with whole numbers as such."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _writable(meta: Mapping[str, Any], schema: IndexSchema) -> dict[str, Any]:
    """Return metadata by keys without `meta.` in front."""
    check_mapping(meta=meta)
    keys = {key.removeprefix("meta."): value for key, value in meta.items()}
    if own := sorted(schema.reserved_names & set(keys)):
        raise DocumentStoreError(f"The keys {own} are fields of the index, not metadata. Write the documents again.")
    if len(keys) < len(meta):
        twice = sorted(key for key in keys if {key, f"meta.{key}"} <= set(meta))
        raise DocumentStoreError(f"The keys {twice} are given with and without 'meta.' in front; give each once.")
    with _document_store_errors():
        refuse_deep_metadata(keys)
        return {key: json_value(value, key, None) for key, value in keys.items()}


@contextmanager
def _document_store_errors() -> Iterator[None]:
    try:
        yield
    except IndexSchemaError as error:
        raise DocumentStoreError(str(error)) from None


def _refuse_reading(keys: Iterable[str], schema: IndexSchema) -> None:
    check_texts(metadata_fields=keys)
    if own := sorted(schema.reserved_names & {key.removeprefix("meta.") for key in keys}):
        raise ValueError(f"{own} are fields of the index, not metadata. get_metadata_fields_info() names the keys.")


def _check_page(search_term: object, from_: object, size: object) -> None:
    check_text(optional=True, search_term=search_term)
    check_count(0, from_=from_, size=size)


def _metadata_alone(fields: Mapping[str, dict[str, str]], schema: IndexSchema) -> dict[str, dict[str, str]]:
    return {name: info for name, info in fields.items() if name not in schema.reserved_names}
