import json
from pathlib import Path

from opensearch_neural_sparse import Activation, Pooling
from opensearch_neural_sparse.models.files.fingerprints import document_fingerprint, query_fingerprint
from tests import toy


def query_hash(root: Path) -> str:
    return query_fingerprint(root / "query_0_SparseStaticEmbedding" / "tokenizer.json", root / "idf.json")


def test_query_side_is_the_same_in_both_table_formats(tmp_path: Path) -> None:
    folder = toy.write_doc_only(tmp_path) / "query_0_SparseStaticEmbedding"
    assert query_fingerprint(folder / "tokenizer.json", folder / "model.safetensors") == query_hash(tmp_path)


def test_formatting_padding_and_truncation_do_not_count(tmp_path: Path) -> None:
    before = query_hash(toy.write_doc_only(tmp_path))
    folder = tmp_path / "query_0_SparseStaticEmbedding"
    toy.write_tokenizer(folder, padding={"strategy": "BatchLongest"}, truncation={"max_length": 512})
    content = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(content, indent=2))
    assert query_hash(tmp_path) == before


def test_weights_of_special_tokens_and_of_no_tokens_do_not_count(tmp_path: Path) -> None:
    before = query_hash(toy.write_doc_only(tmp_path))
    toy.write_json(tmp_path / "idf.json", toy.IDF | {"[UNK]": 7.0, "elsewhere": 9.0, "rare": 0.0})
    assert query_hash(tmp_path) == before


def test_one_other_weight_is_another_query_side(tmp_path: Path) -> None:
    before = query_hash(toy.write_doc_only(tmp_path))
    toy.write_json(tmp_path / "idf.json", toy.IDF | {"red": 2.500001})
    assert query_hash(tmp_path) != before


def test_another_normaliser_is_another_query_side(tmp_path: Path) -> None:
    before = query_hash(toy.write_doc_only(tmp_path))
    toy.write_tokenizer(tmp_path / "query_0_SparseStaticEmbedding", normalizer=None)
    assert query_hash(tmp_path) != before


def test_document_side_is_weights_activation_and_tokenizer(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path)
    hashes = {document_fingerprint(tmp_path, activation) for activation in Activation}
    toy.write_safetensors(tmp_path / "model.safetensors", {"weights": [0.25] * 10})
    hashes.add(document_fingerprint(tmp_path, Activation.RELU))
    toy.write_tokenizer(tmp_path, normalizer=None)
    hashes.add(document_fingerprint(tmp_path, Activation.RELU))
    assert len(hashes) == len(Activation) + 2


def test_pooling_by_sum_counts_and_by_max_is_as_before(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path)
    plain = document_fingerprint(tmp_path, Activation.RELU)
    assert document_fingerprint(tmp_path, Activation.RELU, Pooling.MAX) == plain
    assert document_fingerprint(tmp_path, Activation.RELU, Pooling.SUM) != plain


def test_names_and_dates_do_not_count_for_the_document_side(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path / "one")
    toy.write_transformer(tmp_path / "two", transformers_version="6.0")
    assert len({document_fingerprint(tmp_path / name, Activation.RELU) for name in ("one", "two")}) == 1
