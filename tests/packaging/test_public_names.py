import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import opensearch_neural_sparse
from tests.paths import SMALL_MODEL

HEAVY = {"torch", "transformers", "sentence_transformers", "haystack", "langchain_core", "onnxruntime"}
"""Libraries that neither the import of the package nor a query may bring in."""


def names_for_type_checkers() -> set[str]:
    tree = ast.parse(Path(opensearch_neural_sparse.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.asname or alias.name for line in block.body if isinstance(line, ast.ImportFrom) for alias in line.names
    }


def test_all_is_sorted_and_is_what_the_package_shows() -> None:
    names = opensearch_neural_sparse.__all__
    assert names == sorted(names)
    assert len(names) == len(set(names))
    assert dir(opensearch_neural_sparse) == names


def test_all_is_what_type_checkers_see_and_what_can_be_imported() -> None:
    assert set(opensearch_neural_sparse.__all__) == names_for_type_checkers()
    assert set(opensearch_neural_sparse.__all__) == set(opensearch_neural_sparse._HOME_OF)


@pytest.mark.parametrize("name", opensearch_neural_sparse.__all__)
def test_name_is_the_object_of_its_module(name: str) -> None:
    value = getattr(opensearch_neural_sparse, name)
    assert name == "__version__" or value.__name__ == name
    assert vars(opensearch_neural_sparse)[name] is value


def test_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'SparseVectors'"):
        _ = opensearch_neural_sparse.SparseVectors


def modules_after(code: str) -> set[str]:
    code += "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_import_brings_in_no_other_library() -> None:
    modules = modules_after("import opensearch_neural_sparse")
    assert not modules & (HEAVY | {"numpy", "opensearchpy", "tokenizers", "huggingface_hub"})
    assert {name for name in modules if name.startswith("opensearch_neural_sparse.")} == set()


def test_query_of_a_doc_only_model_brings_in_no_machine_learning_library() -> None:
    code = (
        "from opensearch_neural_sparse import load_query_encoder\n"
        f"assert load_query_encoder({str(SMALL_MODEL)!r}).encode_query('heart attack')"
    )
    modules = modules_after(code)
    assert "tokenizers" in modules
    assert not modules & (HEAVY | {"numpy", "opensearchpy"})
