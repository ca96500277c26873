"""What the metadata of an index is, without the fields that the index keeps for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from haystack.document_stores.errors import DocumentStoreError

from haystack_integrations.document_stores.opensearch_neural_sparse.bound_store import BoundDocumentStore
from opensearch_neural_sparse.index.fields import IndexSchema


class InspectedDocumentStore(BoundDocumentStore):
    """Tell of metadata, and change it, never of the sparse fields; the arguments are those of `BoundDocumentStore`."""

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = False) -> int:
        """Change metadata of the documents that satisfy filters, and return how many there were.

        Args:
            filters: Haystack's filters.
            meta: Keys and their new values.
            refresh: Whether the changes can be searched when this returns.

        Raises:
            DocumentStoreError: A key is a field of the index, or the server refused.
        """
        _refuse_writing(meta, self._open().schema)
        return super().update_by_filter(filters, meta, refresh)

    async def update_by_filter_async(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = False) -> int:
        """Change metadata of the documents that satisfy filters; see `update_by_filter`."""
        _refuse_writing(meta, (await self._open_async()).schema)
        return await super().update_by_filter_async(filters, meta, refresh)

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
            ValueError: No document has such a key, or it is a field of the index.
        """
        _refuse_reading(metadata_fields, self._open().schema)
        return super().count_unique_metadata_by_filter(filters, metadata_fields)

    async def count_unique_metadata_by_filter_async(
        self, filters: dict[str, Any], metadata_fields: list[str]
    ) -> dict[str, int]:
        """Return how many values each key has; see `count_unique_metadata_by_filter`."""
        _refuse_reading(metadata_fields, (await self._open_async()).schema)
        return await super().count_unique_metadata_by_filter_async(filters, metadata_fields)

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, int | None]:
        """Return the least and the greatest value of a key, as `min` and `max`; None where there is none.

        Args:
            metadata_field: A key, with or without `meta.` in front.

        Raises:
            ValueError: It is a field of the index.
        """
        _refuse_reading([metadata_field], self._open().schema)
        return super().get_metadata_field_min_max(metadata_field)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> dict[str, int | None]:
        """Return the least and the greatest value of a key; see `get_metadata_field_min_max`."""
        _refuse_reading([metadata_field], (await self._open_async()).schema)
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

        Args:
            metadata_field: A key, with or without `meta.` in front.
            search_term: Only values that contain this text, in upper or lower case.
            from_: How many values to skip.
            size: Most values.
            filters: Haystack's filters.

        Raises:
            ValueError: It is a field of the index.
        """
        _refuse_reading([metadata_field], self._open().schema)
        return super().get_metadata_field_unique_values(metadata_field, search_term, from_, size, filters)

    async def get_metadata_field_unique_values_async(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: dict[str, Any] | None = None,
    ) -> tuple[list[Any], int]:
        """Return a page of the values of a key; see `get_metadata_field_unique_values`."""
        _refuse_reading([metadata_field], (await self._open_async()).schema)
        return await super().get_metadata_field_unique_values_async(metadata_field, search_term, from_, size, filters)


def _refuse_writing(meta: Mapping[str, Any], schema: IndexSchema) -> None:
    if own := sorted(schema.reserved_names & set(meta)):
        raise DocumentStoreError(f"The keys {own} are fields of the index, not metadata. Write the documents anew.")


def _refuse_reading(keys: Iterable[str], schema: IndexSchema) -> None:
    if own := sorted(schema.reserved_names & {key.removeprefix("meta.") for key in keys}):
        raise ValueError(f"{own} are fields of the index, not metadata. get_metadata_fields_info() names the keys.")


def _metadata_alone(fields: Mapping[str, dict[str, str]], schema: IndexSchema) -> dict[str, dict[str, str]]:
    return {name: info for name, info in fields.items() if name not in schema.reserved_names}
