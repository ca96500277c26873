"""Model specification: metadata that needs no model file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from opensearch_neural_sparse.arguments import check_count, check_text, check_texts
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.models.relevance import Relevance
from opensearch_neural_sparse.short_repr import short_repr


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
    `PLAIN` is relu(x) alone, the models of one weight for each token of the text (`Family`).
    """

    RELU = "relu"
    LOG1P_RELU = "log1p_relu"
    PLAIN = "plain"


ActivationLike = Activation | Literal["relu", "log1p_relu", "plain"]
"""An `Activation`, or its value as text."""


class Family(Choice):
    """Family of a model: how it makes the weights of tokens.

    `SPLADE` models weigh the whole vocabulary by a masked language model's head. The others weigh the tokens of the
    text alone, each by one linear layer: `BGE_M3` and `UNICOIL` by token, `DEEP_IMPACT` by word.
    """

    SPLADE = "splade"
    BGE_M3 = "bge-m3"
    UNICOIL = "unicoil"
    DEEP_IMPACT = "deepimpact"


FamilyLike = Family | Literal["splade", "bge-m3", "unicoil", "deepimpact"]
"""A `Family`, or its value as text."""


class Pooling(Choice):
    """Pooling of a SPLADE model over the tokens of a text: the largest activation, or the sum of all."""

    MAX = "max"
    SUM = "sum"


PoolingLike = Pooling | Literal["max", "sum"]
"""A `Pooling`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Name and metadata of a neural sparse model.

    Attributes:
        id: Hub id such as `opensearch-project/opensearch-neural-sparse-encoding-doc-v3-distill`, or the name under
            which a folder was registered.
        name: Short name such as `doc-v3-distill`.
        mode: Doc-only or bi-encoder.
        activation: Activation of the logits.
        family: How it makes the weights of tokens.
        pooling: Pooling over the tokens of a text, of a SPLADE model.
        revision: Pinned commit of the hub repository; None where none is pinned, or for a folder.
        path: Folder of a model that was registered from disk, else None.
        tokenizer: Name of the query tokenizer: `bert-uncased`, `mbert-uncased`, or the model's own.
        vocabulary_size: Number of tokens.
        max_length: Longest document in tokens, special tokens included.
        max_active_dims: Most tokens of a document's vector that its authors recommend, or None.
        query_max_active_dims: Most tokens of a query's vector that its authors recommend, or None.
        parameters: Number of parameters, tied weights counted once.
        backbone: Architecture of the document side.
        languages: ISO 639-1 codes of the languages it was trained for; a model read from a folder is English where its
            vocabulary is that of BERT's uncased English models, else it has none, which says that they are not known.
        licence: SPDX identifier; `NOASSERTION` where the publisher states none.
        gated: Whether the hub wants its terms accepted before it gives the files.
        server_name: Name of the same model in ml-commons, or None.
        server_version: Its version there, or None.
        recommended_prune: Pruning of documents that the publisher applies or measures, such as `max_ratio:0.1`.
        note: What else there is to know, such as why a published figure differs from one here.
        relevance: Published relevance.
    """

    id: str
    name: str
    mode: ModeLike
    activation: ActivationLike
    family: FamilyLike = Family.SPLADE
    pooling: PoolingLike = Pooling.MAX
    revision: str | None = None
    path: Path | None = None
    tokenizer: str = "bert-uncased"
    vocabulary_size: int
    max_length: int = 512
    max_active_dims: int | None = None
    query_max_active_dims: int | None = None
    parameters: int | None = None
    backbone: str = "BERT"
    languages: tuple[str, ...] = ("en",)
    licence: str = "unknown"
    gated: bool = False
    server_name: str | None = None
    server_version: str | None = None
    recommended_prune: str | None = None
    note: str = ""
    relevance: Relevance = field(default_factory=Relevance, repr=False)

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", Mode(self.mode))
        object.__setattr__(self, "activation", Activation(self.activation))
        object.__setattr__(self, "family", Family(self.family))
        object.__setattr__(self, "pooling", Pooling(self.pooling))
        check_text(id=self.id, name=self.name, licence=self.licence)
        check_texts(languages=self.languages)
        check_count(vocabulary_size=self.vocabulary_size, max_length=self.max_length)

    @property
    def commercial(self) -> bool:
        """Whether the licence allows commercial use, judging by its name; without a stated licence it does not."""
        return self.licence != "NOASSERTION" and "-NC" not in self.licence.upper()


def languages_of(languages: str | Collection[str]) -> tuple[str, ...]:
    """Return languages that were given as one code or as several.

    Args:
        languages: ISO 639-1 codes.

    Raises:
        TypeError: Something else.
    """
    if isinstance(languages, str):
        return (languages,)
    check_texts(languages=languages)
    return tuple(languages)
