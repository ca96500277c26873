"""Models of a dozen tokens in every layout, written without any machine-learning library."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = ("red", "planet", "mars", "##s", "is", "the", "rare")
TOKENS = SPECIAL + WORDS
IDF = {"red": 2.5, "planet": 4.25, "mars": 5.0, "##s": 0.5, "is": 0.125, "[UNK]": 1.0, "the": 0.0, "elsewhere": 3.0}
"""`the` weighs nothing, `rare` has no entry, `elsewhere` is no token, and [UNK] has a weight as in the real tables."""
BASE = "sentence_transformers.sparse_encoder.modules."
ROUTER = {
    "types": {
        "query_0_SparseStaticEmbedding": BASE + "sparse_static_embedding.SparseStaticEmbedding",
        "document_0_MLMTransformer": BASE + "mlm_transformer.MLMTransformer",
        "document_1_SpladePooling": BASE + "splade_pooling.SpladePooling",
    },
    "structure": {
        "query": ["query_0_SparseStaticEmbedding"],
        "document": ["document_0_MLMTransformer", "document_1_SpladePooling"],
    },
    "parameters": {"default_route": "document", "allow_empty_key": True},
}


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_tokenizer(folder: Path, **extra: Any) -> None:
    added = [
        {"id": index, "content": token, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False, "special": True}
        for index, token in enumerate(SPECIAL)
    ]
    ends = {token: {"id": token, "ids": [TOKENS.index(token)], "tokens": [token]} for token in ("[CLS]", "[SEP]")}
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": ends,
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {token: index for index, token in enumerate(TOKENS)},
        },
    }
    write_json(folder / "tokenizer.json", content | extra)


def write_safetensors(path: Path, tensors: Mapping[str, Sequence[float]]) -> None:
    header, data = {}, b""
    for name, values in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def write_transformer(folder: Path, **config: Any) -> None:
    defaults = {
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "vocab_size": len(TOKENS),
        "max_position_embeddings": 64,
    }
    write_json(folder / "config.json", defaults | config)
    write_json(folder / "tokenizer_config.json", {"model_max_length": 48})
    write_tokenizer(folder)
    write_safetensors(folder / "model.safetensors", {"weights": [0.5] * 10})


def write_doc_only(root: Path, *, hub: bool = False, activation: str = "relu") -> Path:
    """Write a doc-only model: with a folder for the transformer, or with the transformer at the root as on the hub."""
    router = json.loads(json.dumps(ROUTER))
    if hub:
        router["types"][""] = router["types"].pop("document_0_MLMTransformer")
        router["structure"]["document"][0] = ""
    write_json(root / "modules.json", [{"path": "", "type": "sentence_transformers.base.modules.router.Router"}])
    write_json(root / "router_config.json", router)
    write_pooling(root / "document_1_SpladePooling", activation)
    write_tokenizer(root / "query_0_SparseStaticEmbedding")
    table = [IDF.get(token, 0.0) for token in TOKENS]
    write_safetensors(root / "query_0_SparseStaticEmbedding" / "model.safetensors", {"weight": table})
    write_json(root / "idf.json", IDF)
    write_transformer(root if hub else root / "document_0_MLMTransformer")
    return root


def write_bi_encoder(root: Path, *, activation: str = "relu", folder: str = "") -> Path:
    """Write a bi-encoder, its transformer at the root or in a folder."""
    modules = [
        {"path": folder, "type": BASE + "mlm_transformer.MLMTransformer"},
        {"path": "1_SpladePooling", "type": BASE + "splade_pooling.SpladePooling"},
    ]
    write_json(root / "modules.json", modules)
    write_pooling(root / "1_SpladePooling", activation)
    write_transformer(root / folder)
    return root


def write_router(root: Path) -> Path:
    """Write a router with a transformer for queries (sum, one log) and one for documents (max, two logs)."""
    kinds = (("MLMTransformer", "mlm_transformer"), ("SpladePooling", "splade_pooling"))
    structure = {
        side: [f"{side}_{place}_{kind}" for place, (kind, _) in enumerate(kinds)] for side in ("query", "document")
    }
    types = {
        part: f"{BASE}{module}.{kind}"
        for parts in structure.values()
        for part, (kind, module) in zip(parts, kinds, strict=True)
    }
    write_json(root / "modules.json", [{"path": "", "type": "sentence_transformers.base.modules.router.Router"}])
    write_json(root / "router_config.json", {"types": types, "structure": structure, "parameters": {}})
    write_pooling(root / "query_1_SpladePooling", "relu", "sum")
    write_pooling(root / "document_1_SpladePooling", "log1p_relu")
    for side, weight in (("query", 0.25), ("document", 0.5)):
        write_transformer(root / f"{side}_0_MLMTransformer")
        write_safetensors(root / f"{side}_0_MLMTransformer" / "model.safetensors", {"weights": [weight] * 10})
    return root


def write_pooling(folder: Path, activation: str, strategy: str = "max") -> None:
    write_json(folder / "config.json", {"pooling_strategy": strategy, "activation_function": activation})
