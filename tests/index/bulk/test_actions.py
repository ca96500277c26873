import json
from typing import Any

import pytest

from opensearch_neural_sparse import BulkFailure, BulkOperation, BulkReport, BulkWriteError, IndexSchema, SparseDocument
from opensearch_neural_sparse.index.bulk.actions import (
    BulkAction,
    bulk_actions,
    delete_action,
    read_items,
    serialize_actions,
    write_draft,
)

SCHEMA = IndexSchema()


def action_of(document: SparseDocument, *, exact_weights: bool = False, **options: Any) -> BulkAction:
    (action,) = serialize_actions([write_draft(document, SCHEMA, **options)], exact_weights=exact_weights)
    assert isinstance(action, BulkAction)
    return action


def test_action_is_two_lines_of_json() -> None:
    document = SparseDocument(id="ä", text="Zeile\nzwei", vector={"a": 1.5}, metadata={"n": None})
    header, source, end = action_of(document).body.split(b"\n")
    assert end == b""
    assert json.loads(header) == {"index": {"_id": "ä"}}
    assert json.loads(source) == {"id": "ä", "content": "Zeile\nzwei", "sparse_vector": {"a": 1.5}, "n": None}


def test_operation_and_routing_are_in_the_header() -> None:
    action = action_of(SparseDocument(id="1", routing="r"), operation=BulkOperation.CREATE)
    assert json.loads(action.body.split(b"\n")[0]) == {"create": {"_id": "1", "routing": "r"}}
    assert delete_action("1").body == b'{"delete":{"_id":"1"}}\n'


@pytest.mark.parametrize(
    ("bad", "error_type"),
    [
        ({"vector": {"t": float("nan")}}, "InvalidVectorError"),
        ({"vector": {"t": -1}}, "InvalidVectorError"),
        ({"metadata": {"k": float("inf")}}, "IndexSchemaError"),
        ({"metadata": {"k": object()}}, "IndexSchemaError"),
        ({"text": 5}, "IndexSchemaError"),
        ({"embedding": ["x"]}, "IndexSchemaError"),
        ({"extra_fields": {"year": 1}}, "IndexSchemaError"),
        ({"extra_fields": {"blob": object()}}, "TypeError"),
    ],
)
def test_document_that_cannot_be_sent_is_a_failure_and_the_others_pass(bad: dict[str, Any], error_type: str) -> None:
    documents = [SparseDocument(id="1"), SparseDocument(id="2", **bad), SparseDocument(id="3")]
    first, second, third = bulk_actions(documents, SCHEMA)
    assert isinstance(first, BulkAction)
    assert isinstance(third, BulkAction)
    assert isinstance(second, BulkFailure)
    assert (second.id, second.status, second.error_type) == ("2", None, error_type)


def test_text_that_is_not_unicode_is_a_failure_without_the_text() -> None:
    documents = [SparseDocument(id=f"{number}", text="SECRET" + "\ud800" * (number == 1)) for number in range(3)]
    first, failure, third = bulk_actions(documents, SCHEMA)
    assert isinstance(first, BulkAction)
    assert isinstance(third, BulkAction)
    assert isinstance(failure, BulkFailure)
    assert failure.id == "1"
    assert "SECRET" not in str(failure)


def test_routing_that_is_not_unicode_is_a_failure() -> None:
    (failure,) = serialize_actions([write_draft(SparseDocument(id="1", routing="\ud800"), SCHEMA)])
    assert isinstance(failure, BulkFailure)
    assert failure.id == "1"


def test_any_number_of_documents_keeps_its_order() -> None:
    documents = [SparseDocument(id=f"{n}", vector={f"t{n}": 1.0 + n} if n % 3 else None) for n in range(120)]
    actions = [*bulk_actions(documents, SCHEMA)]
    for document, action in zip(documents, actions, strict=True):
        assert isinstance(action, BulkAction)
        header, source, end = action.body.split(b"\n")
        assert (json.loads(header), end) == ({"index": {"_id": document.id}}, b"")
        assert json.loads(source).get("sparse_vector") == document.vector


def test_items_are_told_apart() -> None:
    actions = [delete_action(name) for name in "abcde"]
    refused = {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue is full"}}
    wrong = {
        "status": 400,
        "error": {"type": "mapper_parsing_exception", "reason": "failed to parse. Preview of field's value: 'SECRET'"},
    }
    items = [{"status": 201}, {"status": 200}, {"status": 404, "result": "not_found"}, refused, wrong]
    report, crowded_out = read_items(actions, {"items": [{"index": item} for item in items]})
    assert report.written == 2
    assert [failure.id for failure in report.failed] == ["e"]
    assert [action.id for action, _ in crowded_out] == ["d"]
    assert "SECRET" not in str(report)


def test_reports_add_up_and_read_short() -> None:
    failures = tuple(BulkFailure(id=f"id{n}", status=400, error_type="bad", reason="reason") for n in range(7))
    report = BulkReport(written=2, failed=failures[:3]) + BulkReport(
        failed=failures[3:], unknown=("u",), stopped="gone"
    )
    assert (report.written, len(report.failed), report.unknown, report.stopped) == (2, 7, ("u",), "gone")
    text = str(report)
    assert text.startswith("2 written, 7 failed, 1 of unknown outcome.")
    assert "'id0': bad: reason" in text
    assert "and 2 more" in text
    assert "id6" not in text
    assert "gone" in text


def test_weights_are_shortened_unless_kept_whole() -> None:
    document = SparseDocument(id="1", vector={"a": 0.123456789})
    for options, weight in (({}, 0.1234), ({"exact_weights": True}, 0.123456789)):
        source = json.loads(action_of(document, **options).body.split(b"\n")[1])
        assert source == {"id": "1", "sparse_vector": {"a": weight}}


def test_incomplete_report_is_raised() -> None:
    BulkReport(written=5).raise_if_incomplete()
    for report in (BulkReport(unknown=("a",)), BulkReport(stopped="x")):
        with pytest.raises(BulkWriteError) as error:
            report.raise_if_incomplete()
        assert error.value.report is report
