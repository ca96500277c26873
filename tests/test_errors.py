from __future__ import annotations

import pickle

import pytest

from opensearch_neural_sparse import NeuralSparseError
from tests.docs.test_messages import RAISED


@pytest.mark.parametrize("name", RAISED)
def test_errors_of_other_processes_are_the_same_here(name: str) -> None:
    with pytest.raises((NeuralSparseError, UserWarning)) as raised:
        RAISED[name]()
    copy = pickle.loads(pickle.dumps(raised.value))
    assert type(copy) is type(raised.value)
    assert str(copy) == str(raised.value)
    assert vars(copy).keys() == vars(raised.value).keys()
