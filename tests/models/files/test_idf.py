from pathlib import Path

import pytest

from opensearch_neural_sparse import ModelFilesError
from opensearch_neural_sparse.models.files.idf import read_idf
from tests import toy
from tests.paths import SMALL_MODEL

VOCABULARY = {token: index for index, token in enumerate(toy.TOKENS)}
EXPECTED = [0.0, 1.0, 0.0, 0.0, 0.0, 2.5, 4.25, 5.0, 0.5, 0.125, 0.0, 0.0]


def test_table_has_a_weight_for_each_token_and_ignores_other_entries(tmp_path: Path) -> None:
    toy.write_json(tmp_path / "idf.json", toy.IDF)
    assert read_idf(tmp_path / "idf.json", VOCABULARY).tolist() == EXPECTED


def test_table_in_safetensors_format_is_the_same(tmp_path: Path) -> None:
    root = toy.write_doc_only(tmp_path)
    table = read_idf(root / "query_0_SparseStaticEmbedding" / "model.safetensors", VOCABULARY)
    assert table == read_idf(root / "idf.json", VOCABULARY)


def test_the_two_tables_of_the_small_model_are_equal() -> None:
    from opensearch_neural_sparse import SparseTokenizer

    vocabulary = SparseTokenizer.from_file(SMALL_MODEL / "query_0_SparseStaticEmbedding/tokenizer.json").vocabulary
    from_json = read_idf(SMALL_MODEL / "idf.json", vocabulary)
    assert from_json == read_idf(SMALL_MODEL / "query_0_SparseStaticEmbedding/model.safetensors", vocabulary)
    assert sum(weight > 0 for weight in from_json) > 30_000


def test_ignored_ids_negative_weights_and_the_empty_token_weigh_nothing(tmp_path: Path) -> None:
    toy.write_json(tmp_path / "idf.json", {"a": -1.0, "b": 2.0, "": 3.0, "c": 1e-40, "d": 4.0})
    vocabulary = {"a": 0, "b": 1, "": 2, "c": 3, "d": 4}
    assert read_idf(tmp_path / "idf.json", vocabulary, ignored={1}).tolist() == [0.0, 0.0, 0.0, 0.0, 4.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (["red"], "is not an object of token -> number"),
        ({"red": "2.5"}, "is not an object of token -> number"),
        ({"rouge": 2.5, "planète": 4.0, "red": 1.0}, "another tokenizer: 1 of its 3 tokens"),
        ({"red": float("nan")}, "not a finite number"),
        ({"red": 1e300}, "not a finite number"),
    ],
)
def test_table_that_cannot_be_right_is_refused(tmp_path: Path, content: object, message: str) -> None:
    toy.write_json(tmp_path / "idf.json", content)
    with pytest.raises(ModelFilesError, match=message):
        read_idf(tmp_path / "idf.json", VOCABULARY)


def test_tensor_for_another_vocabulary_is_refused(tmp_path: Path) -> None:
    toy.write_safetensors(tmp_path / "model.safetensors", {"weight": [1.0, 2.0]})
    with pytest.raises(ModelFilesError, match="for the 12 tokens"):
        read_idf(tmp_path / "model.safetensors", VOCABULARY)


def test_tensor_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    toy.write_safetensors(path, {"weight": [1.0] * 12})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ModelFilesError, match="cut short"):
        read_idf(path, VOCABULARY)


@pytest.mark.parametrize("content", [b"", b"\x00" * 20, b"version https://git-lfs.github.com/spec/v1\n"])
def test_file_that_is_no_tensor_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelFilesError, match="not in safetensors format"):
        read_idf(tmp_path / "model.safetensors", VOCABULARY)


def test_two_formats_that_disagree_are_refused(tmp_path: Path) -> None:
    root = toy.write_doc_only(tmp_path)
    tensor = root / "query_0_SparseStaticEmbedding" / "model.safetensors"
    assert read_idf(root / "idf.json", VOCABULARY, tensor=tensor).tolist() == EXPECTED
    toy.write_json(root / "idf.json", toy.IDF | {"red": 2.4, "rare": 9.0, "[UNK]": 8.0})
    with pytest.raises(ModelFilesError, match=r"idf\.json and .*model\.safetensors differ in 2 weights"):
        read_idf(root / "idf.json", VOCABULARY, tensor=tensor, ignored={1})


def test_weight_that_the_tensor_alone_has_is_left_out(tmp_path: Path) -> None:
    tensor = tmp_path / "model.safetensors"
    toy.write_safetensors(tensor, {"weight": [*EXPECTED[:-1], 0.6]})
    toy.write_json(tmp_path / "idf.json", toy.IDF)
    assert read_idf(tmp_path / "idf.json", VOCABULARY, tensor=tensor).tolist() == EXPECTED
