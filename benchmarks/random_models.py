"""Models with the shapes and tokenizers of published ones and random weights: speed and agreement carry over."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report import note

ROOT = Path(__file__).resolve().parents[1]
DATA, MODELS = ROOT.parent / "shared" / "data", ROOT.parent / "shared" / "models"
SMALL_MODEL = ROOT / "examples" / "models" / "small-en"
BERT_TOKENIZER = SMALL_MODEL / "document_0_MLMTransformer" / "tokenizer.json"
ACTIVE_TOKENS = 220
"""Active tokens of a passage; published models have 100 to 300."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of a published model."""

    architecture: str
    layers: int
    hidden: int
    heads: int
    inner: int
    activation: str
    tokenizer: Path
    collections: tuple[str, ...]


SHAPES = {
    "doc-v3-distill": Shape(
        architecture="distilbert",
        layers=6,
        hidden=768,
        heads=12,
        inner=3072,
        activation="log1p_relu",
        tokenizer=BERT_TOKENIZER,
        collections=("en",),
    ),
    "multilingual-v1": Shape(
        architecture="bert",
        layers=12,
        hidden=768,
        heads=12,
        inner=3072,
        activation="relu",
        tokenizer=MODELS / "mbert-uncased" / "tokenizer.json",
        collections=("de", "en", "es", "ru", "zh"),
    ),
}


def passages(name: str, count: int) -> list[str]:
    """Return passages of about 170 tokens: paragraphs of XQuAD where it is at hand, else made-up ones."""
    files = [DATA / "xquad" / language / "corpus.jsonl" for language in SHAPES[name].collections]
    if not all(file.is_file() for file in files):
        note("XQuAD is not at hand; the passages are made of words at random")
        return _made_up(count)
    columns = [[json.loads(line)["text"] for line in file.open(encoding="utf-8")] for file in files]
    texts = [text for row in zip(*columns, strict=True) for text in row]
    if count > len(texts):
        raise SystemExit(f"There are {len(texts)} passages; {count} were asked for.")
    return texts[:count]


def model_folder(name: str) -> Path:
    """Return the folder of a model of that shape; it is made once and kept with the temporary files."""
    folder = Path(tempfile.gettempdir()) / "opensearch-neural-sparse-benchmarks" / name
    if not (folder / "modules.json").is_file():
        note(f"making a random model of the shape of {name} in {folder}")
        _build(SHAPES[name], folder, passages(name, 8))
    return folder


def _build(shape: Shape, folder: Path, texts: list[str]) -> None:
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling
    from transformers import PreTrainedTokenizerFast

    if not shape.tokenizer.is_file():
        raise SystemExit(f"The tokenizer is not at {shape.tokenizer}.")
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "cls", "sep", "pad", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(shape.tokenizer), model_max_length=512, **names)
    torch.manual_seed(0)
    model, bias = _masked_model(shape, len(tokenizer))
    with torch.inference_mode():
        inputs = tokenizer(texts, truncation=True, max_length=512, padding=True, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        logits = model(**inputs).logits.masked_fill(inputs["attention_mask"][..., None] == 0, -torch.inf)
        largest = logits.amax(dim=1).flatten().sort(descending=True).values
    with torch.no_grad():
        bias.fill_(-float(largest[ACTIVE_TOKENS * len(texts)]))
    with tempfile.TemporaryDirectory() as backbone:
        tokenizer.save_pretrained(backbone)
        model.save_pretrained(backbone)
        modules = [MLMTransformer(backbone), SpladePooling("max", activation_function=shape.activation)]
        SparseEncoder(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)


def _masked_model(shape: Shape, vocabulary: int) -> tuple[Any, Any]:
    from transformers import BertConfig, BertForMaskedLM, DistilBertConfig, DistilBertForMaskedLM

    if shape.architecture == "distilbert":
        config = DistilBertConfig(
            vocab_size=vocabulary, dim=shape.hidden, n_layers=shape.layers, n_heads=shape.heads, hidden_dim=shape.inner
        )
        distilbert = DistilBertForMaskedLM(config).eval()
        return distilbert, distilbert.vocab_projector.bias
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
    )
    bert = BertForMaskedLM(config).eval()
    return bert, bert.cls.predictions.decoder.bias


def _made_up(count: int) -> list[str]:
    chance = random.Random(0)
    words = [token for token in json.loads(BERT_TOKENIZER.read_text())["model"]["vocab"] if token.isalpha()][1000:9000]
    lengths = [min(480, max(20, round(chance.lognormvariate(5.0, 0.5)))) for _ in range(count)]
    return [" ".join(chance.choices(words, k=length)) for length in lengths]
