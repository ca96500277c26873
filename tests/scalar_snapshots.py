"""Small models of one weight for each token, in the files of their originals, with random transformers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import cache
from math import log
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.paths import ROOT
from tests.snapshots import vocabulary_files

ScalarFamily = Literal["bge-m3", "unicoil", "deepimpact"]
HIDDEN = 32
PIECES = 800


@pytest.fixture(scope="session")
def scalar_snapshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Build a snapshot, or return the one built before of the same arguments; to be read only."""
    pytest.importorskip("transformers", reason="snapshots are written by transformers")

    @cache
    def build(family: ScalarFamily, **options: Any) -> Path:
        return build_scalar_snapshot(tmp_path_factory.mktemp(f"scalar-{family}") / f"{family}-toy", family, **options)

    return build


def build_scalar_snapshot(
    folder: Path, family: ScalarFamily, *, pickled: bool = False, prefix: str = "coil_encoder.", seed: int = 0
) -> Path:
    """Write a model; `pickled` writes its weights, and `prefix` names those of uniCOIL, as older snapshots do."""
    import torch

    folder.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if family == "bge-m3":
            _write_bge_m3(folder, pickled=pickled)
        else:
            _write_bert(folder, family, prefix=prefix if family == "unicoil" else "", pickled=pickled)
    return folder


def _write_bge_m3(folder: Path, *, pickled: bool) -> None:
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    size = _write_unigram(folder)
    config = XLMRobertaConfig(
        vocab_size=size,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=514,
        type_vocab_size=1,
        initializer_range=0.2,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        architectures=["XLMRobertaModel"],
    )
    body = XLMRobertaModel(config, add_pooling_layer=False).eval()
    config.save_pretrained(folder)
    _save(folder, dict(body.state_dict()), pickled=pickled)
    weight, bias = _head(body)
    torch.save({"weight": weight, "bias": bias}, folder / "sparse_linear.pt")
    # The published repository has modules.json too, for its dense vectors.
    modules = ("Transformer", "Pooling", "Normalize")
    listed = [
        {"idx": place, "path": "", "type": f"sentence_transformers.models.{name}"} for place, name in enumerate(modules)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))


def _write_bert(folder: Path, family: ScalarFamily, *, prefix: str, pickled: bool) -> None:
    from transformers import BertConfig, BertModel

    tokenizer, _ = vocabulary_files("bert")
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    config = BertConfig(
        vocab_size=30522,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.2,
        architectures=["BertModel"],
    )
    body = BertModel(config, add_pooling_layer=False).eval()
    config.save_pretrained(folder)
    head = "tok_proj" if family == "unicoil" else "impact_score_encoder.0"
    tensors = {f"{prefix}bert.{name}": tensor for name, tensor in body.state_dict().items()}
    tensors[f"{prefix}{head}.weight"], tensors[f"{prefix}{head}.bias"] = _head(body)
    _save(folder, tensors, pickled=pickled)


def _head(body: Any) -> tuple[Any, Any]:
    """Return a random head that gives most tokens a positive number, and some a negative one."""
    import torch

    weight = torch.randn(1, HIDDEN) * 0.5
    with torch.no_grad():
        numbers = body(input_ids=torch.arange(5, 405)[None]).last_hidden_state[0] @ weight.T
    return weight, -numbers.quantile(0.3)[None]


def _save(folder: Path, tensors: dict[str, Any], *, pickled: bool) -> None:
    import torch
    from safetensors.torch import save_file

    if pickled:
        torch.save(tensors, folder / "pytorch_model.bin")
    else:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "model.safetensors")


def _write_unigram(folder: Path) -> int:
    """Write an XLM-R tokenizer of some hundred pieces, by their number in this project's licence."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = _pieces((ROOT / "LICENSE").read_text(encoding="utf-8"))  # a text that does not change
    total = sum(pieces.values())
    vocabulary = [(token, 0.0) for token in special] + [(token, log(count / total)) for token, count in pieces.items()]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.add_special_tokens([*special, "<mask>"])
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    size: int = tokenizer.get_vocab_size()
    return size


def _pieces(text: str) -> dict[str, int]:
    """Return characters, beginnings and ends of words, and words, the most frequent of them."""
    words = Counter(f"\u2581{word}" for word in text.split())
    counts: Counter[str] = Counter()
    for word, number in words.items():
        for part in {*word, word, word[:4], word[-3:]}:
            counts[part] += number
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:PIECES])
