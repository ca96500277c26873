"""Small masked language models of each architecture that the ONNX engine knows, with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.backbones import save_backbone
from tests.paths import ROOT

SIZE = 900
HIDDEN = 32


def write_sparse_encoder(
    folder: Path,
    architecture: str,
    *,
    pooling: str = "max",
    activation: str = "relu",
    tokenizer: str | None = None,
    seed: int = 0,
    **options: Any,
) -> Path:
    """Save a bi-encoder of an architecture in a folder, with a tokenizer of its kind.

    Args:
        folder: Where it is written.
        architecture: Its model_type.
        pooling: Pooling strategy of SpladePooling.
        activation: Activation function of SpladePooling.
        tokenizer: Architecture of another kind of tokenizer.
        seed: Seed of the weights.
        options: Other options of its config.
    """
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    backbone = folder.parent / f"{folder.name}-backbone"
    made = TOKENIZERS[tokenizer or architecture]()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save_backbone(backbone, made, masked_language_model(architecture, **options))
    modules = [MLMTransformer(str(backbone)), SpladePooling(pooling, activation_function=activation)]
    model = SparseEncoder(modules=modules, device="cpu", similarity_fn_name="dot")
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


def masked_language_model(architecture: str, **options: Any) -> Any:
    """Return a model of random weights, biases and normalisations; some tenth of the vocabulary gets a weight."""
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM

    shape = {
        "vocab_size": SIZE,
        "hidden_size": HIDDEN,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 2 * HIDDEN,
        "max_position_embeddings": 514,
        "initializer_range": 0.2,
    }
    special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
    if architecture == "modernbert":
        special = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "cls_token_id": 0, "sep_token_id": 2}
        special |= {"local_attention": 12, "max_position_embeddings": 1200}
    elif architecture == "bert":
        special = {"max_position_embeddings": 512}
    elif architecture == "distilbert":
        shape = {"vocab_size": SIZE, "dim": HIDDEN, "n_layers": 3, "n_heads": 2, "hidden_dim": 64}
        special = {"initializer_range": 0.2}
    config = AutoConfig.for_model(architecture, **{**shape, **special, **options})
    model = AutoModelForMaskedLM.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.normal_(0, 0.3)
            elif "norm" in name.lower():
                weight.normal_(1, 0.2)
        decoder = model.get_output_embeddings()
        if decoder.bias is not None:
            decoder.bias.normal_(-1.5, 0.5)
    return model


def _byte_level(longest: int = 512) -> Any:
    """Train a tokenizer of RoBERTa's kind: byte-level BPE, cased."""
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(_texts(), vocab_size=SIZE, special_tokens=SPECIAL, show_progress=False)
    tokenizer = trained._tokenizer
    tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0))
    return _fast(tokenizer, longest)


def _sentence_piece() -> Any:
    """Train a tokenizer of XLM-R's kind: Unigram over text in which `▁` begins words."""
    from tokenizers import SentencePieceUnigramTokenizer
    from tokenizers.processors import TemplateProcessing

    trained = SentencePieceUnigramTokenizer()
    trained.train_from_iterator(
        _texts(), vocab_size=SIZE, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer = trained._tokenizer
    tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return _fast(tokenizer)


def _word_piece() -> Any:
    from tokenizers import BertWordPieceTokenizer
    from tokenizers.processors import BertProcessing
    from transformers import PreTrainedTokenizerFast

    trained = BertWordPieceTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trained.train_from_iterator(_texts(), vocab_size=SIZE, special_tokens=names, show_progress=False)
    tokenizer = trained._tokenizer
    tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    roles = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), names, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **roles)


def _fast(tokenizer: Any, longest: int = 512) -> Any:
    from transformers import PreTrainedTokenizerFast

    roles = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
    named = {**dict(zip(roles, SPECIAL, strict=True)), "cls_token": "<s>", "sep_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=longest, **named)


def _texts() -> Iterator[str]:
    for page in sorted((ROOT / "docs").glob("*.md")):
        yield from page.read_text().splitlines()


SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
TOKENIZERS: dict[str, Callable[[], Any]] = {
    "bert": _word_piece,
    "distilbert": _word_piece,
    "roberta": _byte_level,
    "xlm-roberta": _sentence_piece,
    "camembert": _sentence_piece,
    "modernbert": lambda: _byte_level(1200),
}


def edit_config(folder: Path, *, without: tuple[str, ...] = (), **changes: Any) -> None:
    """Change fields of a config.json, and leave some out."""
    path = folder / "config.json"
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in content.items() if name not in without}))
