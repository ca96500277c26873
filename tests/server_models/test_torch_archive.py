from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from opensearch_neural_sparse.server_models.torch_archive import TRACED_LENGTH, _agree, _trace, _without_tracer_warnings


class Sum(torch.nn.Module):
    """Adds one to the sum of a text's ids, if the text is longer than `bound`."""

    def __init__(self, bound: int) -> None:
        super().__init__()
        self.bound = bound

    def forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        ids = inputs["input_ids"] * inputs["attention_mask"]
        more = 1.0 if ids.shape[1] > self.bound else 0.0
        return {"output": ids.sum(dim=1).float() + more}


@pytest.mark.parametrize(("bound", "agrees"), [(0, True), (TRACED_LENGTH, False)])
def test_a_branch_that_longer_texts_take_is_found_out(bound: int, agrees: bool):
    model = Sum(bound)
    with _without_tracer_warnings():
        traced = _trace(model)
    assert _agree(model, traced) is agrees
