"""Model registry: lookup and registration by name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from opensearch_neural_sparse.arguments import check_count, check_flag, check_path, check_text
from opensearch_neural_sparse.errors import UnknownModelError
from opensearch_neural_sparse.models.catalog.opensearch import OPENSEARCH
from opensearch_neural_sparse.models.catalog.splade import SPLADE
from opensearch_neural_sparse.models.catalog.token_weights import TOKEN_WEIGHTS
from opensearch_neural_sparse.models.installed import PACKAGES, installed_folder, installed_models
from opensearch_neural_sparse.models.spec import Mode, ModeLike, ModelSpec, languages_of

if TYPE_CHECKING:
    from opensearch_neural_sparse.models.files.hub import HubOptions

CATALOGUE = OPENSEARCH + SPLADE + TOKEN_WEIGHTS
"""Models of the built-in catalogue."""
CONFIGURATION = ("*.json", "sparse_linear.*")
_registered: dict[str, ModelSpec] = {}


def get_model(model: str | Path | ModelSpec) -> ModelSpec:
    """Look up a model's specification.

    Args:
        model: Short name such as `doc-v3-distill`, hub id, the name of a registered model or of one that an installed
            package brings, the folder of a `SparseEncoder` (its facts are read from its files), or a spec, which is
            returned as it is.

    Raises:
        UnknownModelError: No such model; the error lists close matches, or names the package to install.
        ModelFilesError: A folder whose files are missing, damaged or contradictory.
    """
    if isinstance(model, ModelSpec):
        return model
    if not isinstance(model, str | Path):
        raise TypeError(f"A model is its name, hub id or folder, or a ModelSpec, got {type(model).__name__}.")
    known = {name: spec for spec in (*CATALOGUE, *_registered.values()) for name in (spec.name, spec.id)}
    if isinstance(model, str) and model in known:
        return known[model]
    if isinstance(model, str) and model in installed_models():
        return _read_installed(model)
    if _is_folder(model):
        return _read_folder(Path(model))
    if _reads_as_folder(model):
        raise UnknownModelError(str(model), folder=Path(model).expanduser().absolute())
    from difflib import get_close_matches

    wanted = {name.lower(): name for name in (*known, *installed_models(), *PACKAGES)}
    close = get_close_matches(str(model).lower(), wanted, n=3, cutoff=0.6)
    raise UnknownModelError(str(model), tuple(wanted[name] for name in close), package=PACKAGES.get(str(model)))


def list_models(
    *,
    languages: str | Collection[str] = (),
    mode: ModeLike | None = None,
    max_params: int | None = None,
    min_context: int | None = None,
    commercial: bool = False,
) -> tuple[ModelSpec, ...]:
    """List the known models: OpenSearch's own, SPLADE, models of one weight for each token, then others.

    The others are those that installed packages bring, such as opensearch-neural-sparse-small-en, and registered ones.

    Args:
        languages: ISO 639-1 codes that a model must all know.
        mode: Doc-only or bi-encoder; None takes either.
        max_params: Largest number of parameters; a model whose number is not known is left out.
        min_context: Length of the longest document in tokens that must fit.
        commercial: Whether the licence must allow commercial use.
    """
    check_count(optional=True, max_params=max_params, min_context=min_context)
    check_flag(commercial=commercial)
    wanted, mode = set(languages_of(languages)), None if mode is None else Mode(mode)
    others = {name: _read_installed(name) for name in installed_models()} | _registered
    return tuple(
        spec
        for spec in (*CATALOGUE, *others.values())
        if wanted <= set(spec.languages)
        and (mode is None or spec.mode is mode)
        and (max_params is None or (spec.parameters is not None and spec.parameters <= max_params))
        and (min_context is None or spec.max_length >= min_context)
        and (spec.commercial or not commercial)
    )


def register_model(
    source: str | Path,
    *,
    name: str | None = None,
    languages: str | Collection[str] | None = None,
    licence: str = "unknown",
    revision: str = "main",
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> ModelSpec:
    """Register a model under a name, for the lifetime of the process.

    Mode, activation, vocabulary and longest text are read from its files. Of a model on the hub only the small files
    are downloaded, and its commit is pinned.

    Args:
        source: Folder of a `SparseEncoder`, or the hub id of one.
        name: What it is called; by default the last part of `source`.
        languages: ISO 639-1 codes of its languages; None is English where its vocabulary is that of BERT's uncased
            English models, else not known. They choose the analyzer of texts (`IndexSchema.text_analyzer`).
        licence: SPDX identifier.
        revision: Commit, tag or branch on the hub.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.

    Raises:
        UnknownModelError: Neither a folder nor a hub id.
        ModelFilesError: Its files are out of reach, missing, damaged or contradictory.
        ValueError: The name is taken by a model of the catalogue.
    """
    from opensearch_neural_sparse.models.files.hub import HubOptions

    check_path(source=source)
    check_text(licence=licence, revision=revision)
    check_text(optional=True, name=name)
    options = HubOptions(token=token, cache_dir=cache_dir, local_files_only=local_files_only)
    spec = _read_source(source, revision, options)
    name = name or spec.name
    if any(name in (known.name, known.id) for known in CATALOGUE):
        raise ValueError(f"The catalogue has a model {name!r}; register this one under another name.")
    if languages is not None:
        spec = replace(spec, languages=languages_of(languages))
    spec = replace(spec, id=name if spec.path else spec.id, name=name, licence=licence)
    _check_files(spec, options)
    _registered[name] = spec
    return spec


def registered_models() -> tuple[ModelSpec, ...]:
    """Return the registered models, without the catalogue."""
    return tuple(_registered.values())


@cache
def _read_installed(name: str) -> ModelSpec:
    from opensearch_neural_sparse.models.files.metadata import read_spec

    point = installed_models()[name]
    folder = installed_folder(point)
    facts = {} if point.dist is None else dict(point.dist.metadata.json)
    return replace(read_spec(folder, id=name, path=folder), licence=str(facts.get("license_expression", "unknown")))


def _read_source(source: str | Path, revision: str, options: HubOptions) -> ModelSpec:
    if _reads_as_folder(source) or _is_folder(source) or str(source).count("/") != 1:
        return get_model(Path(source))
    from opensearch_neural_sparse.models.files.hub import read_snapshot
    from opensearch_neural_sparse.models.files.metadata import read_spec

    repo = str(source)

    def read(root: Path) -> ModelSpec:
        return replace(read_spec(root, id=repo), revision=root.name)

    return read_snapshot(repo, revision, (CONFIGURATION,), read, options)


def _check_files(spec: ModelSpec, options: HubOptions) -> None:
    from opensearch_neural_sparse.models.files.resolve import Side, resolve_files

    if spec.path:
        resolve_files(spec)
    if spec.mode is Mode.DOC_ONLY:
        files = resolve_files(
            spec,
            side=Side.QUERY,
            token=options.token,
            cache_dir=options.cache_dir,
            local_files_only=options.local_files_only,
        )
        _ = files.query_sha256  # reads the query side, so that a damaged one is refused here


def _is_folder(name: str | Path) -> bool:
    """Return whether there is a folder of that name; a name that no folder can have names none."""
    try:
        return Path(name).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, half a surrogate pair, the home of nobody
        return False


def _reads_as_folder(model: str | Path) -> bool:
    """Return whether a model name is a folder path rather than a hub id."""
    name = str(model)
    return isinstance(model, Path) or name.startswith((".", "~", "/")) or "\\" in name or name.count("/") > 1


def _read_folder(folder: Path) -> ModelSpec:
    from opensearch_neural_sparse.models.files.metadata import read_spec

    root = folder.expanduser().resolve()
    return read_spec(root, id=root.name, path=root)
