"""GTE models with remote code, run by transformers' native `gte` architecture.

Such a model, doc-v3-gte among them, has `model_type` `new` and an `auto_map` to code elsewhere, which transformers 5
runs wrongly. From 5.18 on transformers has the same architecture itself and renames the weights as it loads them; only
the config has to be put in its words.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.encode.engines.onnx_engine.gte import is_plain, rotary_theta
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.models.files.json_file import JsonObject, read_object

if TYPE_CHECKING:
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

KEPT = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "max_position_embeddings",
    "type_vocab_size",
    "layer_norm_eps",
    "pad_token_id",
    "initializer_range",
)


@contextmanager
def native_model_folder(files: ModelFiles, *, trust_remote_code: bool = False) -> Iterator[Path]:
    """Return a model folder that sentence-transformers loads without remote code.

    It is the model's own folder, or, for a GTE model, a temporary one of links with a rewritten config.json.

    Args:
        files: The model's files, with the document side.
        trust_remote_code: Whether code that lies in the model's folder may be run.

    Raises:
        ModelFilesError: The model needs code that may not be run, or that has no pinned revision.
        MissingDependencyError: transformers is older than 5.18.
    """
    folder = files.weights[0].parent
    config = read_object(folder / "config.json")
    if config.text("model_type", "") != "new" or not is_plain(config):
        _check_remote_code(files, config, trust_remote_code)
        yield files.root
        return
    _check_transformers()
    with TemporaryDirectory(prefix="neural-sparse-") as temporary:
        root = Path(temporary)
        _link_tree(files.root, root)
        target = root / folder.relative_to(files.root) / "config.json"
        target.unlink()
        target.write_text(json.dumps(native_config(config)), encoding="utf-8")
        yield root


def native_config(config: JsonObject) -> dict[str, Any]:
    """Convert a config of model_type `new` to one of transformers' `gte`.

    The original scales rotary frequencies by the NTK rule: base x factor, and each frequency / factor^(2 / width).
    The second part is what transformers calls linear scaling.
    """
    base, divisor = rotary_theta(config)
    rotary = {"rope_type": "default"} if divisor == 1 else {"rope_type": "linear", "factor": divisor}
    kept = {name: config.content[name] for name in KEPT if config.content.get(name) is not None}
    architecture = {"model_type": "gte", "architectures": ["GteForMaskedLM"], "tie_word_embeddings": True}
    return {**kept, **architecture, "rope_parameters": {**rotary, "rope_theta": base}}


def _check_remote_code(files: ModelFiles, config: JsonObject, trust_remote_code: bool) -> None:
    code = config.inner("auto_map").content
    if not code or not trust_remote_code:
        return
    if elsewhere := sorted({str(name).partition("--")[0] for name in code.values() if "--" in str(name)}):
        raise ModelFilesError(
            f"{files.spec.id!r} runs code of {', '.join(elsewhere)}, in whatever state that is today. Copy the code "
            "into a folder with the model's files, shorten auto_map in its config.json to match, and give that folder."
        )


def _check_transformers() -> None:
    if find_spec("transformers.models.gte") is None:
        raise MissingDependencyError(
            "transformers.models.gte",
            "encode",
            "A GTE model with the torch engine (engine='onnx' needs none)",
            package="transformers>=5.18",
        )


def _link_tree(source: Path, target: Path) -> None:
    for path in source.rglob("*"):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            copy.symlink_to(path.resolve())
        except OSError:  # where links need a privilege
            shutil.copyfile(path, copy)
