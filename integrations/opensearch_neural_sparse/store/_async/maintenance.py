"""An index maintained: templates, memory, segments, over an asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from opensearch_neural_sparse.index.mapping import index_template_body
from opensearch_neural_sparse.store._async.updates import AsyncChangedDocuments
from opensearch_neural_sparse.store.operations.maintenance import force_merge, warm_up_or_clear


class AsyncMaintainedDocuments(AsyncChangedDocuments):
    """The documents of an index, and what keeps it in order."""

    async def create_template(
        self,
        name: str,
        index_patterns: Iterable[str],
        *,
        settings: Mapping[str, Any] | None = None,
        priority: int = 100,
    ) -> None:
        """Have the server stamp indices with this store's model that it makes by itself, as a rollover does.

        The template holds what `create` would make. Every index that is made later by one of the names carries the
        model; those that are there already stay as they are. A store on an alias of such indices writes to its write
        index and searches all of them.

        Args:
            name: Name of the template; one of this name is replaced.
            index_patterns: Names of indices, such as `["articles-*"]`.
            settings: Index settings, such as `{"number_of_shards": 1}`.
            priority: Of several templates that match, the one of the highest priority counts, alone.

        Raises:
            IndexNotBoundError: No model was named.
            ServerRequestError: Another template of this priority matches the same names, or settings are refused.
        """
        self._ensure_named()
        body = await asyncio.to_thread(self._index_body, await self.server(), settings)
        template = index_template_body(index_patterns, body, priority=priority)
        async with self._asking() as client:
            await client.indices.put_index_template(name=name, body=template)

    async def warm_up(self) -> None:
        """Load an approximate index into memory, so that the first searches need not.

        Raises:
            IndexSchemaError: The index is searched exactly.
            ServerRequestError: Some shards failed.
            UnsupportedServerError: The server has no approximate indices.
        """
        await self.open()
        await self._run(warm_up_or_clear(self.index, await self.server(), self.schema, "warmup"))

    async def clear_cache(self) -> None:
        """Let the server's memory go of an approximate index; the next search, or `warm_up`, loads it again.

        Raises:
            IndexSchemaError: The index is searched exactly.
            ServerRequestError: Some shards failed.
            UnsupportedServerError: The server has no approximate indices.
        """
        await self.open()
        await self._run(warm_up_or_clear(self.index, await self.server(), self.schema, "clear_cache"))

    async def force_merge(self, *, max_segments: int = 1, timeout: float = 3600.0) -> None:  # noqa: ASYNC109  the request's own
        """Merge the segments of an index that is no longer written to: searches get faster, deletions free space.

        Approximate search depends on it most: what `SeismicParameters` say holds for each segment.

        Args:
            max_segments: Most segments that a shard has afterwards.
            timeout: Seconds to wait; after that the server goes on all the same.

        Raises:
            ServerConnectionError: No answer in time.
            ServerRequestError: Some shards failed.
        """
        await self.open()
        await self._run(force_merge(self.index, max_segments=max_segments, timeout=timeout))
