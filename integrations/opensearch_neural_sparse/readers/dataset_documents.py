"""Documents of Hugging Face `datasets`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
from opensearch_neural_sparse.readers.dataset_rows import rows_of_split, splits_of
from opensearch_neural_sparse.readers.documents import Columns, documents_of

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict


def read_dataset(
    dataset: Dataset | IterableDataset | DatasetDict | IterableDatasetDict,
    *,
    text_field: str = "text",
    id_field: str = "id",
    name: str | None = None,
) -> Iterator[SourceRow | RefusedRow]:
    """Read the rows of a Hugging Face dataset as those of a load, a batch at a time.

    Columns other than text and id are metadata: labels by their names, dates in ISO 8601, lists and mappings as they
    are. The place of a row is `<name>[<split>]:<number>`.

    Args:
        dataset: A dataset in memory, on disk or streamed, or a mapping of splits, which are all read.
        text_field: Column of the text.
        id_field: Column of the id; a row without one gets one by its place when it is loaded with a journal, so its
            dataset is not to be shuffled.
        name: Name of the dataset in the places; by default its own.

    Raises:
        TypeError: Another type; any iterable of mappings is the rows of a `Load` as it is.

    Examples:
        >>> from datasets import Dataset
        >>> rows = read_dataset(Dataset.from_dict({"id": ["1"], "text": ["A stone."]}), name="stones")
        >>> [(row.place, row.document.id) for row in rows]
        [('stones:1', '1')]
    """
    columns = Columns(id=id_field, text=text_field)
    return (
        row for split in splits_of(dataset, name) for row in documents_of(rows_of_split(split), split.place, columns)
    )
