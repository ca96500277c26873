"""Journals in an index of the server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import sleep
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import UNREADABLE_ANSWER, JournalError, NeuralSparseError, ServerRequestError
from opensearch_neural_sparse.ingestion.journals import journal_requests as requests
from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry, JournalStatus, LoadTarget
from opensearch_neural_sparse.transport.answers import readable
from opensearch_neural_sparse.transport.blocking_client import BlockingClient
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before entries are sent again that an overloaded server did not take."""
OVERLOADED = frozenset({429, 503})
CONFLICT = 409
_UNLESS_MISSING = {"ignore": [404]}


class IndexJournal:
    """A journal in an index of the server, by which a load goes on from any machine.

    A load that begins later takes the journal over: the earlier one ends with an error at its next lookup.

    Args:
        index: Name of the index, which holds one load; it is made when first needed.
        client: A blocking client of the caller's; it is not closed.
        url: Address of the server, in place of a client.
        client_options: Options of the client that is made for a url.

    Raises:
        TypeError: An unknown client option, or key of a host.
        ValueError: Neither a client nor a url, or both; or options beside a client.
    """

    def __init__(
        self,
        index: str,
        *,
        client: OpenSearch | None = None,
        url: Any = None,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._index, self._source = index, BlockingClient(client, url, client_options)
        self._joined: int | None = None
        self._opened: OpenSearch | None = None
        self._run = 0

    @property
    def name(self) -> str:
        """The name of the index."""
        return self._index

    def joined(self) -> IndexJournal:
        """Return a journal by which another process takes part in the run that this one has begun."""
        journal = IndexJournal.__new__(IndexJournal)
        journal.__setstate__({**self.__getstate__(), "_joined": self._run})
        return journal

    def begin(self, target: LoadTarget, *, restart: bool) -> int:
        """Open the journal for a run, and return the run's number, counted from 1.

        Args:
            target: What is loaded, and where to.
            restart: Whether to drop what is recorded.

        Raises:
            JournalError: The index is of another kind, or cannot be used; or another program took the journal over.
            JournalMismatchError: It belongs to another source, index or model.
        """
        client = self._source.open()
        try:
            with self._errors(client):
                self._run = self._begin(client, target, restart) if self._joined is None else self._join(client, target)
        except BaseException:
            self._source.close(client)
            raise
        self._opened = client
        return self._run

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id.

        Args:
            ids: The ids.

        Raises:
            JournalError: Another program took the journal over.
        """
        client = self._client()
        with self._errors(client):
            body, params = requests.lookup_body(ids), dict(requests.LOOKUP_ANSWER)
            response = readable(client.mget(body=body, index=self._index, params=params), "docs")
        self._ensure_current(response["docs"][0])
        return requests.read_entries(response)

    def mark_read(self, ids: Iterable[str]) -> None:
        """Record that this run has read rows that are unchanged.

        Args:
            ids: Their ids.
        """
        self._send(requests.mark_lines(ids, self._run))

    def commit(self, entries: Iterable[JournalEntry]) -> None:
        """Record rows that the server has taken.

        Args:
            entries: The rows.
        """
        self._send(requests.entry_lines(entries))

    def gone(self) -> Iterator[list[Gone]]:
        """Yield, in batches, the documents of rows that this run has not read."""
        client = self._client()
        with self._errors(client):
            readable(client.indices.refresh(index=self._index), "_shards")
        after: Sequence[Any] | None = None
        while True:
            with self._errors(client):
                body = requests.gone_body(self._run, after)
                response = readable(client.search(index=self._index, body=body), "hits")
            hits = response["hits"]["hits"]
            if not hits:
                return
            after = hits[-1]["sort"]
            yield requests.read_gone(hits)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the entries of documents that are deleted.

        Args:
            ids: Their ids.
        """
        self._send(requests.delete_lines(ids))

    def finish(self) -> None:
        """Record that this run has read its source to the end; a process that takes part has read a part of it."""
        if self._joined is None:
            client = self._client()
            with self._errors(client):
                found = self._read_load(client)
                self._ensure_current(found)
                self._write_load(client, {**requests.read_load(found), "finished": self._run}, found)

    def close(self) -> None:
        """Close the connection; what is recorded stays."""
        if self._opened is not None:
            self._source.close(self._opened)
        self._opened = None

    def status(self) -> JournalStatus:
        """Return what the journal holds; a load may be under way.

        Raises:
            JournalError: There is no such index, or it is of another kind.
        """
        client = self._source.open()
        try:
            with self._errors(client):
                self._ensure_journal(readable(client.indices.get(index=self._index)))
                readable(client.indices.refresh(index=self._index), "_shards")
                load = requests.read_load(self._read_load(client))
                runs = int(load.get("run", 0))
                bodies = [requests.count_body(), requests.count_body(runs)]
                rows, last = (readable(client.count(index=self._index, body=body))["count"] for body in bodies)
        finally:
            self._source.close(client)
        target = LoadTarget(**load["target"]) if "target" in load else None
        return JournalStatus(
            target=target, rows=rows, runs=runs, finished=runs > 0 and load.get("finished") == runs, last=last
        )

    def _begin(self, client: OpenSearch, target: LoadTarget, restart: bool) -> int:
        found = readable(client.indices.get(index=self._index, params=_UNLESS_MISSING))
        if self._index in found and restart:
            self._ensure_journal(found)
            readable(client.indices.delete(index=self._index), "acknowledged")
        if self._index not in found or restart:
            readable(client.indices.create(index=self._index, body=requests.index_body()), "acknowledged")
            found = readable(client.indices.get(index=self._index))
        self._ensure_journal(found)
        before = self._read_load(client)
        load = requests.read_load(before)
        target.ensure_same(load.get("target", {}), self._index)
        run = int(load.get("run", 0)) + 1
        self._write_load(client, {"target": vars(target), "run": run}, before)
        return run

    def _join(self, client: OpenSearch, target: LoadTarget) -> int:
        self._run = self._joined or 0
        found = self._read_load(client)
        self._ensure_current(found)
        target.ensure_same(requests.read_load(found)["target"], self._index)
        return self._run

    def _read_load(self, client: OpenSearch) -> Mapping[str, Any]:
        response = client.get(index=self._index, id=requests.LOAD_ID, params=_UNLESS_MISSING)
        found: Mapping[str, Any] = readable(response, "found")
        return found

    def _write_load(self, client: OpenSearch, load: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        """Write target and run, unless another program did since they were read."""
        params: dict[str, Any] = {"op_type": "create"}
        if before.get("found"):
            params = {"if_seq_no": before["_seq_no"], "if_primary_term": before["_primary_term"]}
        params["ignore"] = [CONFLICT]
        body = {"load": dict(load)}
        answer = readable(client.index(index=self._index, id=requests.LOAD_ID, body=body, params=params))
        if answer.get("status") == CONFLICT:
            raise self._taken_over()
        readable(answer, "result")

    def _send(self, lines: Sequence[bytes]) -> None:
        """Send bulk actions, again those that the server had no room for."""
        client = self._client()
        with self._errors(client):
            for pause in (0.0, *PAUSES):
                if not lines:
                    return
                sleep(pause)
                lines = self._refused(client, lines)
            if lines:
                raise JournalError(f"The server has no room for journal {self._index}. Repeat the load later.")

    def _refused(self, client: OpenSearch, lines: Sequence[bytes]) -> Sequence[bytes]:
        """Send bulk actions, and return those that the server had no room for."""
        try:
            with translated_errors(client, self._index):
                params = {"filter_path": requests.BULK_ANSWER}
                response = readable(client.bulk(body=b"".join(lines), index=self._index, params=params), "items")
                return requests.refused_lines(lines, response, OVERLOADED)
        except ServerRequestError as error:
            if error.status not in OVERLOADED and error.error_type != UNREADABLE_ANSWER:
                raise
            return lines

    def _ensure_journal(self, found: Mapping[str, Any]) -> None:
        if not requests.is_journal(found.get(self._index, {})):
            raise JournalError(
                f"Index {self._index} is not a journal, or has another version. Give the name of another index."
            )

    def _ensure_current(self, found: Mapping[str, Any]) -> None:
        """Raise an error where another run than this one was begun."""
        if requests.read_load(found).get("run") != self._run:
            raise self._taken_over()

    def _taken_over(self) -> JournalError:
        return JournalError(
            f"Another program has begun to load with journal {self._index}. Repeat this load when that one has "
            "ended, or give another journal."
        )

    def _client(self) -> OpenSearch:
        if self._opened is None:
            raise JournalError(f"Journal {self._index} is closed.")
        return self._opened

    @contextmanager
    def _errors(self, client: OpenSearch) -> Iterator[None]:
        try:
            with translated_errors(client, self._index):
                yield
        except JournalError:
            raise
        except NeuralSparseError as error:
            raise JournalError(f"Index {self._index} cannot be used as a journal: {error}") from error

    def __getstate__(self) -> dict[str, Any]:
        return {"_index": self._index, "_source": self._source, "_joined": self._joined}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _opened=None, _run=0)
