from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.server_models import onnx_archive
from opensearch_neural_sparse.server_models.onnx_archive import onnx_file
from tests.paths import SMALL_MODEL

SPECIAL = frozenset({0, 100, 101, 102, 103})
USED = frozenset(range(40_000)) - SPECIAL
"""More ids than the model has."""


@pytest.fixture
def files() -> ModelFiles:
    return resolve_files(get_model(SMALL_MODEL))


@pytest.fixture
def written(files: ModelFiles) -> bytes:
    return b"".join(onnx_file(files, USED))


def run(file: bytes, ids: list[list[int]], mask: list[list[int]]) -> Any:
    import numpy as np
    from onnxruntime import InferenceSession

    inputs = {"input1.input_ids": np.array(ids), "input1.attention_mask": np.array(mask)}
    (weights,) = InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, inputs)
    return weights


def test_the_file_is_one_that_the_runtime_of_a_server_reads(written: bytes):
    import onnx

    model = onnx.load_from_string(written)
    onnx.checker.check_model(model, full_check=False)
    assert model.ir_version <= 9
    assert {opset.domain: opset.version for opset in model.opset_import} == {"": 19, "com.microsoft": 1}
    assert {value.name for value in model.graph.input} == {"input1.input_ids", "input1.attention_mask"}
    assert [value.name for value in model.graph.output] == ["output"]


def test_all_weights_lie_in_the_file_once_in_their_precision(written: bytes, files: ModelFiles):
    import onnx

    weights = onnx.load_from_string(written).graph.initializer
    assert not any(weight.external_data for weight in weights)
    assert len({weight.name for weight in weights}) == len(weights)
    assert len(written) < 1.05 * files.weights[0].stat().st_size


def test_no_node_is_without_use(written: bytes):
    """With one, ONNX Runtime 1.16 computes padded batches wrongly that follow an unpadded one."""
    import onnx

    graph = onnx.load_from_string(written).graph
    used = {value.name for value in graph.output}

    def read(nodes: Any) -> None:
        for node in nodes:
            used.update(node.input)
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    used.update(value.name for value in attribute.g.output)
                    read(attribute.g.node)

    read(graph.node)
    assert [node.name for node in graph.node if not used & {*node.output}] == []


def test_padding_changes_no_weight(written: bytes):
    alone = run(written, [[101, 7592, 2088, 102]], [[1, 1, 1, 1]])
    padded = run(written, [[101, 7592, 2088, 102, 0, 0], [101, 1, 2, 3, 4, 102]], [[1, 1, 1, 1, 0, 0], [1] * 6])
    assert padded[0] == pytest.approx(alone[0], abs=1e-5)


def test_unused_ids_weigh_nothing_and_no_weight_is_negative(written: bytes):
    (weights,) = run(written, [[101, 7592, 100, 102]], [[1, 1, 1, 1]])
    assert not weights[sorted(SPECIAL)].any()
    assert weights.min() == 0 < weights.max()


def test_weights_too_large_for_one_file_are_refused(files: ModelFiles, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onnx_archive, "LARGEST_FILE", files.weights[0].stat().st_size)
    with pytest.raises(ModelFilesError, match=r"weights of 0\.05 GB, and an ONNX file .* format='torch_script'"):
        onnx_file(files, USED)
