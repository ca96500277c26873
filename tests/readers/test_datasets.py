"""Documents of Hugging Face datasets: in memory, streamed, and saved in folders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasets", reason="the datasets extra is not installed")

import datasets
from datasets import ClassLabel, Dataset, DatasetDict, Features, IterableDataset, List, Sequence, Value

from opensearch_neural_sparse import RefusedRow, SourceRow, read_dataset
from opensearch_neural_sparse.readers import dataset_rows
from opensearch_neural_sparse.readers.documents import Columns, read_source, skipped_files
from opensearch_neural_sparse.readers.row_counts import row_count

KINDS = ClassLabel(names=["river", "stone"])
ROWS = {"id": ["a", "b", "c"], "text": ["Red.", "Green.", "Blue."]}


@pytest.fixture(autouse=True)
def no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def read(path: Path) -> list[SourceRow | RefusedRow]:
    return list(read_source([path], Columns(), BytesIO()))


def metadata_of(feature: Any, value: Any) -> Any:
    features = Features({"text": Value("string"), "value": feature})
    dataset = Dataset.from_dict({"text": ["x"], "value": [value]}, features=features)
    (row,) = read_dataset(dataset)
    assert isinstance(row, SourceRow), row
    return row.document.metadata.get("value")


def test_rows_have_the_places_of_their_split() -> None:
    train, test = Dataset.from_dict(ROWS, split="train"), Dataset.from_dict({"id": [7], "text": ["Grey."]})
    assert [row.place for row in read_dataset(train, name="colours")] == [f"colours[train]:{n}" for n in (1, 2, 3)]
    assert [row.place for row in read_dataset(test)] == ["dataset:1"]
    both = list(read_dataset(DatasetDict(train=train, test=test), name="colours"))
    assert [row.place for row in both] == [*(f"colours[train]:{n}" for n in (1, 2, 3)), "colours[test]:1"]
    assert [row.document.id for row in both if isinstance(row, SourceRow)] == ["a", "b", "c", "7"]


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        (KINDS, 1, "stone"),
        (KINDS, -1, None),
        (KINDS, None, None),
        (List(KINDS), [0, 1], ["river", "stone"]),
        ({"kind": KINDS, "n": Value("int8")}, {"kind": 0, "n": 3}, {"kind": "river", "n": 3}),
        (Sequence({"kind": KINDS}), {"kind": [1, 0]}, {"kind": ["stone", "river"]}),
        (Value("timestamp[us, tz=UTC]"), datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29T12:00:00+00:00"),
        (Value("date32"), date(2024, 2, 29), "2024-02-29"),
        (datasets.Array2D((2, 2), "float32"), [[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        (datasets.Translation(["de", "en"]), {"de": "Stein", "en": "stone"}, {"de": "Stein", "en": "stone"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_features_become_plain_values(feature: Any, value: Any, expected: Any) -> None:
    assert metadata_of(feature, value) == expected


@pytest.mark.parametrize("feature", [datasets.Image(), Value("binary"), Value("duration[s]")], ids=str)
def test_split_with_a_column_that_metadata_cannot_hold_is_refused_once(feature: Any) -> None:
    features = Features({"text": Value("string"), "odd": feature})
    dataset = Dataset.from_dict({"text": ["x", "y"], "odd": [None, None]}, features=features)
    reason = "metadata cannot hold its columns odd; leave them out by remove_columns()"
    assert list(read_dataset(dataset, name="pictures")) == [RefusedRow(place="pictures", reason=reason, rows=2)]
    assert len(list(read_dataset(dataset.remove_columns("odd")))) == 2


def test_columns_of_text_and_id_are_named() -> None:
    dataset = Dataset.from_dict({"key": [1, 2], "body": ["Red.", None]})
    first, second = read_dataset(dataset, text_field="body", id_field="key")
    assert isinstance(first, SourceRow)
    assert (first.document.id, first.document.text, first.document.metadata) == ("1", "Red.", {})
    assert isinstance(second, RefusedRow)
    assert second.place == "dataset:2"
    (none,) = read_dataset(dataset)
    assert isinstance(none, RefusedRow)
    assert (none.place, none.rows) == ("dataset", 2)


def test_stream_is_read_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_rows, "ROWS_AT_ONCE", 10)
    made: list[int] = []

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            made.append(number)
            yield {"id": str(number), "text": f"Stone {number}."}

    stream = read_dataset(IterableDataset.from_generator(rows), name="stones")
    first = [next(stream).place for _ in range(25)]
    assert first[-1].endswith(":25")
    assert 25 <= len(made) < 100
    assert sum(1 for _ in stream) == 975


def test_other_rows_are_refused_at_once() -> None:
    with pytest.raises(TypeError, match=r"got list\. Other rows go into a load as they are"):
        read_dataset([{"text": "x"}])  # type: ignore[arg-type]


def test_saved_folders_are_read_and_counted(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    dataset = Dataset.from_dict(ROWS, split="train")
    dataset.save_to_disk(one)
    DatasetDict(train=dataset, test=dataset.select([2])).save_to_disk(two)
    assert [row.place for row in read(one)] == [f"{one}[train]:{n}" for n in (1, 2, 3)]
    assert [row.place for row in read(two)][2:] == [f"{two}[train]:3", f"{two}[test]:1"]
    assert [row.place for row in read(two / "test")] == [f"{two / 'test'}[train]:1"]
    assert row_count([one, two]) == 7
    assert skipped_files([one, two]) == 0


def test_empty_splits_have_no_rows(tmp_path: Path) -> None:
    dataset = Dataset.from_dict(ROWS)
    empty = dataset.select([])
    DatasetDict(train=empty, test=dataset, other=dataset.filter(lambda row: False)).save_to_disk(tmp_path / "two")
    assert [row.place for row in read(tmp_path / "two")] == [f"{tmp_path / 'two'}[test]:{n}" for n in (1, 2, 3)]
    assert read(tmp_path / "two" / "train") == []
    assert list(read_dataset(empty)) == []


@pytest.mark.parametrize("content", ["{", "[]", '{"splits": "train"}', '{"splits": ["train"]}'])
def test_folder_with_a_damaged_list_of_splits_is_a_refused_row(tmp_path: Path, content: str) -> None:
    (tmp_path / "dataset_dict.json").write_text(content, encoding="utf-8")
    (row,) = read(tmp_path)
    assert isinstance(row, RefusedRow)
    assert "cannot be read as a dataset" in row.reason


def test_damaged_folder_is_a_refused_row(tmp_path: Path) -> None:
    Dataset.from_dict(ROWS).save_to_disk(tmp_path / "one")
    (arrow,) = (tmp_path / "one").glob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:40])
    (row,) = read(tmp_path / "one")
    assert isinstance(row, RefusedRow)
    assert row.place == str(tmp_path / "one")
    assert "cannot be read as a dataset" in row.reason
    assert row_count([tmp_path / "one"]) is None
