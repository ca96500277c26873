"""Journals in an index of the server."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, islice
from time import sleep
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from opensearch_neural_sparse.errors import UNREADABLE_ANSWER, JournalError, NeuralSparseError, ServerRequestError
from opensearch_neural_sparse.ingestion.journals import journal_requests as requests
from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry, JournalStatus, LoadTarget
from opensearch_neural_sparse.ingestion.journals.journal_requests import RecordedGroup
from opensearch_neural_sparse.ingestion.journals.recorder import Recorder
from opensearch_neural_sparse.ingestion.journals.replayed_rows import ReplayedRows
from opensearch_neural_sparse.transport.answers import readable
from opensearch_neural_sparse.transport.blocking_client import BlockingClient
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before entries are sent again that an overloaded server did not take."""
OVERLOADED = frozenset({429, 503})
CONFLICT = 409
GROUPS_PER_REQUEST = 10
_UNLESS_MISSING = {"ignore": [404]}
_ON_PRIMARY = {"preference": "_primary"}
_logger = logging.getLogger(__name__)


class IndexJournal:
    """A journal in an index of the server, by which a load goes on from any machine.

    The index holds a log of what was recorded. Each program reads it when it begins, and looks rows up in what it has
    read, which it keeps in memory and in a temporary file.

    A load that begins later takes the journal over: the earlier one ends with an error when it records rows next.

    Args:
        index: Name of the index, which holds one load; it is made when first needed.
        client: A blocking client of the caller's; it is not closed.
        url: Address of the server, in place of a client.
        client_options: Options of the client that is made for a url.

    Raises:
        TypeError: An unknown client option, or key of a host.
        ValueError: Neither a client nor a url, or both; or options beside a client.
    """

    _opened: OpenSearch | None
    _rows: ReplayedRows | None
    _recorder: Recorder | None
    _load: Mapping[str, Any]
    _condition: Mapping[str, int]

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
        self._forget_state()

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
                if self._joined is None:
                    self._begin(client, target, restart)
                else:
                    self._join(client, target)
        except BaseException:
            self._source.close(client)
            raise
        self._opened, self._recorder = client, Recorder(self._record_entries)
        return self._run

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id.

        Args:
            ids: The ids.

        Raises:
            JournalError: The journal is closed.
        """
        return self._parts()[1].entries(ids)

    def commit(self, entries: Sequence[JournalEntry]) -> None:
        """Record rows that the server has taken, or that this run has read and found there; at `flush` at the latest.

        Args:
            entries: The rows.

        Raises:
            JournalError: Another program took the journal over, or the server refuses a record, this or an earlier one.
        """
        _, rows, recorder = self._parts()
        if entries:
            rows.apply(RecordedGroup(run=self._run, entries=entries))
            recorder.add(entries)

    def flush(self) -> None:
        """Wait until everything is recorded.

        Raises:
            JournalError: Another program took the journal over, or the server refuses a record.
        """
        self._parts()[2].wait()

    def gone(self) -> Iterator[list[Gone]]:
        """Yield, in batches, the documents of rows that this run has not read."""
        yield from self._parts()[1].gone(self._run)

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the entries of documents that are deleted.

        Args:
            ids: Their ids.
        """
        self.flush()
        group = RecordedGroup(run=self._run, forgotten=[*ids])
        self._record([group])
        self._parts()[1].apply(group)

    def finish(self) -> None:
        """Record that this run has read its source to the end; a process that takes part has read a part of it."""
        if self._joined is None:
            client, _, _ = self._parts()
            with self._errors(client):
                self._write_load(client, {**self._load, "finished": self._run}, self._condition)

    def close(self) -> None:
        """Record what waits, and close the connection; what is recorded stays."""
        try:
            if self._recorder is not None:
                self._recorder.close()
        except BaseException:
            self._rows = None  # they have what is not recorded
            raise
        finally:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._opened is not None:
            self._source.close(self._opened)
        self._opened = self._recorder = None
        if self._rows is not None and self._joined is None:  # a process that takes part goes on from what it has read
            self._rows.close()
            self._rows = None

    def status(self) -> JournalStatus:
        """Return what the journal holds; a load may be under way.

        Raises:
            JournalError: There is no such index, or it is of another kind.
        """
        client = self._source.open()
        try:
            with self._errors(client):
                self._ensure_journal(readable(client.indices.get(index=self._index)))
                load = requests.read_load(self._read_load(client))
                runs = int(load.get("run", 0))
                replayed = ReplayedRows(load.get("generation", ""))
                self._catch_up(client, replayed)
                rows, last = replayed.counts(runs)
                replayed.close()
        finally:
            self._source.close(client)
        target = LoadTarget(**load["target"]) if "target" in load else None
        return JournalStatus(
            target=target, rows=rows, runs=runs, finished=runs > 0 and load.get("finished") == runs, last=last
        )

    def _begin(self, client: OpenSearch, target: LoadTarget, restart: bool) -> None:
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
        self._run = int(load.get("run", 0)) + 1
        generation = load.get("generation") or uuid4().hex
        begun = {"target": vars(target), "run": self._run, "generation": generation}
        self._write_load(client, begun, requests.condition_of(before) if before.get("found") else None)
        self._writer, rows = uuid4().hex, ReplayedRows(generation)
        self._catch_up(client, rows)
        self._rows = self._compacted(client, rows) if rows.wasteful else rows

    def _join(self, client: OpenSearch, target: LoadTarget) -> None:
        found = self._read_load(client)
        load = requests.read_load(found)
        if load.get("run") != self._joined:
            raise self._taken_over()
        target.ensure_same(load["target"], self._index)
        self._run, self._load, self._condition = load["run"], load, requests.condition_of(found)
        if self._rows is None:
            self._writer, self._rows = uuid4().hex, ReplayedRows(load["generation"])
        self._catch_up(client, self._rows)

    def _catch_up(self, client: OpenSearch, rows: ReplayedRows) -> None:
        """Read the groups that were recorded since rows were read last."""
        readable(client.indices.refresh(index=self._index), "_shards")
        hits: Sequence[Any] = [None] * requests.GROUPS_PER_PAGE
        while len(hits) == requests.GROUPS_PER_PAGE:
            body = requests.groups_body(rows.generation, rows.after)
            response = readable(client.search(index=self._index, body=body, params=_ON_PRIMARY), "hits")
            hits = response["hits"]["hits"]
            for rows.after, group in requests.read_groups(hits):
                rows.apply(group)
            rows.settle()

    def _compacted(self, client: OpenSearch, rows: ReplayedRows) -> ReplayedRows:
        """Write rows as a log of their own, delete the former one, and return the rows by the new one."""
        compact = ReplayedRows(uuid4().hex)
        for page in rows.pages():
            groups = [*requests.groups_of(self._run, page)]
            self._send(client, groups, compact.generation)
            for group in groups:
                compact.apply(group)
            compact.settle()
        self._write_load(client, {**self._load, "generation": compact.generation}, self._condition)
        rows.close()
        body, params = requests.other_generations(compact.generation), {"conflicts": "proceed"}
        readable(client.delete_by_query(index=self._index, body=body, params=params), "deleted")
        _logger.info("Journal %r is compact: %d rows.", self._index, compact.counts(0)[0])
        return compact

    def _read_load(self, client: OpenSearch) -> Mapping[str, Any]:
        response = client.get(index=self._index, id=requests.LOAD_ID, params=_UNLESS_MISSING)
        found: Mapping[str, Any] = readable(response, "found")
        return found

    def _write_load(self, client: OpenSearch, load: Mapping[str, Any], condition: Mapping[str, int] | None) -> None:
        """Write target and run, unless another program did since they were read; without a condition, the first."""
        params: dict[str, Any] = {"op_type": "create"} if condition is None else dict(condition)
        params["ignore"] = [CONFLICT]
        body = {"load": dict(load)}
        answer = readable(client.index(index=self._index, id=requests.LOAD_ID, body=body, params=params))
        if answer.get("status") == CONFLICT:
            raise self._taken_over()
        readable(answer, "result")
        self._load, self._condition = load, requests.condition_of(answer)

    def _record(self, groups: Iterable[RecordedGroup]) -> None:
        """Write groups to the log."""
        (client, rows, _), rest = self._parts(), iter(groups)
        while part := [*islice(rest, GROUPS_PER_REQUEST)]:
            with self._errors(client):
                self._send(client, part, rows.generation)

    def _record_entries(self, entries: Sequence[JournalEntry]) -> None:
        self._record(requests.groups_of(self._run, entries))

    def _send(self, client: OpenSearch, groups: Sequence[RecordedGroup], generation: str) -> None:
        """Send groups, again where the server has no room for them."""
        names = [f"{self._writer}-{next(self._number)}" for _ in groups]
        lines = [requests.group_lines(name, generation, group) for name, group in zip(names, groups, strict=True)]
        for pause in (0.0, *PAUSES):
            sleep(pause)
            if self._sent(client, [*lines, requests.current_lines(self._condition)]):
                return
        raise JournalError(f"The server has no room for journal {self._index}. Repeat the load later.")

    def _sent(self, client: OpenSearch, lines: Sequence[bytes]) -> bool:
        """Send bulk actions, and return whether the server had room for them."""
        try:
            with translated_errors(client, self._index):
                params = {"filter_path": requests.BULK_ANSWER}
                response = readable(client.bulk(body=b"".join(lines), index=self._index, params=params), "items")
                if requests.crowded_out(response["items"], len(lines), OVERLOADED):
                    return False
        except ServerRequestError as error:
            if error.status not in OVERLOADED and error.error_type != UNREADABLE_ANSWER:
                raise
            return False
        if not requests.is_current(response["items"][-1]):
            raise self._taken_over()
        return True

    def _ensure_journal(self, found: Mapping[str, Any]) -> None:
        if not requests.is_journal(found.get(self._index, {})):
            raise JournalError(
                f"Index {self._index} is not a journal, or has another version. Give the name of another index."
            )

    def _taken_over(self) -> JournalError:
        return JournalError(
            f"Another program has begun to load with journal {self._index}. Repeat this load when that one has "
            "ended, or give another journal."
        )

    def _parts(self) -> tuple[OpenSearch, ReplayedRows, Recorder]:
        if self._opened is None or self._rows is None or self._recorder is None:
            raise JournalError(f"Journal {self._index} is closed.")
        return self._opened, self._rows, self._recorder

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
        vars(self).update(state)
        self._forget_state()

    def _forget_state(self) -> None:
        """Be a journal that was not begun."""
        self._opened = self._rows = self._recorder = None
        self._load, self._condition = {}, {}
        self._run, self._writer, self._number = 0, "", count()
