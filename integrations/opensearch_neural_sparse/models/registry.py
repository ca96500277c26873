"""Models by name."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from opensearch_neural_sparse.errors import UnknownModelError
from opensearch_neural_sparse.models.catalog import OPENSEARCH
from opensearch_neural_sparse.models.spec import ModelSpec

_registered: dict[str, ModelSpec] = {}


def get_model(model: str | Path | ModelSpec) -> ModelSpec:
    """Return what is known of a model.

    Args:
        model: Short name such as `doc-v3-distill`, hub id, the name of a registered model, the folder of a
            `SparseEncoder` (its facts are read from its files), or a spec, which is returned as it is.

    Raises:
        UnknownModelError: No such model; the error lists close matches.
        ModelFilesError: A folder whose files are missing, damaged or contradictory.
    """
    if isinstance(model, ModelSpec):
        return model
    known = _by_name()
    if isinstance(model, str) and model in known:
        return known[model]
    if Path(model).expanduser().is_dir():
        return _read_folder(Path(model))
    wanted = {name.lower(): name for name in known}
    close = get_close_matches(str(model).lower(), wanted, n=3, cutoff=0.6)
    raise UnknownModelError(str(model), tuple(wanted[name] for name in close))


def list_models() -> tuple[ModelSpec, ...]:
    """Return the known models: those of the catalogue, then those that were registered."""
    return (*OPENSEARCH, *_registered.values())


def register_model(source: str | Path, *, name: str | None = None) -> ModelSpec:
    """Make a model of one's own known by name, for as long as the process lives.

    Everything else is read from its files.

    Args:
        source: Folder of a `SparseEncoder`.
        name: What it is called; by default the folder's name.

    Raises:
        UnknownModelError: No such folder.
        ModelFilesError: Its files are missing, damaged or contradictory.
        ValueError: The name is taken by a model of the catalogue.
    """
    from opensearch_neural_sparse.models.files import resolve_files

    spec = get_model(Path(source))
    resolve_files(spec).query_sha256  # noqa: B018  reads the query side, so that a damaged one is refused here
    name = name or spec.name
    if any(name in (known.name, known.id) for known in OPENSEARCH):
        raise ValueError(f"The catalogue has a model {name!r}; register this one under another name.")
    _registered[name] = replace(spec, id=name, name=name)
    return _registered[name]


def _by_name() -> dict[str, ModelSpec]:
    return {name: spec for spec in list_models() for name in (spec.name, spec.id)}


def _read_folder(folder: Path) -> ModelSpec:
    from opensearch_neural_sparse.models.folder import read_spec

    root = folder.expanduser().resolve()
    return read_spec(root, id=root.name, path=root)
