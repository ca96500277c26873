"""Synthetic vectors: the same again, as uneven as text, and with neighbours."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from statistics import mean

import pytest

from benchmarks.synthetic import CHUNK, SyntheticVectors

SIZE, COUNT = 5000, 2000


@pytest.fixture(scope="module")
def vectors() -> SyntheticVectors:
    return SyntheticVectors(SIZE)


@pytest.fixture(scope="module")
def documents(vectors):
    return list(vectors.documents(COUNT))


def test_the_same_numbers_give_the_same_documents_and_queries(vectors, documents):
    again = SyntheticVectors(SIZE)
    assert list(again.documents(CHUNK + 7)) == documents[: CHUNK + 7]
    assert list(again.queries(5)) == list(vectors.queries(5))


def test_another_stream_has_other_documents(vectors, documents):
    assert not any(one == other for one, other in zip(documents, vectors.documents(50, stream=2), strict=False))


def test_every_document_has_distinct_tokens_with_a_weight_each(documents):
    assert len(documents) == COUNT
    for ranks, hundredths in documents:
        assert len(set(ranks)) == len(ranks) == len(hundredths)
        assert 0 <= min(ranks) <= max(ranks) < SIZE
        assert 1 <= min(hundredths) <= max(hundredths) <= 300


def test_documents_have_about_120_tokens(documents):
    assert 110 < mean(len(ranks) for ranks, _ in documents) < 125


def test_frequent_tokens_are_those_of_low_rank(documents):
    found = Counter(rank for ranks, _ in documents for rank in ranks)
    assert mean(found[rank] for rank in range(10)) > 20 * mean(found[rank] for rank in range(3000, 4000))


def test_a_document_shares_much_with_its_nearest_neighbour(documents):
    sets = [set(ranks) for ranks, _ in documents]
    nearest = [max(len(one & other) for other in sets if other is not one) for one in sets[:20]]
    usual = [len(one & other) for one, other in zip(sets[:200], sets[200:400], strict=True)]
    assert mean(nearest) > 2 * mean(usual)


def test_queries_weigh_rare_tokens_more(vectors):
    for query in islice(vectors.queries(50), 50):
        assert 6 <= len(query) <= 12
        weights = [query[rank] for rank in sorted(query)]
        assert weights == sorted(weights)
