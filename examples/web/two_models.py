"""The second model of the page: the bundled one, with its network for questions as well as for passages."""

import json
from pathlib import Path
from shutil import copytree

from examples.demo.indexing import MODEL_FOLDER
from opensearch_neural_sparse import IndexSchema, ModelSpec, register_model

FIELD = "sparse_network"
"""The field of its vectors in the demo's index."""
SCHEMA = IndexSchema(sparse_field=FIELD, model_field=f"{FIELD}_model")
"""The demo's index by that field alone."""
_MODULES = {
    "document_0_MLMTransformer": "sentence_transformers.sparse_encoder.modules.mlm_transformer.MLMTransformer",
    "document_1_SpladePooling": "sentence_transformers.sparse_encoder.modules.splade_pooling.SpladePooling",
}
"""Folder of a module of the document side -> its class."""


def network_model(folder: Path) -> ModelSpec:
    """Make and register the model of the bundled one's document side, which encodes documents and queries alike.

    It needs no training and no download, and gives each passage the vector that the bundled model gives it.

    Args:
        folder: Where its files are put.
    """
    for name in _MODULES:
        copytree(MODEL_FOLDER / name, folder / name, dirs_exist_ok=True)
    settings = "config_sentence_transformers.json"
    (folder / settings).write_bytes((MODEL_FOLDER / settings).read_bytes())
    rows = enumerate(_MODULES.items())
    modules = [{"idx": place, "name": str(place), "path": path, "type": kind} for place, (path, kind) in rows]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    return register_model(folder, name="small-en-network")
