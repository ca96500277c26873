"""Entries of a config.json that an older transformers leaves unread."""

from __future__ import annotations

from importlib.metadata import version

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.json_file import JsonObject

FIRST_READER = 5
"""Major version of transformers that reads the entries below."""


def check_transformers_reads(config: JsonObject, installed: str | None = None) -> None:
    """Check that transformers reads the kinds of layers and the rotary frequencies of a model.

    Transformers before 5 uses its defaults in their place, with no warning, and the vectors are others.

    Args:
        config: The model's config.json.
        installed: Version of transformers; None is the installed one.

    Raises:
        ModelFilesError: The file has entries that the version leaves unread.
    """
    found = installed or version("transformers")
    unread = _newer_entries(config)
    if unread and int(found.partition(".")[0]) < FIRST_READER:
        raise ModelFilesError(
            f"{config.path} has {' and '.join(unread)}, which transformers {found} does not read: it would compute "
            f"other vectors. Upgrade it: pip install --upgrade 'transformers>={FIRST_READER}'. A model that the ONNX "
            "engine knows runs without transformers, by engine='onnx'."
        )


def _newer_entries(config: JsonObject) -> list[str]:
    names = ["rope_parameters"]
    if config.text("model_type", "") == "modernbert":
        names.append("layer_types")
    return [name for name in names if config.content.get(name)]
