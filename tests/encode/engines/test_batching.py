from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.encode.engines.batching import pad_batch, plan_batches

LENGTHS = st.lists(st.integers(1, 600), max_size=60)


@given(LENGTHS, st.integers(1, 2000))
def test_every_text_is_in_one_batch(lengths: list[int], budget: int):
    positions = [position for batch in plan_batches(lengths, budget) for position in batch]
    assert sorted(positions) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 2000))
def test_a_batch_keeps_to_the_budget_unless_it_is_one_text(lengths: list[int], budget: int):
    for batch in plan_batches(lengths, budget):
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= budget


@given(LENGTHS)
def test_the_longest_texts_come_first(lengths: list[int]):
    order = [lengths[position] for batch in plan_batches(lengths, 512) for position in batch]
    assert order == sorted(lengths, reverse=True)


def test_batches_are_as_full_as_the_budget_allows():
    assert list(plan_batches([100] * 5, 300)) == [[0, 1, 2], [3, 4]]


def test_shorter_texts_are_padded_and_masked():
    batch = pad_batch([[5, 6, 7], [8]], pad_id=1)
    assert batch.ids.tolist() == [[5, 6, 7], [8, 1, 1]]
    assert batch.mask.tolist() == [[1, 1, 1], [1, 0, 0]]
