"""Plain values -> the core's reranking, and back, as YAML holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from haystack.utils import Secret

from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import plain, token_value
from opensearch_neural_sparse import CrossEncoderReranker, RemoteReranker, Rerank

RerankLike = Rerank | dict[str, Any]
"""A `Rerank`, or its options by name, with a reranker as below."""
RERANKER = "reranker"
_SECRETS = ("api_key", "token")
_CROSS_ENCODER = ("model", "backend", "device", "batch_size", "max_length", "revision", "onnx_file", "threads")
_HUB = ("token", "cache_dir", "local_files_only")
_REMOTE = ("url", "api_key", "batch_size", "timeout", "max_retries", "truncate", "raw_scores")
_KINDS: Mapping[str, tuple[type, tuple[str, ...]]] = {
    "model": (CrossEncoderReranker, (*_CROSS_ENCODER, *_HUB)),
    "url": (RemoteReranker, _REMOTE),
}
"""The option that a kind of reranker cannot do without -> the kind, and all of its options."""
_REMEDY = "Give it as {'model': ...} or {'url': ...}, or leave rerank out of what is saved and give it to each run."


def rerank_of(value: RerankLike | None, *, secrets: bool = True) -> Rerank | None:
    """Return a reranking by its options.

    Args:
        value: A `Rerank`, or a mapping such as `{"reranker": {"model": "..."}, "depth": 50}`.
        secrets: Whether secrets are resolved; else they are left out, to check the other options.

    Raises:
        TypeError: It is neither, or has an unknown option.
        ValueError: An option out of range, or no reranker.
    """
    if value is None or isinstance(value, Rerank):
        return value
    given = _checked(value)
    if RERANKER not in given:
        raise ValueError("rerank has no reranker: {'reranker': {'model': ...}} or {'reranker': {'url': ...}}.")
    return Rerank(_reranker_of(given.pop(RERANKER), secrets=secrets), **given)


def rerank_of_run(value: RerankLike | None, own: Callable[[], Rerank | None]) -> Rerank | None:
    """Return the reranking of a run; options without a reranker change those of the retriever.

    Args:
        value: What was given to the run.
        own: Returns the reranking of the retriever.

    Raises:
        TypeError: It is neither a `Rerank` nor a mapping, or has an unknown option.
        ValueError: Options without a reranker, for a retriever that has none.
    """
    if value is None:
        return own()
    if isinstance(value, Rerank) or RERANKER in (given := _checked(value)) or (mine := own()) is None:
        return rerank_of(value)
    return replace(mine, **given)


def saved_rerank(value: RerankLike) -> dict[str, Any]:
    """Return a reranking as plain values.

    Raises:
        ValueError: A reranker that has no plain values, such as a function, or a plain key.
    """
    if not isinstance(value, Rerank):
        options = {name: plain(part) for name, part in value.items()}
        reranker = options.get(RERANKER)
        if isinstance(reranker, Mapping):
            return options | {RERANKER: {name: _saved(name, part) for name, part in reranker.items()}}
        return options | {RERANKER: _saved_reranker(reranker)}
    defaults = {field.name: field.default for field in fields(Rerank)}
    options = {name: plain(getattr(value, name)) for name in defaults if name != RERANKER}
    changed = {name: part for name, part in options.items() if part != plain(defaults[name])}
    return {RERANKER: _saved_reranker(value.reranker), **changed}


def _checked(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"rerank is a Rerank, or a mapping of its options, got {type(value).__name__}.")
    known = [field.name for field in fields(Rerank)]
    if unknown := sorted(set(value) - set(known)):
        raise TypeError(f"rerank has no {', '.join(map(repr, unknown))}; it has {', '.join(known)}.")
    return dict(value)


def _reranker_of(value: Any, *, secrets: bool) -> Any:
    if not isinstance(value, Mapping):
        return value
    kinds = [kind for kind in _KINDS if kind in value]
    if len(kinds) != 1:
        raise ValueError("reranker has either 'model', for a cross-encoder, or 'url', for a service.")
    make, known = _KINDS[kinds[0]]
    if unknown := sorted(set(value) - set(known)):
        raise TypeError(f"reranker has no {', '.join(map(repr, unknown))}; it has {', '.join(known)}.")
    return make(**{name: _secret(part, secrets) if name in _SECRETS else part for name, part in value.items()})


def _secret(value: Any, resolve: bool) -> str | None:
    secret = Secret.from_dict(dict(value)) if isinstance(value, Mapping) else value
    if secret is not None and not isinstance(secret, Secret):
        kind = type(value).__name__
        raise TypeError(f"api_key and token are secrets, such as Secret.from_env_var('KEY'), got {kind}.")
    return token_value(secret) if resolve else None


def _saved_reranker(reranker: Any) -> dict[str, Any]:
    kind = next((kind for kind, (made, _) in _KINDS.items() if type(reranker) is made), None)
    if kind is None:
        name = getattr(reranker, "__qualname__", type(reranker).__qualname__)
        raise ValueError(f"The reranker {name} is not saved, as it has no plain values. {_REMEDY}")
    if kept := [name for name in _SECRETS if getattr(reranker, name, None) is not None]:
        raise ValueError(
            f"The {kept[0]} of a reranker is not saved as plain text. Give the reranker by its options, with a "
            f"secret: {{{kind!r}: ..., {kept[0]!r}: Secret.from_env_var('...')}}."
        )
    make, known = _KINDS[kind]
    usual = vars(make(getattr(reranker, kind)))
    values = {name: plain(getattr(reranker, name)) for name in known}
    return {name: part for name, part in values.items() if name == kind or part != plain(usual[name])}


def _saved(name: str, value: Any) -> Any:
    return value.to_dict() if name in _SECRETS and isinstance(value, Secret) else plain(value)
