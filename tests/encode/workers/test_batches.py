from __future__ import annotations

import random

import pytest

from opensearch_neural_sparse.encode.workers.batches import split_batches

OPTIONS = {"workers": 2, "batch_tokens": 256, "max_length": 512}


def _texts(count: int, longest: int = 2000) -> list[str]:
    chance = random.Random(0)
    return ["x" * chance.randrange(longest) for _ in range(count)]


@pytest.mark.parametrize("count", [0, 1, 7, 500])
def test_each_text_is_in_one_batch(count: int) -> None:
    batches = split_batches(_texts(count), **OPTIONS)
    assert sorted(position for batch in batches for position in batch) == list(range(count))
    assert all(batches)


def test_texts_that_one_batch_of_the_engine_holds_are_not_shared() -> None:
    assert split_batches(["x" * 100] * 10, **OPTIONS) == [list(range(10))]


def test_batches_have_about_as_many_characters_each() -> None:
    texts = _texts(500)
    sizes = [sum(len(texts[position]) for position in batch) for batch in split_batches(texts, **OPTIONS)]
    assert len(sizes) > 4 * OPTIONS["workers"]
    assert max(sizes[:-1]) < 1.3 * min(sizes[:-1])


def test_longest_texts_come_first() -> None:
    texts = _texts(300)
    lengths = [len(texts[position]) for batch in split_batches(texts, **OPTIONS) for position in batch]
    assert lengths == sorted(lengths, reverse=True)


def test_a_batch_stays_small_however_many_texts_there_are() -> None:
    batches = split_batches(["x" * 1000] * 20_000, **OPTIONS)
    assert max(map(len, batches)) <= 17


def test_what_the_model_does_not_read_costs_nothing() -> None:
    batches = split_batches(["x" * 1_000_000, *["x" * 1000] * 200], **OPTIONS)
    assert 0 in batches[0]
    assert len(batches[0]) > 1


def test_blank_texts_are_batched() -> None:
    assert split_batches(["", " ", ""], **OPTIONS) == [[1, 0, 2]]
