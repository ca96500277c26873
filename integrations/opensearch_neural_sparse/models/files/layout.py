"""Layout of a model folder.

Three layouts are known, all of them sentence-transformers' own:

- a `Router` whose query route is a `SparseStaticEmbedding` (doc-only); its document transformer lies in a folder of
  its own, or, on the hub, at the root;
- an `MLMTransformer` and a `SpladePooling` one after the other (bi-encoder);
- a bare masked language model without `modules.json`, which is read as a bi-encoder, as sentence-transformers does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.spec import Activation, Mode

TRANSFORMERS = ("MLMTransformer", "Transformer")
POOLING = "SpladePooling"
STATIC = "SparseStaticEmbedding"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Folders of a model's parts, relative to its root.

    Attributes:
        mode: Doc-only or bi-encoder.
        activation: Activation of the logits.
        query: Folder of the query tokenizer, and of the idf table of a doc-only model.
        document: Folder of the document transformer.
    """

    mode: Mode
    activation: Activation
    query: str
    document: str


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ModelFilesError: The file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelFilesError(f"{path} is missing. A SparseEncoder saved by sentence-transformers has it.") from None
    except ValueError as error:
        raise ModelFilesError(f"{path} is not JSON: {error}. Download or save the model again.") from None


def read_layout(root: Path, *, mode: Mode | None = None, activation: Activation | None = None) -> Layout:
    """Read the layout of the model in `root`.

    Args:
        root: The model's folder.
        mode: What the model is known to be; `modules.json` may not say otherwise.
        activation: What the model does to its logits, for a folder without `modules.json`; else the files say it.

    Raises:
        ModelFilesError: A file is missing, is not JSON, or contradicts another.
    """
    modules = root / "modules.json"
    if not modules.is_file():
        return _bare_layout(root, mode or Mode.BI_ENCODER, activation or Activation.RELU)
    layout = _modules_layout(root, read_json(modules))
    if mode is not None and mode != layout.mode:
        raise ModelFilesError(f"{modules} describes a {layout.mode} model, but a {mode} model is expected.")
    return layout


def find_file(*candidates: Path) -> Path:
    """Return the first of the candidates that exists.

    Raises:
        ModelFilesError: None does; the message names the first.
    """
    for path in candidates:
        if path.is_file():
            return path
    raise ModelFilesError(f"{candidates[0]} is missing.")


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the weight files of a transformer: safetensors before PyTorch's own format, shards in order.

    Raises:
        ModelFilesError: There is none, or a shard is missing.
    """
    for whole in ("model.safetensors", "pytorch_model.bin"):
        if (folder / whole).is_file():
            return (folder / whole,)
        index = folder / f"{whole}.index.json"
        if index.is_file():
            shards = tuple(folder / name for name in sorted(set(read_json(index)["weight_map"].values())))
            if missing := [shard.name for shard in shards if not shard.is_file()]:
                raise ModelFilesError(f"{index} names {', '.join(missing)}, which {folder} lacks. Download it again.")
            return shards
    raise ModelFilesError(f"{folder} has neither model.safetensors nor pytorch_model.bin.")


def _modules_layout(root: Path, modules: list[dict[str, Any]]) -> Layout:
    kinds = [_kind(module.get("type", "")) for module in modules]
    if kinds and kinds[0] in ("Router", "Asym"):
        return _router_layout(root, root / modules[0]["path"] / "router_config.json")
    if len(kinds) >= 2 and kinds[0] in TRANSFORMERS and kinds[1:] == [POOLING]:
        folder = modules[0]["path"]
        activation = _pooling_activation(root / modules[1]["path"])
        return Layout(mode=Mode.BI_ENCODER, activation=activation, query=folder, document=folder)
    raise ModelFilesError(
        f"{root / 'modules.json'} lists {kinds}. Known are a Router with a {STATIC} for queries, "
        f"and a transformer followed by {POOLING}."
    )


def _router_layout(root: Path, config: Path) -> Layout:
    router = read_json(config)
    structure, types = router.get("structure", {}), router.get("types", {})
    query, document = structure.get("query", []), structure.get("document", [])
    kinds = [_kind(types.get(part, "")) for part in (*query, *document)]
    if (
        len(query) != 1
        or kinds[:1] != [STATIC]
        or len(kinds) != 3
        or kinds[1] not in TRANSFORMERS
        or kinds[2] != POOLING
    ):
        raise ModelFilesError(
            f"{config} routes queries and documents through {kinds}. Known is one {STATIC} for queries, "
            f"and a transformer followed by {POOLING} for documents."
        )
    base = config.parent
    return Layout(
        mode=Mode.DOC_ONLY,
        activation=_pooling_activation(base / document[1]),
        query=(base / query[0]).relative_to(root).as_posix(),
        document=(base / document[0]).relative_to(root).as_posix(),
    )


def _bare_layout(root: Path, mode: Mode, activation: Activation) -> Layout:
    config = root / "config.json"
    architectures = read_json(config).get("architectures") or []
    if not any(name.endswith("ForMaskedLM") for name in architectures):
        raise ModelFilesError(
            f"{root} has no modules.json, and {config} names {architectures}: no masked language model. "
            "Save the model with SparseEncoder.save_pretrained."
        )
    return Layout(mode=mode, activation=activation, query=".", document=".")


def _kind(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _pooling_activation(folder: Path) -> Activation:
    path = folder / "config.json"
    config = read_json(path)
    strategy, activation = config.get("pooling_strategy", "max"), config.get("activation_function", "relu")
    if strategy != "max":
        raise ModelFilesError(f"{path} pools with {strategy!r}; only 'max' is known.")
    if activation not in list(Activation):
        raise ModelFilesError(f"{path} names the activation {activation!r}; known are {', '.join(Activation)}.")
    return Activation(activation)
