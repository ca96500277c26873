"""SparseEncoders of every kind of body and tokenizer, as the torch engine runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    get_model,
    load_document_encoder,
    load_query_encoder,
    register_model,
    resolve_files,
)
from opensearch_neural_sparse.encode.engines.torch_engine.network import TorchNetwork
from opensearch_neural_sparse.store.encoders import Encoders
from tests.encode.agreement import assert_agree, reference_model, reference_vectors
from tests.sparse_encoders import BODIES, SENTENCES, save_bi_encoder, save_router, special_tokens, train_tokenizer

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

pytestmark = pytest.mark.slow

TEXTS = [*SENTENCES, "", "x <pad> y <s> [PAD] [SEP] </s> z <mask> \n\n \t tab", "word " * 200, "日本語 ☃ 🦀"]
PROMPTS = {"query": "Paris ", "document": "Mars "}
Build = Callable[..., Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Save a model, or return the one saved before of the same arguments."""

    @cache
    def save(kind: str, **options: Any) -> Path:
        folder = tmp_path_factory.mktemp("model") / "model"
        if kind == "router":
            return save_router(folder, prompts=PROMPTS, **options)
        return save_bi_encoder(folder, kind, **options)

    yield save
    reference_model.cache_clear()


def plain_weights(folder: Path, text: str, *, pooling: str, logs: int, longest: int = 64) -> dict[str, float]:
    """Return the weights of one text, by the logits of transformers alone."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder).eval()
    with torch.inference_mode():
        inputs = tokenizer(text, truncation=True, max_length=longest, return_tensors="pt")
        values = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits[0].relu()
        for _ in range(logs):
            values = torch.log1p(values)
        pooled = values.max(dim=0).values if pooling == "max" else values.double().sum(dim=0)
    kept = [index for index in pooled.nonzero()[:, 0].tolist() if index not in tokenizer.all_special_ids]
    return dict(zip(tokenizer.convert_ids_to_tokens(kept), pooled[kept].tolist(), strict=True))


@pytest.mark.parametrize("body", BODIES)
def test_every_kind_of_body_agrees_with_sentence_transformers_and_is_split(body: str, build: Build) -> None:
    folder = build(body)
    encoder = load_document_encoder(folder, engine="torch")
    assert isinstance(encoder.network, TorchNetwork)
    assert encoder.network.head is not None
    vectors = encoder.encode_documents(TEXTS)
    assert_agree(vectors, reference_vectors(folder, TEXTS))
    assert_agree(load_query_encoder(folder, engine="torch").encode_queries(TEXTS), reference_vectors(folder, TEXTS))
    assert not set(special_tokens(body).values()) & {token for vector in vectors for token in vector}


@pytest.mark.parametrize(("body", "activation"), [("roberta", "relu"), ("xlm-roberta", "log1p_relu")])
def test_sum_pooling_is_the_sum_of_activations_over_the_tokens_of_a_text(
    body: str, activation: str, build: Build
) -> None:
    folder = build(body, pooling="sum", activation=activation)
    encoder = load_document_encoder(folder, engine="torch")
    assert isinstance(encoder.network, TorchNetwork)
    assert encoder.network.head is not None
    texts = [text for text in TEXTS if text]
    logs = 2 if activation == "log1p_relu" else 1
    assert_agree(
        encoder.encode_documents(texts), [plain_weights(folder, text, pooling="sum", logs=logs) for text in texts]
    )


def test_sum_of_a_model_that_cannot_be_split_is_that_of_sentence_transformers(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opensearch_neural_sparse.encode.engines.torch_engine.mlm_head import PooledHead

    folder = build("roberta", pooling="sum", activation="relu")
    monkeypatch.setattr(PooledHead, "split", lambda model: None)
    vectors = load_document_encoder(folder, engine="torch").encode_documents(TEXTS)
    assert_agree(vectors, reference_vectors(folder, TEXTS))


def test_sum_pooling_counts_in_the_fingerprint(build: Build) -> None:
    sums, largest = build("roberta", pooling="sum", activation="relu"), build("roberta")
    assert resolve_files(get_model(sums)).weights_sha256 != resolve_files(get_model(largest)).weights_sha256


def expected_queries(folder: Path, texts: Sequence[str], prompt: str = PROMPTS["query"]) -> list[dict[str, float]]:
    route = folder / "query_0_MLMTransformer"
    return [plain_weights(route, prompt + text, pooling="sum", logs=1, longest=32) for text in texts]


def test_router_encodes_each_side_by_its_own_transformer_prompt_and_settings(build: Build) -> None:
    folder = build("router")
    texts = [text for text in TEXTS if text]
    document = folder / "document_0_MLMTransformer"
    expected = [plain_weights(document, PROMPTS["document"] + text, pooling="max", logs=2) for text in texts]
    assert_agree(load_document_encoder(folder, engine="torch").encode_documents(texts), expected)
    queries = load_query_encoder(folder, engine="torch")
    assert_agree(queries.encode_queries(texts), expected_queries(folder, texts))
    model = reference_model(folder)
    special = set(special_tokens("bert").values())
    rows = model.decode(model.encode_query(texts, batch_size=4))
    theirs = [{token: weight for token, weight in row if token not in special} for row in rows]
    assert_agree(queries.encode_queries(texts), theirs)


def test_a_store_encodes_queries_by_the_query_route_whatever_encodes_documents(build: Build) -> None:
    folder = register_model(build("router"), name="two-routes").path
    assert folder is not None
    texts = list(SENTENCES)
    with load_document_encoder(folder, engine="torch") as documents:
        for encoders in (Encoders(folder, options={"engine": "torch"}), Encoders(document_encoder=documents)):
            assert_agree(list(encoders.encode_queries(texts)), expected_queries(folder, texts))
            encoders.close()
        assert documents.encode_documents(texts[:1])


def test_a_store_puts_the_prompt_of_queries_before_them_with_one_network(build: Build, tmp_path: Path) -> None:
    folder = save_bi_encoder(tmp_path / "model", "mpnet", prompts=PROMPTS, max_active_dims=9)
    encoders = Encoders(folder, options={"engine": "torch", "max_active_dims": 12})
    theirs = [plain_weights(folder, PROMPTS["query"] + text, pooling="max", logs=1) for text in SENTENCES]
    heaviest = [dict(sorted(row.items(), key=lambda entry: -entry[1])[:9]) for row in theirs]
    assert_agree(list(encoders.encode_queries(SENTENCES)), heaviest)
    assert {len(vector) for vector in encoders.encode_documents(SENTENCES)} == {12}
    encoders.close()


def test_positions_that_roberta_does_not_have_are_refused(build: Build) -> None:
    folder = build("camembert")
    assert get_model(folder).max_length == 64
    with pytest.raises(ValueError, match=r"max_length is 65; .* takes texts of 3 to 64 tokens"):
        load_document_encoder(folder, engine="torch", max_length=65)


def test_two_models_for_queries_and_documents_are_registered_as_one_router(tmp_path: Path) -> None:
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules import Router

    tokenizer = train_tokenizer("wordpiece", special_tokens("electra"))
    for name, activation in (("query", "relu"), ("document", "log1p_relu")):
        save_bi_encoder(tmp_path / name, "electra", activation=activation, tokenizer=tokenizer)
    query, document = (SparseEncoder(str(tmp_path / name)) for name in ("query", "document"))
    router = Router.for_query_document(query_modules=[*query], document_modules=[*document])
    SparseEncoder(modules=[router]).save_pretrained(str(tmp_path / "pair"))
    register_model(tmp_path / "pair")
    assert_agree(
        load_query_encoder(tmp_path / "pair", engine="torch").encode_queries(SENTENCES),
        load_query_encoder(tmp_path / "query", engine="torch").encode_queries(SENTENCES),
    )
    assert_agree(
        load_document_encoder(tmp_path / "pair", engine="torch").encode_documents(SENTENCES),
        load_document_encoder(tmp_path / "document", engine="torch").encode_documents(SENTENCES),
    )
