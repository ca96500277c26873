"""Look up the outcome of a batch without an answer; no network and no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from opensearch_neural_sparse.index.bulk.actions import BulkAction, BulkOperation
from opensearch_neural_sparse.index.bulk.effects import Effect, ReadAction, effect_of, read_action
from opensearch_neural_sparse.index.bulk.report import NOT_WRITTEN, BulkFailure, BulkReport
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.ingest_pipeline import NO_PIPELINE
from opensearch_neural_sparse.store.bulk.lost_answers.attempts import LostAttempts
from opensearch_neural_sparse.store.bulk.lost_answers.requests import (
    IDS_PER_LOOK,
    Ask,
    ask_for_bulk_tasks,
    ask_for_documents,
    ask_for_sequence_numbers,
    ask_for_shards,
    bulk_is_under_way,
    rows_of,
    shards_of,
)
from opensearch_neural_sparse.store.bulk.lost_answers.sequence_floor import SequenceFloor
from opensearch_neural_sparse.store.bulk.retry import Answer, Pause, Send, send_with_retries
from opensearch_neural_sparse.store.write_options import WriteOptions

Result = TypeVar("Result")
Steps = Generator[Send | Pause | Ask, Answer, Result]
Row = Mapping[str, Any] | None
Outcome = Literal[True] | BulkFailure
_CONFLICT_STATUS, _CONFLICT = 409, "version_conflict_engine_exception"
_LOOKS = 3
"""Most looks at documents while the server is still at work on bulk requests to their index."""
_SECONDS = 10.0
"""Most seconds for a request beside the bulk requests."""


class LookUp:
    """Sends batches, and looks up documents of which an answer was lost.

    Each is read by its id, as it is at that moment, and compared with what was sent. One that was to be created was
    written by this write only if its sequence number is later than that of its shard before the write, since a
    document of the same content may have been there. What the index does not hold was not written, if the connection
    broke and the server is at work on no bulk request to the index; after a timeout it may still be written.

    Args:
        index: The index that bulk requests name.
        state: The index when documents were encoded for it.
        options: How to write.

    Attributes:
        settled: Reasons to stop of batches whose documents were all found to be written, or to exist already.
    """

    def __init__(self, index: str, state: IndexInfo | None, options: WriteOptions) -> None:
        self._index, self._options = index, options
        self._seconds = min(options.request_timeout or _SECONDS, _SECONDS)
        self._added = None if options.pipeline == NO_PIPELINE else _filled_by_pipelines(state)
        self._reads_floor = options.operation == BulkOperation.CREATE and (state is None or state.checked)
        self._floor: SequenceFloor | None = None
        self.settled: set[str] = set()

    def deliver(self, batch: Sequence[BulkAction]) -> Steps[BulkReport]:
        """Send a batch, with retries, and return the report of every action.

        Args:
            batch: The actions.
        """
        floor = self._floor
        if self._reads_floor and floor is None:  # each batch before it is sent, until one has read it
            floor = SequenceFloor.of((yield ask_for_sequence_numbers(self._index, self._seconds)))
            self._floor, self._reads_floor = self._floor or floor, floor is not None
        sending, lost = send_with_retries(batch, self._options), LostAttempts()
        answer: Answer = None
        while True:
            try:
                step = sending.send(answer)
            except StopIteration as finished:
                report: BulkReport = finished.value
                break
            answer = yield step
            if isinstance(step, Send):
                lost.note(step.actions, answer)
        report = replace(report, written=report.written + lost.deleted.total())
        conflicts = {each.id for each in report.failed if each.status == _CONFLICT_STATUS} & lost.ids
        doubtful = conflicts | set(report.unknown)
        if not doubtful:
            return report
        outcomes = yield from self._look([action for action in batch if action.id in doubtful], lost, floor)
        known = all(outcomes.get(name) is True or _exists(outcomes.get(name)) for name in doubtful)
        if report.stopped and known and all(each.id in conflicts for each in report.failed):
            self.settled.add(report.stopped)
        return _with_outcomes(report, conflicts, outcomes, {action.id: action.lacks for action in batch})

    def _look(
        self, batch: Sequence[BulkAction], lost: LostAttempts, floor: SequenceFloor | None
    ) -> Steps[dict[str, Outcome]]:
        """Return id -> outcome, without those that stay unknown."""
        times = Counter(action.id for action in batch)
        last = {action.id: read_action(action) for action in batch}
        created = {name for name, action in last.items() if action.operation == BulkOperation.CREATE}
        waiting = [action for name, action in last.items() if times[name] == 1 or name not in created]
        outcomes: dict[str, Outcome] = {}
        if not waiting:
            return outcomes
        for look in range(_LOOKS):
            busy = bulk_is_under_way((yield ask_for_bulk_tasks(self._seconds)), self._index)
            rows = yield from self._rows(waiting)
            shards = yield from self._shards(waiting, rows, floor)
            for action in waiting:
                ended = busy is False and action.id not in lost.open
                row, shard = rows[action.id], shards.get(action.id)
                outcome = self._outcome(action, row, ended=ended, later=_is_later(floor, row, shard))
                if outcome is not None:
                    outcomes[action.id] = outcome
            waiting = [action for action in waiting if action.id not in outcomes]
            if not (waiting and busy) or look + 1 == _LOOKS:
                break
            yield Pause(self._options.backoff(look))
        return outcomes

    def _rows(self, actions: Sequence[ReadAction]) -> Steps[dict[str, Row]]:
        """Return id -> row of what the index holds, or None where it does not say."""
        rows: dict[str, Row] = {}
        for start in range(0, len(actions), IDS_PER_LOOK):
            part = actions[start : start + IDS_PER_LOOK]
            response = yield ask_for_documents(self._index, part, self._options.routing, self._seconds)
            rows |= zip((action.id for action in part), rows_of(response, len(part)), strict=True)
        return rows

    def _shards(
        self, actions: Sequence[ReadAction], rows: Mapping[str, Row], floor: SequenceFloor | None
    ) -> Steps[dict[str, int]]:
        """Return id -> shard of created documents of which the sequence number alone says nothing."""
        unclear = [
            action.id
            for action in actions
            if action.operation == BulkOperation.CREATE
            and floor is not None
            and effect_of(action, rows[action.id], self._added) is Effect.HOLDS
            and _is_later(floor, rows[action.id]) is None
        ]
        found: dict[str, int] = {}
        for start in range(0, len(unclear), IDS_PER_LOOK):
            refresh, search = ask_for_shards(self._index, unclear[start : start + IDS_PER_LOOK], self._seconds)
            yield refresh
            found |= shards_of((yield search))
        return found

    def _outcome(self, action: ReadAction, row: Row, *, ended: bool, later: bool | None) -> Outcome | None:
        """Return the outcome of an action, or None where it stays unknown.

        Args:
            action: The action.
            row: What the index holds.
            ended: Whether the server has ended what it ever does of the action.
            later: Whether what the index holds was written after the write began.
        """
        effect = effect_of(action, row, self._added)
        if effect is Effect.UNCLEAR or row is None:
            return None
        if action.operation != BulkOperation.CREATE or not row["found"]:
            if effect is Effect.HOLDS:
                return True
            return _not_written(action.id) if ended else None
        if effect is Effect.OTHER or later is False:
            return _existed(action.id)
        return True if later else None


def _filled_by_pipelines(state: IndexInfo | None) -> frozenset[str]:
    """Return the fields that a pipeline that encodes adds to documents."""
    if state is None:
        return frozenset()
    schema = state.schema
    markers = (field.model_field for field in schema.sparse_fields.values())
    return frozenset({*schema.sparse_vectors, *markers, schema.passage_field})


def _is_later(floor: SequenceFloor | None, row: Row, shard: int | None = None) -> bool | None:
    return None if floor is None or row is None else floor.is_later(row.get("_seq_no"), shard)


def _exists(outcome: Outcome | None) -> bool:
    return isinstance(outcome, BulkFailure) and outcome.status == _CONFLICT_STATUS


def _not_written(name: str) -> BulkFailure:
    reason = "the answer to its request was lost, and the index shows that the request was not carried out"
    return BulkFailure(id=name, status=None, error_type=NOT_WRITTEN, reason=reason)


def _existed(name: str) -> BulkFailure:
    reason = "the answer to its request was lost, and the index holds a document of this id that another write made"
    return BulkFailure(id=name, status=_CONFLICT_STATUS, error_type=_CONFLICT, reason=reason)


def _with_outcomes(
    report: BulkReport,
    conflicts: Collection[str],
    outcomes: Mapping[str, Outcome],
    lacks: Mapping[str, Sequence[str]],
) -> BulkReport:
    """Return a report with the outcomes that documents have by their looking up.

    Args:
        report: The report of the answers.
        conflicts: Ids that failed on a document that a lost attempt may have made.
        outcomes: Id -> outcome, without those that stay unknown.
        lacks: Id -> vector fields that the document is written without.
    """
    failed: list[BulkFailure] = [each for each in report.failed if each.id not in conflicts]
    doubtful = [*report.unknown, *(each.id for each in report.failed if each.id in conflicts)]
    found = (outcomes.get(name) for name in dict.fromkeys(doubtful))
    failed += [outcome for outcome in found if isinstance(outcome, BulkFailure)]
    written = [name for name in doubtful if outcomes.get(name) is True]
    lacking = {field: [*ids] for field, ids in report.without_vector.items()}
    for name in dict.fromkeys(written):
        for field in lacks[name]:
            lacking.setdefault(field, []).append(name)
    return BulkReport(
        written=report.written + len(written),
        failed=tuple(failed),
        unknown=tuple(name for name in doubtful if name not in outcomes),
        stopped=report.stopped,
        without_vector={field: tuple(ids) for field, ids in lacking.items()},
    )
