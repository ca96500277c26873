"""Families of models of one weight for each token: how their folders are recognised, and the names of their tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.safetensors import tensor_places
from opensearch_neural_sparse.models.files.scalar.pickled import pickled_names
from opensearch_neural_sparse.models.spec import Family, Mode

HEAD_FILES = ("sparse_linear.safetensors", "sparse_linear.pt")
"""Files of BGE-M3's head, which lies beside the transformer."""
WRAPPER = "coil_encoder."
"""Prefix of uniCOIL's tensors, where it was saved with what wraps it."""
_NEGATIVE = {"minicoil": "miniCOIL", "minicoil-v1": "miniCOIL"}


@dataclass(frozen=True, kw_only=True)
class FamilyTraits:
    """Traits of a family.

    Attributes:
        mode: Doc-only or bi-encoder.
        head: Name of the head's tensors, without `.weight` and `.bias`.
        architectures: What `config.json` calls it.
    """

    mode: Mode
    head: str
    architectures: tuple[str, ...] = ()


TRAITS: Mapping[Family, FamilyTraits] = MappingProxyType(
    {
        Family.BGE_M3: FamilyTraits(mode=Mode.BI_ENCODER, head=""),
        Family.UNICOIL: FamilyTraits(
            mode=Mode.BI_ENCODER, head="tok_proj", architectures=("UniCoilEncoder", "UniCOIL", "UniCoil")
        ),
        Family.DEEP_IMPACT: FamilyTraits(
            mode=Mode.DOC_ONLY, head="impact_score_encoder.0", architectures=("DeepImpact",)
        ),
    }
)
"""Families that weigh the tokens of a text by one linear layer."""


def find_family(root: Path) -> Family:
    """Return the family of the model in a folder; `SPLADE` where it is none of the others.

    Tensor names are read where neither `config.json` nor a file's name tells the family; no weight is.

    Args:
        root: The folder.

    Raises:
        ModelFilesError: A model that cannot be stored, or weights that are damaged.
    """
    if head_file(root) is not None:
        return Family.BGE_M3
    if (root / "modules.json").exists() or not (root / "config.json").exists():
        return Family.SPLADE
    config = read_object(root / "config.json")
    architectures = config.texts("architectures")
    _refuse_negative(root, {config.text("model_type", ""), *architectures})
    if any(name.endswith("ForMaskedLM") for name in architectures):
        return Family.SPLADE
    named = next((family for family, traits in TRAITS.items() if {*architectures} & {*traits.architectures}), None)
    return named or _family_by_names(_tensor_names(root))


def head_file(root: Path) -> Path | None:
    """Return the file of BGE-M3's head; None where there is none."""
    return next((root / name for name in HEAD_FILES if (root / name).is_file()), None)


def plain_name(name: str) -> str:
    """Return the name of a tensor without the prefix of a model that wraps it."""
    return name.removeprefix(WRAPPER)


def _family_by_names(names: Collection[str]) -> Family:
    plain = {plain_name(name) for name in names}
    heads = {family: f"{traits.head}.weight" for family, traits in TRAITS.items() if traits.head}
    return next((family for family, head in heads.items() if head in plain), Family.SPLADE)


def _tensor_names(root: Path) -> Collection[str]:
    if (root / "model.safetensors").is_file():
        return tensor_places(root / "model.safetensors")
    if (root / "pytorch_model.bin").is_file():
        return pickled_names(root / "pytorch_model.bin")
    return ()


def _refuse_negative(root: Path, kinds: Collection[str]) -> None:
    if any(kind.lower() in _NEGATIVE for kind in kinds) or (root / "word_embeddings.npy").exists():
        raise ModelFilesError(
            f"{root} holds a miniCOIL model, which gives each word four numbers, half of them negative. An index of "
            "OpenSearch takes positive weights alone. Use another model: list_models() names them."
        )
