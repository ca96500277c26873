"""Models that installed packages bring."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from opensearch_neural_sparse.errors import ModelFilesError

GROUP = "opensearch_neural_sparse.models"
"""Group of entry points: a model's name -> the import package that has its files in the folder `model`."""
PACKAGES: Mapping[str, str] = MappingProxyType({"small-en": "opensearch-neural-sparse-small-en"})
"""Models of this project's own packages: name -> the package to install."""
FOLDER = "model"


@lru_cache(maxsize=1)
def installed_models() -> dict[str, EntryPoint]:
    """Return the models of installed packages, by name; nothing of the packages is imported."""
    return {point.name: point for point in entry_points(group=GROUP)}


def installed_folder(point: EntryPoint) -> Path:
    """Return the folder of an installed model.

    Args:
        point: The entry point that names its package.

    Raises:
        ModelFilesError: The package has no such folder.
    """
    spec = None if "." in point.value else find_spec(point.value)
    for place in (spec and spec.submodule_search_locations) or ():
        if (folder := Path(place, FOLDER)).is_dir():
            return folder
    package = point.value if point.dist is None else point.dist.name
    raise ModelFilesError(
        f"The package {package} names a model {point.name!r}, but has no folder {FOLDER!r} with its files. Install it "
        f"again: pip install --force-reinstall {package}."
    )
