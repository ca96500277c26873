from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.encode.engines.batching import bounded_batches, pad_batch, plan_batches

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


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_read_items_keep_their_order_within_count_and_size(sizes: list[int], count: int, size: int):
    batches = list(bounded_batches(sizes, int, count=count, size=size))
    assert [item for batch in batches for item in batch] == sizes
    assert all(1 <= len(batch) <= count for batch in batches)
    assert all(len(batch) == 1 or sum(batch) <= size for batch in batches)


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 10), st.integers(1, 100))
def test_a_batch_ends_only_where_it_is_full(sizes: list[int], count: int, size: int):
    batches = list(bounded_batches(sizes, int, count=count, size=size))
    for batch, following in pairwise(batches):
        assert len(batch) == count or sum(batch) + following[0] > size or sum(batch) >= size


def test_a_full_batch_is_passed_on_before_more_is_read():
    taken: list[int] = []

    def source() -> Iterator[int]:
        for item in range(5):
            taken.append(item)
            yield item

    next(bounded_batches(source(), lambda item: 1, count=2, size=100))
    assert taken == [0, 1]


def test_what_was_read_before_an_error_of_the_source_is_passed_on():
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("the disk is gone")

    batches = bounded_batches(source(), int, count=10, size=100)
    assert next(batches) == [1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)
