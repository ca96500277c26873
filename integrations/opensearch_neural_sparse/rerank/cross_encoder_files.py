"""Files of a cross-encoder: a folder, or a download from the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.hub import HubOptions, read_snapshot
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.layout import find_file, refuse_links, weight_files
from opensearch_neural_sparse.models.files.metadata import check_activations

DEFAULT_GRAPH = "onnx/model.onnx"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_SETTINGS = ("*.json", "*.txt", "*.model", "*.jinja", "[0-9]_*/*.json")
_WEIGHTS = ("model*.safetensors",)
_HEAD = "ForSequenceClassification"


@dataclass(frozen=True, kw_only=True)
class CrossEncoderFiles:
    """Files of a cross-encoder.

    Attributes:
        name: What it was named by.
        root: Its folder.
        graph: Its ONNX graph; None where torch runs its weights.
    """

    name: str
    root: Path
    graph: Path | None = None


def resolve_cross_encoder(
    model: str | Path, *, graph: str | None, revision: str | None, hub: HubOptions
) -> CrossEncoderFiles:
    """Resolve the files of a cross-encoder.

    Args:
        model: Its folder, or its hub id.
        graph: Path of its ONNX graph in the folder; None where its weights are wanted.
        revision: Commit, tag or branch on the hub; None is `main`.
        hub: How the hub is reached.

    Raises:
        ModelFilesError: They are out of reach, incomplete, or not those of a cross-encoder with one label.
    """
    folder, name = Path(model).expanduser(), str(model)
    if folder.is_dir():
        refuse_links(folder)
        return _located(name, graph, folder)
    if not _HUB_ID.fullmatch(name):
        raise ModelFilesError(f"{name!r} is neither a folder nor a hub id, such as 'organisation/model'.")
    patterns = (*_SETTINGS, *(_WEIGHTS if graph is None else (f"{graph}*",)))
    return read_snapshot(name, revision or "main", (patterns,), partial(_located, name, graph), hub)


def _located(name: str, graph: str | None, root: Path) -> CrossEncoderFiles:
    config = read_object(root / "config.json")
    check_activations(config)
    heads = config.content.get("architectures") or []
    labels = config.content.get("id2label", {0: ""})
    if not any(str(head).endswith(_HEAD) for head in heads) and not (root / "modules.json").is_file():
        found = ", ".join(map(str, heads)) or "no architecture"
        raise ModelFilesError(f"{name!r} is no cross-encoder: its config.json has {found}, in place of a ...{_HEAD}.")
    if len(labels) != 1:
        raise ModelFilesError(f"{name!r} has {len(labels)} labels; a reranker has one, the score.")
    find_file(root / "tokenizer.json")
    if graph is None:
        weight_files(root)
        return CrossEncoderFiles(name=name, root=root)
    return CrossEncoderFiles(name=name, root=root, graph=find_file(root / graph, root / Path(graph).name))
