import json

from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.index.documents.serializer import to_exact_line
from opensearch_neural_sparse.ingestion.journals.entry_columns import from_columns, to_columns
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ENTRIES = st.builds(
    JournalEntry, TEXT, st.binary(max_size=16), TEXT, st.integers(min_value=0, max_value=2**31), st.none() | TEXT
)


@given(st.lists(ENTRIES, max_size=20))
def test_entries_are_the_same_after_json(entries: list[JournalEntry]) -> None:
    assert [*from_columns(json.loads(to_exact_line(to_columns(entries))))] == entries
