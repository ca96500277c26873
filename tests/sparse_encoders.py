"""Small SparseEncoders of every kind of body and tokenizer, saved by the libraries themselves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from tests.backbones import save_backbone

Splitting = Literal["byte-bpe", "unigram", "wordpiece"]

SENTENCES = (
    "Currently New York is rainy.",
    "What's the weather in ny now? It rains, and the sea is cold!",
    "Mars is the red planet; Venus is not. Ça va, déjà vu, naïve café — 日本語.",
    "A heart attack happens when blood cannot reach the muscle.",
    "Paris has been the capital of France for centuries.",
    "Lava flows from a volcano when it erupts, and ash falls on the villages.",
)
"""Texts that the tokenizers are trained on, and that the tests encode."""
BERT_SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
ROBERTA_SPECIAL = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
BODIES: dict[str, Splitting] = {
    "albert": "unigram",
    "camembert": "unigram",
    "deberta-v2": "unigram",
    "electra": "wordpiece",
    "modernbert": "byte-bpe",
    "mpnet": "wordpiece",
    "roberta": "byte-bpe",
    "xlm-roberta": "unigram",
}
"""Model type of transformers -> how its texts are split into tokens."""
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
}


def train_tokenizer(splitting: Splitting, special: dict[str, str]) -> Any:
    """Return a fast tokenizer of transformers, trained on the sentences."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokens = list(special.values())
    if splitting == "byte-bpe":
        tokenizer = Tokenizer(models.BPE(unk_token=None))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=tokens, initial_alphabet=alphabet)
    elif splitting == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=150, special_tokens=tokens, unk_token=special["unk"])
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token=special["unk"]))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=tokens)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    ends = [(special[name], tokenizer.token_to_id(special[name])) for name in ("cls", "sep")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special['cls']} $A {special['sep']}", special_tokens=ends
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, **{f"{name}_token": token for name, token in special.items()}
    )


def special_tokens(body: str) -> dict[str, str]:
    """Return the special tokens of a kind of body."""
    return ROBERTA_SPECIAL if body in ("camembert", "mpnet", "roberta", "xlm-roberta") else BERT_SPECIAL


def masked_model(body: str, tokenizer: Any, *, seed: int = 0, **options: Any) -> Any:
    """Return a random masked language model, with weights and biases that give some hundred active dimensions."""
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM

    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("pad", "cls", "sep")}
    names = {"bos_token_id": ids["cls_token_id"], "eos_token_id": ids["sep_token_id"]}
    settings = SIZES | {"vocab_size": len(tokenizer), "embedding_size": 16} | ids | names | options
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForMaskedLM.from_config(AutoConfig.for_model(body, **settings))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.dim() > 1:
                    parameter.normal_(0.0, 0.2)
                elif name.endswith("bias"):
                    parameter.normal_(0.0, 0.1)
    return model.eval()


def transformer_module(folder: Path, body: str, tokenizer: Any, **options: Any) -> Any:
    """Return a random transformer as a module of sentence-transformers; its files are written below `folder`."""
    from sentence_transformers.sparse_encoder.modules import MLMTransformer

    backbone = folder / "backbone"
    save_backbone(backbone, tokenizer, masked_model(body, tokenizer, **options))
    module = MLMTransformer(str(backbone))
    shutil.rmtree(backbone)
    return module


def save_encoder(folder: Path, modules: list[Any], **options: Any) -> Path:
    """Save a SparseEncoder of modules."""
    from sentence_transformers import SparseEncoder

    model = SparseEncoder(modules=modules, device="cpu", similarity_fn_name="dot", **options)
    model.save_pretrained(str(folder), create_model_card=False)
    if "max_active_dims" in options:  # older versions of sentence-transformers do not save it
        config = folder / "config_sentence_transformers.json"
        content = {**json.loads(config.read_text()), "max_active_dims": options["max_active_dims"]}
        config.write_text(json.dumps(content))
    return folder


def save_bi_encoder(
    folder: Path,
    body: str = "roberta",
    *,
    pooling: str = "max",
    activation: str = "relu",
    tokenizer: Any = None,
    **options: Any,
) -> Path:
    """Save a SparseEncoder of one transformer and its pooling."""
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    tokenizer = tokenizer or train_tokenizer(BODIES[body], special_tokens(body))
    pool: Callable[..., Any] = SpladePooling
    return save_encoder(
        folder, [transformer_module(folder, body, tokenizer), pool(pooling, activation_function=activation)], **options
    )


def save_router(
    folder: Path, *, prompts: dict[str, str] | None = None, body: str = "bert", query_seed: int = 1, **options: Any
) -> Path:
    """Save a SparseEncoder with a transformer for queries (sum, one log) and one for documents (max, two logs)."""
    from sentence_transformers.base.modules import Router
    from sentence_transformers.sparse_encoder.modules import SpladePooling

    tokenizer = train_tokenizer(BODIES.get(body, "wordpiece"), special_tokens(body))
    query = [transformer_module(folder, body, tokenizer, seed=query_seed, num_hidden_layers=1), SpladePooling("sum")]
    document = [
        transformer_module(folder, body, tokenizer, seed=2),
        SpladePooling("max", activation_function="log1p_relu"),
    ]
    query[0].max_seq_length = 32
    router = Router.for_query_document(query_modules=query, document_modules=document)
    return save_encoder(folder, [router], prompts=prompts or {}, **options)
