import json
import shutil
from pathlib import Path

import pytest

from opensearch_neural_sparse import Activation, Mode, ModelFilesError
from opensearch_neural_sparse.models.files.metadata import read_spec
from tests import toy
from tests.paths import SMALL_MODEL


def test_facts_of_the_small_model_are_read_from_its_files() -> None:
    spec = read_spec(SMALL_MODEL, id="small-en", path=SMALL_MODEL)
    assert (spec.mode, spec.activation) == (Mode.DOC_ONLY, Activation.LOG1P_RELU)
    assert (spec.vocabulary_size, spec.max_length, spec.parameters) == (30_522, 512, 22_744_506)
    assert (spec.tokenizer, spec.backbone, spec.name) == ("bert-uncased", "bert", "small-en")
    assert spec.languages == ("en",)


def test_a_model_is_english_by_its_vocabulary_whatever_cuts_texts_into_it(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(SMALL_MODEL, copy, ignore=shutil.ignore_patterns("model.safetensors"))
    for path in copy.rglob("tokenizer.json"):
        content = json.loads(path.read_text())
        toy.write_json(path, content | {"normalizer": content["normalizer"] | {"strip_accents": True}})
    assert read_spec(copy, id="copy").languages == ("en",)
    assert read_spec(toy.write_doc_only(tmp_path / "toy"), id="toy").languages == ()


@pytest.mark.parametrize(
    ("positions", "tokenizer", "sentence", "expected"),
    [(64, 48, None, 48), (64, 10**30, None, 64), (64, 512, 32, 32), (None, 48, None, 48), (None, 10**30, 40, 40)],
)
def test_longest_text_is_the_smallest_limit_of_the_files(
    tmp_path: Path, positions: int | None, tokenizer: int, sentence: int | None, expected: int
) -> None:
    root = toy.write_bi_encoder(tmp_path)
    toy.write_transformer(root, max_position_embeddings=positions)
    toy.write_json(root / "tokenizer_config.json", {"model_max_length": tokenizer})
    toy.write_json(root / "sentence_bert_config.json", {"max_seq_length": sentence})
    assert read_spec(root, id="toy").max_length == expected


@pytest.mark.parametrize("architecture", ["roberta", "xlm-roberta", "camembert", "mpnet"])
def test_roberta_and_its_kin_count_positions_from_after_the_padding_token(architecture: str, tmp_path: Path) -> None:
    toy.write_transformer(
        toy.write_bi_encoder(tmp_path), model_type=architecture, max_position_embeddings=42, pad_token_id=1
    )
    assert read_spec(tmp_path, id="toy").max_length == 40


def test_model_that_names_no_limit_is_refused(tmp_path: Path) -> None:
    toy.write_transformer(toy.write_bi_encoder(tmp_path), max_position_embeddings=None)
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(ModelFilesError, match=r"config\.json names no max_position_embeddings"):
        read_spec(tmp_path, id="toy")


def test_vocabulary_larger_than_the_head_is_refused(tmp_path: Path) -> None:
    toy.write_transformer(toy.write_bi_encoder(tmp_path), vocab_size=11)
    with pytest.raises(ModelFilesError, match=r"config\.json says vocab_size 11, but .*tokenizer\.json has 12 tokens"):
        read_spec(tmp_path, id="toy")


def test_head_padded_beyond_the_vocabulary_is_accepted(tmp_path: Path) -> None:
    toy.write_transformer(toy.write_bi_encoder(tmp_path), vocab_size=16)
    assert read_spec(tmp_path, id="toy").vocabulary_size == 16


def test_model_with_pytorch_weights_has_no_parameter_count(tmp_path: Path) -> None:
    toy.write_bi_encoder(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    assert read_spec(tmp_path, id="toy").parameters is None
