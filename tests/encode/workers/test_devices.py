from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.workers.devices import worker_devices
from tests.paths import SMALL_MODEL


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ()),
        ({"workers": 1}, ()),
        ({"workers": 1, "device": "cuda"}, ()),
        ({"workers": 3}, ("cpu", "cpu", "cpu")),
        ({"workers": 2, "device": "cuda"}, ("cuda", "cuda")),
        ({"devices": ["cuda:1"]}, ("cuda:1",)),
        ({"devices": ["cuda:0", "cuda:1"]}, ("cuda:0", "cuda:1")),
        ({"workers": 2, "devices": ("cuda:0", "cuda:1")}, ("cuda:0", "cuda:1")),
        ({"workers": 4, "devices": ["cuda:0", "cuda:1"]}, ("cuda:0", "cuda:1", "cuda:0", "cuda:1")),
    ],
)
def test_each_process_has_a_device(options: dict[str, Any], expected: tuple[str, ...]) -> None:
    given = {"workers": None, "devices": None, "device": None} | options
    assert worker_devices(**given) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers is 0; it must be 1 or more"),
        ({"devices": []}, r"devices is a list such as .*, got \[\]"),
        ({"devices": "cuda:0"}, "devices is a list such as .*, got 'cuda:0'.* device='...'"),
        ({"devices": ["cpu"], "device": "cuda"}, "cannot both be given; leave one out"),
        ({"devices": ["cuda:0", "cuda:1"], "workers": 3}, "3 workers cannot be shared evenly by 2 devices"),
        ({"devices": ["cuda:0", "cuda:1"], "workers": 1}, "1 workers cannot be shared evenly by 2 devices"),
    ],
)
def test_workers_and_devices_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_document_encoder(SMALL_MODEL, **options)


def test_a_device_that_the_engine_has_not_is_refused_as_in_one_process() -> None:
    with pytest.raises(ValueError, match="The ONNX engine has no device='cuda'"):
        load_document_encoder(SMALL_MODEL, engine="onnx", devices=["cuda"])
