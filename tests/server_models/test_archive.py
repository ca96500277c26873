"""Archives of models: what is refused, and the same vectors in a server as here."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.query_encoder import load_query_encoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Family
from opensearch_neural_sparse.server_models import archive as archive_module
from opensearch_neural_sparse.server_models.archive import (
    ArchiveFormat,
    ModelArchive,
    write_document_archive,
    write_tokenizer_archive,
)
from tests.encode.architectures import write_sparse_encoder
from tests.encode.gte import write_gte
from tests.encode.texts import ODD_TEXTS
from tests.paths import SMALL_MODEL
from tests.server_models.deployment import deployed_archive, vectors
from tests.toy import write_bi_encoder, write_doc_only

TOLERANCE = 1e-5
DOCUMENT, QUERY = "document_0_MLMTransformer", "query_0_SparseStaticEmbedding"
BLANK = ("", " ")
LONG = " ".join(f"{ten}{one}" for ten in "bcdfghjklmnpqrstvwxz" for one in "aeiou" for _ in range(7))
TEXTS = [*(text for text in ODD_TEXTS if text.strip()), LONG]

Model = Callable[[str], ModelFiles]


def files_of(folder: Path, **changes: Any) -> ModelFiles:
    files = resolve_files(get_model(folder))
    return replace(files, spec=replace(files.spec, **changes))


def copy_of_small_model(folder: Path) -> Path:
    shutil.copytree(SMALL_MODEL, folder)
    return folder


def edit(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps({**content, **changes}))


def members(archive: ModelArchive) -> dict[str, bytes]:
    with zipfile.ZipFile(archive.path) as content:
        return {name: content.read(name) for name in content.namelist()}


@pytest.fixture(scope="module")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ModelArchive]:
    """Write an archive of the bundled model, or return the one written before."""

    @cache
    def archive(kind: str) -> ModelArchive:
        folder = tmp_path_factory.mktemp("archive")
        if kind == "tokenizer":
            return write_tokenizer_archive(files_of(SMALL_MODEL), folder)
        return write_document_archive(files_of(SMALL_MODEL), folder, format=kind)

    return archive


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, snapshot: Callable[..., Path]) -> Model:
    """Return a small random model of an architecture."""

    @cache
    def files(architecture: str) -> ModelFiles:
        if architecture == "RoBERTa":  # its own tokenizer is refused
            folder = tmp_path_factory.mktemp("model") / "copy"
            return files_of(write_sparse_encoder(folder, "roberta", tokenizer="bert"))
        if architecture == "DistilBERT":
            return files_of(snapshot(activation="log1p_relu", architecture="distilbert", layers=2))
        folder = tmp_path_factory.mktemp("model") / "copy"
        shutil.copytree(snapshot(mode="bi-encoder") if architecture == "tanh BERT" else snapshot(), folder)
        if architecture == "tanh BERT":
            edit(folder / "config.json", hidden_act="gelu_new")
        else:
            write_gte(folder / DOCUMENT, vocabulary=30522, rope_scaling={"type": "ntk", "factor": 2.0})
        return files_of(folder)

    return files


# Contents


@pytest.mark.parametrize("kind", ["onnx", "tokenizer"])
def test_the_same_files_give_the_same_bytes(kind: str, write: Callable[..., ModelArchive], tmp_path: Path):
    files = files_of(copy_of_small_model(tmp_path / "elsewhere"))
    again = (
        write_tokenizer_archive(files, tmp_path)
        if kind == "tokenizer"
        else write_document_archive(files, tmp_path, format=kind)
    )
    assert again.sha256 == write(kind).sha256
    assert again.path.read_bytes() == write(kind).path.read_bytes()


@pytest.mark.slow
def test_the_same_files_give_the_same_torch_script(model: Model, tmp_path: Path):
    archives = [
        write_document_archive(model("DistilBERT"), tmp_path / name, format="torch_script") for name in ("one", "two")
    ]
    assert archives[0].sha256 == archives[1].sha256


def test_other_weights_are_another_archive(tmp_path: Path):
    folder = copy_of_small_model(tmp_path / "model")
    before = write_tokenizer_archive(files_of(folder), tmp_path)
    table = json.loads((folder / "idf.json").read_text())
    edit(folder / "idf.json", hello=table["hello"] + 1)
    (folder / QUERY / "model.safetensors").unlink()
    assert write_tokenizer_archive(files_of(folder), tmp_path).sha256 != before.sha256


def test_an_archive_says_how_it_is_registered(write: Callable[..., ModelArchive]):
    document, tokenizer = write("onnx"), write("tokenizer")
    assert (document.format, document.function_name) == (ArchiveFormat.ONNX, "SPARSE_ENCODING")
    assert (tokenizer.format, tokenizer.function_name) == (ArchiveFormat.TORCH_SCRIPT, "SPARSE_TOKENIZE")
    assert set(members(document)) == {"model.onnx", "tokenizer.json"}
    assert set(members(tokenizer)) == {"idf.json", "tokenizer.json"}


def test_onnx_is_chosen_where_it_is_possible(tmp_path: Path, write: Callable[..., ModelArchive]):
    assert write_document_archive(files_of(SMALL_MODEL), tmp_path).sha256 == write("onnx").sha256


def test_a_tokenizer_has_the_weights_of_the_query_encoder(write: Callable[..., ModelArchive]):
    table = json.loads(members(write("tokenizer"))["idf.json"])
    expected = load_query_encoder(SMALL_MODEL).encode_query("The planets are rotating 東京 [SEP]")
    assert expected
    assert {token: table[token] for token in expected} == dict(expected)
    assert not {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"} & table.keys()


def test_a_table_as_a_tensor_is_the_same_tokenizer(tmp_path: Path):
    files = files_of(write_doc_only(tmp_path / "model"))
    (tmp_path / "model" / "idf.json").unlink()
    tensor = files_of(tmp_path / "model")
    assert tensor.idf is not None
    assert tensor.idf.suffix == ".safetensors"
    assert (
        write_tokenizer_archive(tensor, tmp_path).sha256
        == write_tokenizer_archive(files_of(write_doc_only(tmp_path / "other")), tmp_path).sha256
    )
    assert files.idf_tensor is not None


def test_a_token_without_weight_has_the_smallest_that_a_server_takes(tmp_path: Path):
    table = json.loads(members(write_tokenizer_archive(files_of(write_doc_only(tmp_path)), tmp_path))["idf.json"])
    assert table["red"] == 2.5
    assert 0 < table["the"] == table["rare"] < 1e-30


def test_a_name_that_is_no_file_name_is_changed(tmp_path: Path):
    archive = write_tokenizer_archive(files_of(SMALL_MODEL, name="../my model"), tmp_path)
    assert archive.path == tmp_path / "my-model-tokenizer.zip"


def test_an_interrupted_archive_leaves_nothing(tmp_path: Path):
    def blocks() -> Iterator[bytes]:
        yield b"half"
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        archive_module._write_zip(tmp_path / "model.zip", {"model.onnx": blocks()})
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_takes_longer_texts_than_a_server_is_written_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        archive = write_tokenizer_archive(files_of(SMALL_MODEL, max_length=8192), tmp_path)
    assert "A server cuts texts at 512 tokens" in caplog.text
    assert "takes 8192" in caplog.text
    assert archive.max_length == 512


# Refusals


def test_the_tokenizer_of_a_bi_encoder_is_refused(tmp_path: Path):
    with pytest.raises(ModelFilesError, match=r"no query weights: it is a bi-encoder model\. .* encodes queries too"):
        write_tokenizer_archive(files_of(write_bi_encoder(tmp_path)), tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompts": {"document": "passage: "}}, "a prompt before texts"),
        ({"max_active_dims": 10}, r"max_active_dims=10.* prune_type='top_k' and prune_ratio=10"),
    ],
)
def test_settings_that_a_server_cannot_follow_are_refused(settings: dict[str, Any], message: str, tmp_path: Path):
    folder = copy_of_small_model(tmp_path / "model")
    edit(folder / "config_sentence_transformers.json", **settings)
    with pytest.raises(ModelFilesError, match=message):
        write_document_archive(files_of(folder), tmp_path / "archives")
    assert not (tmp_path / "archives").exists()


def test_a_prompt_before_queries_is_refused_where_queries_are_encoded(tmp_path: Path):
    folder = copy_of_small_model(tmp_path / "model")
    edit(folder / "config_sentence_transformers.json", prompts={"query": "query: "})
    with pytest.raises(ModelFilesError, match="a prompt before queries"):
        write_tokenizer_archive(files_of(folder), tmp_path)
    write_document_archive(files_of(folder), tmp_path)


def test_a_tokenizer_whose_tokens_a_server_spells_differently_is_refused(tmp_path: Path):
    folder = copy_of_small_model(tmp_path / "model")
    path = folder / DOCUMENT / "tokenizer.json"
    content = json.loads(path.read_text())
    model = {**content["model"], "vocab": {**content["model"]["vocab"], "▁red": 30522}}
    edit(path, decoder={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}, model=model)
    with pytest.raises(ModelFilesError, match=r"spells \d+ of the 30518 tokens .* such as '.*' for '▁.*'"):
        write_document_archive(files_of(folder), tmp_path)


def test_an_architecture_that_onnx_does_not_know_is_refused_with_the_way_out(tmp_path: Path):
    folder = copy_of_small_model(tmp_path / "model")
    edit(folder / DOCUMENT / "config.json", model_type="electra")
    with pytest.raises(ModelFilesError, match=r"cannot be written as ONNX: .*'electra'.* Use format='torch_script'"):
        write_document_archive(files_of(folder), tmp_path, format="onnx")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["roberta", "xlm-roberta"])
def test_a_model_with_a_tokenizer_of_its_architecture_is_refused(architecture: str, tmp_path: Path):
    files = files_of(write_sparse_encoder(tmp_path / "model", architecture))
    with pytest.raises(ModelFilesError, match=r"spells \d+ of the \d+ tokens .* other than WordPiece"):
        write_document_archive(files, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("format", list(ArchiveFormat))
def test_modernbert_is_refused_since_it_ends_a_server(format: ArchiveFormat, tmp_path: Path):  # noqa: A002
    files = files_of(write_sparse_encoder(tmp_path / "model", "modernbert", tokenizer="bert"))
    with pytest.raises(ModelFilesError, match=r"is a ModernBERT.* an encoder service"):
        write_document_archive(files, tmp_path, format=format)


def test_sum_pooling_is_not_written_as_onnx(tmp_path: Path):
    with pytest.raises(ModelFilesError, match=r"as ONNX: it pools by sum\..* Use format='torch_script'"):
        write_document_archive(files_of(SMALL_MODEL, pooling="sum"), tmp_path, format="onnx")


@pytest.mark.parametrize("family", [family for family in Family if family is not Family.SPLADE])
def test_a_model_of_one_weight_a_token_is_refused(family: Family, tmp_path: Path):
    files = files_of(SMALL_MODEL, family=family)
    for write_archive in (write_document_archive, write_tokenizer_archive):
        with pytest.raises(ModelFilesError, match=rf"is a {family} model; .* an encoder service"):
            write_archive(files, tmp_path)


def test_an_unknown_format_is_refused_with_those_there_are(tmp_path: Path):
    with pytest.raises(ValueError, match="'auto', 'onnx', 'torch_script', got 'pickle'"):
        write_document_archive(files_of(SMALL_MODEL), tmp_path, format="pickle")  # type: ignore[arg-type]


# In a server


def largest_difference(found: Sequence[dict[str, float]], expected: Sequence[SparseVector]) -> float:
    """Return the largest difference of weights; a token of one side alone counts with its weight."""
    pairs = zip(found, expected, strict=True)
    return max(abs(one.get(token, 0.0) - other.get(token, 0.0)) for one, other in pairs for token in {*one, *other})


def test_a_server_encodes_documents_as_the_encoder_here(model_client: Any, write: Callable[..., ModelArchive]):
    archive = write("onnx")
    expected = load_document_encoder(SMALL_MODEL, engine="onnx").encode_documents(TEXTS)
    with deployed_archive(model_client, archive) as deployed:
        found = vectors(model_client, archive, deployed, TEXTS)
        blank = vectors(model_client, archive, deployed, BLANK)
    assert largest_difference(found, expected) < TOLERANCE
    assert [bool(vector) for vector in blank] == [True, True], "a server has vectors for blank texts, too"


def test_a_server_encodes_queries_as_the_encoder_here(model_client: Any, write: Callable[..., ModelArchive]):
    archive = write("tokenizer")
    texts = [*BLANK, *TEXTS]
    expected = load_query_encoder(SMALL_MODEL).encode_queries(texts)
    with deployed_archive(model_client, archive) as deployed:
        found = vectors(model_client, archive, deployed, texts)
    assert largest_difference(found, expected) < TOLERANCE
    assert found[0] == {}


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [
        ("onnx", "DistilBERT"),
        ("onnx", "tanh BERT"),
        ("onnx", "GTE"),
        ("onnx", "RoBERTa"),
        ("torch_script", "DistilBERT"),
        ("torch_script", "GTE"),
    ],
)
def test_every_architecture_runs_in_a_server(
    kind: str, architecture: str, model: Model, model_client: Any, tmp_path: Path
):
    files = model(architecture)
    expected = load_document_encoder(files, engine="onnx").encode_documents(TEXTS)
    archive = write_document_archive(files, tmp_path, format=kind)
    with deployed_archive(model_client, archive) as deployed:
        found = vectors(model_client, archive, deployed, TEXTS)
    assert largest_difference(found, expected) < TOLERANCE


def test_a_server_cuts_texts_where_the_model_does(model_client: Any, tmp_path: Path):
    files = files_of(SMALL_MODEL, max_length=40)
    document, tokenizer = write_document_archive(files, tmp_path), write_tokenizer_archive(files, tmp_path)
    expected = load_document_encoder(files).encode_documents([LONG])
    with deployed_archive(model_client, document) as deployed:
        assert largest_difference(vectors(model_client, document, deployed, [LONG]), expected) < TOLERANCE
    expected = load_query_encoder(files).encode_queries([LONG])
    with deployed_archive(model_client, tokenizer) as deployed:
        assert largest_difference(vectors(model_client, tokenizer, deployed, [LONG]), expected) < TOLERANCE


def test_a_query_with_a_token_without_weight_finds_what_the_others_find(
    model_client: Any, model_index: str, tmp_path: Path
):
    archive = write_tokenizer_archive(files_of(write_doc_only(tmp_path / "model")), tmp_path)
    model_client.indices.create(
        index=model_index, body={"mappings": {"properties": {"vector": {"type": "rank_features"}}}}
    )
    for number, vector in enumerate(({"red": 2.0, "the": 1.0}, {"the": 1.0})):
        model_client.index(index=model_index, id=str(number), body={"vector": vector}, refresh=True)
    with deployed_archive(model_client, archive) as deployed:
        query = {"neural_sparse": {"vector": {"query_text": "the red", "model_id": deployed}}}
        first, *others = model_client.search(index=model_index, body={"query": query})["hits"]["hits"]
    assert (first["_id"], first["_score"]) == ("0", 5.0)
    assert all(hit["_score"] < 1e-30 for hit in others)
