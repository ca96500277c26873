"""Small models in the real layouts: real tokenizers and tables, random transformers, saved by the library itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.backbones import save_backbone
from tests.paths import MODELS, SMALL_MODEL

Vocabulary = Literal["bert", "mbert"]
Architecture = Literal["bert", "distilbert"]


def vocabulary_files(vocabulary: Vocabulary) -> tuple[Path, Path]:
    """Return tokenizer.json and idf.json; skip the test where they are not at hand."""
    folder = MODELS / f"{vocabulary}-uncased"
    if folder.is_dir():
        return folder / "tokenizer.json", folder / "idf.json"
    if vocabulary == "bert":
        return SMALL_MODEL / "query_0_SparseStaticEmbedding" / "tokenizer.json", SMALL_MODEL / "idf.json"
    return pytest.skip(f"the {vocabulary} tokenizer and idf table are not in {folder}")


def build_snapshot(
    folder: Path,
    *,
    mode: Literal["doc-only", "bi-encoder"] = "doc-only",
    activation: Literal["relu", "log1p_relu"] = "relu",
    vocabulary: Vocabulary = "bert",
    architecture: Architecture = "bert",
    layers: int = 1,
    hidden: int = 32,
    seed: int = 0,
) -> Path:
    """Save a SparseEncoder with a random transformer in `folder`, which activates some hundred dimensions a text."""
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SparseStaticEmbedding, SpladePooling

    try:
        from sentence_transformers.base.modules import Router
    except ImportError:
        from sentence_transformers.models import Router

    tokenizer_file, idf_file = vocabulary_files(vocabulary)
    backbone = folder.parent / f"{folder.name}-backbone"
    tokenizer = _tokenizer(tokenizer_file)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save_backbone(backbone, tokenizer, _transformer(architecture, len(tokenizer), layers, hidden))
    document = [MLMTransformer(str(backbone)), SpladePooling("max", activation_function=activation)]
    if mode == "doc-only":
        query = SparseStaticEmbedding.from_json(str(idf_file), tokenizer=tokenizer, frozen=True)
        modules = [Router.for_query_document(query_modules=[query], document_modules=document)]
    else:
        modules = document
    model = SparseEncoder(modules=modules, device="cpu", similarity_fn_name="dot")
    model.save_pretrained(str(folder), create_model_card=False)
    shutil.rmtree(backbone)
    return folder


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a snapshot, or return the one built before of the same arguments; to be read only."""
    pytest.importorskip("sentence_transformers", reason="snapshots are written by sentence-transformers")

    @cache
    def build(**options: Any) -> Path:
        return build_snapshot(tmp_path_factory.mktemp("snapshot") / "model", **options)

    return build


def to_hub_layout(source: Path, target: Path, *, idf_file: Path | None = None) -> Path:
    """Copy a doc-only snapshot as the hub repositories lay it out: the document transformer at the root."""
    shutil.copytree(source, target)
    shutil.copytree(target / "document_0_MLMTransformer", target, dirs_exist_ok=True)
    shutil.rmtree(target / "document_0_MLMTransformer")
    router = json.loads((target / "router_config.json").read_text())
    router["structure"]["document"][0] = ""
    router["types"][""] = router["types"].pop("document_0_MLMTransformer")
    (target / "router_config.json").write_text(json.dumps(router))
    if idf_file is not None:
        shutil.copy(idf_file, target / "idf.json")
    return target


def to_hub_cache(source: Path, cache: Path, *, repo: str, revision: str, branch: str | None = "main") -> Path:
    """Lay a snapshot out as the hub's cache does, and return the snapshot's folder there."""
    home = cache / f"models--{repo.replace('/', '--')}"
    snapshot = home / "snapshots" / revision
    shutil.copytree(source, snapshot)
    if branch:
        (home / "refs").mkdir(exist_ok=True)
        (home / "refs" / branch).write_text(revision)
    return snapshot


def _tokenizer(file: Path) -> Any:
    from transformers import BertTokenizerFast

    return BertTokenizerFast.from_pretrained(
        str(file.parent), tokenizer_file=str(file), model_max_length=512, local_files_only=True
    )


def _transformer(architecture: Architecture, vocabulary_size: int, layers: int, hidden: int) -> Any:
    import torch
    from transformers import BertConfig, BertForMaskedLM, DistilBertConfig, DistilBertForMaskedLM

    if architecture == "bert":
        config = BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=2 * hidden,
            initializer_range=0.2,
        )
        model = BertForMaskedLM(config)
        bias = model.cls.predictions.decoder.bias
    else:
        config = DistilBertConfig(
            vocab_size=vocabulary_size,
            dim=hidden,
            n_layers=layers,
            n_heads=2,
            hidden_dim=2 * hidden,
            initializer_range=0.2,
        )
        model = DistilBertForMaskedLM(config)
        bias = model.vocab_projector.bias
    with torch.no_grad():
        bias.normal_(-3.5, 0.5)
    return model.eval()
