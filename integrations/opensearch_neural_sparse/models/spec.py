"""Model specification: metadata that needs no model file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from opensearch_neural_sparse.errors import Choice


class Mode(Choice):
    """Query encoding mode of a model.

    `DOC_ONLY` models (inference-free) look query tokens up in an idf table; `BI_ENCODER` models run the transformer on
    queries too.
    """

    DOC_ONLY = "doc-only"
    BI_ENCODER = "bi-encoder"


ModeLike = Mode | Literal["doc-only", "bi-encoder"]
"""A `Mode`, or its value as text."""


class Activation(Choice):
    """Activation of the logits, by the values of sentence-transformers' `SpladePooling.activation_function`.

    `RELU` is log(1 + relu(x)), the models up to v2; `LOG1P_RELU` is log(1 + log(1 + relu(x))), the models of v3.
    """

    RELU = "relu"
    LOG1P_RELU = "log1p_relu"


ActivationLike = Activation | Literal["relu", "log1p_relu"]
"""An `Activation`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class Relevance:
    """Published relevance of a model, as its authors state it.

    Attributes:
        beir: NDCG@10 per BEIR collection.
        beir_average: Their published mean, or None.
        flops: Published average FLOPS of the ranking, or None.
        miracl: NDCG@10 per language code of MIRACL.
        miracl_average: Their published mean, or None.
        in_domain: Collections whose training split the model has seen, so that its number there is not zero-shot.
    """

    beir: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    beir_average: float | None = None
    flops: float | None = None
    miracl: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    miracl_average: float | None = None
    in_domain: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Callable[[Mapping[str, Any]], Relevance], tuple[Mapping[str, Any]]]:
        """Pickle read-only tables as dictionaries, because a mapping proxy cannot be copied or pickled."""
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in vars(self).items()}
        return _thaw, (plain,)


def _thaw(numbers: Mapping[str, Any]) -> Relevance:
    """Restore a pickled value with read-only tables."""
    frozen: dict[str, Any] = {
        name: MappingProxyType(value) if isinstance(value, dict) else value for name, value in numbers.items()
    }
    return Relevance(**frozen)


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Name and metadata of a neural sparse model.

    Attributes:
        id: Hub id such as `opensearch-project/opensearch-neural-sparse-encoding-doc-v3-distill`, or the name under
            which a folder was registered.
        name: Short name such as `doc-v3-distill`.
        mode: Doc-only or bi-encoder.
        activation: Activation of the logits.
        revision: Pinned commit of the hub repository; None where none is pinned, or for a folder.
        path: Folder of a model that was registered from disk, else None.
        tokenizer: Name of the query tokenizer: `bert-uncased`, `mbert-uncased`, or the model's own.
        vocabulary_size: Number of tokens.
        max_length: Longest document in tokens, special tokens included.
        parameters: Number of parameters, tied weights counted once.
        backbone: Architecture of the document side.
        languages: ISO 639-1 codes of the languages it was trained for; a model read from a folder is English where its
            vocabulary is that of BERT's uncased English models, else it has none, which says that they are not known.
        licence: SPDX identifier.
        gated: Whether the hub wants its terms accepted before it gives the files.
        server_name: Name of the same model in ml-commons, or None.
        server_version: Its version there, or None.
        relevance: Published relevance.
    """

    id: str
    name: str
    mode: ModeLike
    activation: ActivationLike
    revision: str | None = None
    path: Path | None = None
    tokenizer: str = "bert-uncased"
    vocabulary_size: int
    max_length: int = 512
    parameters: int | None = None
    backbone: str = "BERT"
    languages: tuple[str, ...] = ("en",)
    licence: str = "unknown"
    gated: bool = False
    server_name: str | None = None
    server_version: str | None = None
    relevance: Relevance = field(default_factory=Relevance)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", Mode(self.mode))
        object.__setattr__(self, "activation", Activation(self.activation))

    @property
    def commercial(self) -> bool:
        """Whether the licence allows commercial use, judging by its name."""
        return "-NC" not in self.licence.upper()
