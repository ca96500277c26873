"""The originals' arithmetic, written out in plain PyTorch, one text at a time."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel


class Original:
    """A snapshot's transformer, head and tokenizer."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tensors = _tensors(folder)
        self.body = AutoModel.from_config(AutoConfig.from_pretrained(folder)).eval()
        own = {name.removeprefix("coil_encoder.").removeprefix("bert."): each for name, each in tensors.items()}
        names = self.body.state_dict().keys()
        self.body.load_state_dict({name: own[name] for name in names if name in own}, strict=False)
        if (folder / "sparse_linear.pt").exists():
            own |= torch.load(folder / "sparse_linear.pt", weights_only=True)
        head = next(name for name in ("tok_proj.", "impact_score_encoder.0.", "") if f"{name}weight" in own)
        self.weight, self.bias = own[f"{head}weight"], own[f"{head}bias"]

    def hidden(self, ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return self.body(input_ids=torch.tensor([ids])).last_hidden_state[0]

    def weights(self, ids: list[int]) -> list[float]:
        return torch.relu(self.hidden(ids) @ self.weight.T + self.bias).squeeze(-1).tolist()


def bge_m3(original: Original, text: str) -> dict[str, float]:
    ids = original.tokenizer.encode(text).ids
    found: dict[str, float] = {}
    for index, weight in zip(ids, original.weights(ids), strict=True):
        token = original.tokenizer.id_to_token(index)
        if token not in ("<s>", "</s>", "<pad>", "<unk>") and weight > 0:
            found[token] = max(weight, found.get(token, 0.0))
    return found


def bge_m3_dense(original: Original, text: str) -> list[float]:
    first = original.hidden(original.tokenizer.encode(text).ids)[0]
    return (first / first.norm()).tolist()


def unicoil_document(original: Original, text: str) -> dict[str, float]:
    ids = original.tokenizer.encode(text).ids
    found: dict[str, float] = {}
    for index, weight in zip(ids, original.weights(ids), strict=True):
        token = original.tokenizer.id_to_token(index)
        if token != "[CLS]" and weight > 0:
            found[token] = max(weight, found.get(token, 0.0))
    return found


def unicoil_query(original: Original, text: str) -> dict[str, int]:
    """Return the weights in the original's steps."""
    ids = original.tokenizer.encode(text).ids
    sums: dict[str, float] = {}
    for index, weight in zip(ids, original.weights(ids), strict=True):
        token = original.tokenizer.id_to_token(index)
        if token != "[CLS]":
            sums[token] = sums.get(token, 0.0) + weight
    return {token: steps for token, weight in sums.items() if (steps := round(weight / 5 * 256))}


def deep_impact(original: Original, text: str) -> dict[str, float]:
    words = _words(original, text)
    encoded = original.tokenizer.encode(words, is_pretokenized=True)
    first: dict[int, int] = {}
    for place, number in enumerate(encoded.word_ids):
        if number is not None:
            first.setdefault(number, place)
    weights = original.weights(encoded.ids)
    found: dict[str, float] = {}
    for number, word in enumerate(words):
        if word not in found and word not in string.punctuation:
            found[word] = weights[first[number]]
    return {word: weight for word, weight in found.items() if weight > 0}


def deep_impact_query(original: Original, text: str) -> set[str]:
    return {word for word in _words(original, text) if word not in string.punctuation}


def _words(original: Original, text: str) -> list[str]:
    normalised = original.tokenizer.normalizer.normalize_str(text)
    return [word for word, _ in original.tokenizer.pre_tokenizer.pre_tokenize_str(normalised)]


def _tensors(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    if (folder / "model.safetensors").exists():
        return load_file(folder / "model.safetensors")
    tensors: dict[str, Any] = torch.load(folder / "pytorch_model.bin", weights_only=True)
    return tensors
