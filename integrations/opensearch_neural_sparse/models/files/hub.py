"""Access to the Hugging Face hub and its cache."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from opensearch_neural_sparse.arguments import check_flag, check_path, check_text
from opensearch_neural_sparse.errors import ModelFilesError

T = TypeVar("T")
Kind = Literal["model", "dataset"]
COMMIT = re.compile(r"[0-9a-f]{40}")
_PATIENCE = 10.0
"""Timeout of the reachability check, in seconds."""


@dataclass(frozen=True, kw_only=True)
class HubOptions:
    """Options of access to the hub.

    Attributes:
        token: For gated and private models; None is that of `hf auth login` or `HF_TOKEN`.
        cache_dir: The cache; None is that of `HF_HUB_CACHE` or `HF_HOME`.
        local_files_only: Whether to send the hub no request; `HF_HUB_OFFLINE=1` does the same.
    """

    token: str | None = field(default=None, repr=False)
    cache_dir: str | Path | None = None
    local_files_only: bool = False

    def __post_init__(self) -> None:
        check_text(optional=True, token=self.token)
        check_path(optional=True, cache_dir=self.cache_dir)
        check_flag(local_files_only=self.local_files_only)

    @property
    def offline(self) -> bool:
        """Whether only the cache is used, without requests to the hub."""
        return self.local_files_only or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def read_snapshot(
    repo: str,
    revision: str,
    stages: Sequence[Sequence[str]],
    read: Callable[[Path], T],
    options: HubOptions,
    *,
    kind: Kind = "model",
) -> T:
    """Read a repository from the cache, or download its files and read them.

    A commit that is in the cache is used without asking the hub; a branch or tag is looked up there, unless offline.

    Args:
        repo: Hub id.
        revision: Commit, tag or branch.
        stages: Patterns of the files to download; a later stage adds what is tried when files are still missing.
        read: Reads the snapshot's folder; it raises `ModelFilesError` when files are missing.
        options: How the hub is reached.
        kind: What the repository holds.

    Raises:
        ModelFilesError: The files are out of reach, incomplete or damaged.
    """
    cached = _cached_snapshot(repo, revision, options.cache_dir, kind)
    if cached and (options.offline or COMMIT.fullmatch(revision)):
        try:
            return read(cached)
        except ModelFilesError as error:
            if options.offline:
                raise ModelFilesError(f"{error} {_remedy(repo, revision, kind)}") from None
    if options.offline:
        raise ModelFilesError(f"{repo!r} at revision {revision} is not in the cache. {_remedy(repo, revision, kind)}")
    with _hub_errors(repo, revision, kind):
        ensure_reachable(repo, revision, kind, options.token)
    problem: ModelFilesError | None = None
    patterns: list[str] = []
    for stage in stages:
        patterns += stage
        root = _download(repo, revision, patterns, options, kind)
        try:
            return read(root)
        except ModelFilesError as error:
            problem = error
    raise ModelFilesError(f"{problem} That is how the repository {repo!r} is at revision {revision}.")


def _cached_snapshot(repo: str, revision: str, cache_dir: str | Path | None, kind: Kind) -> Path | None:
    # The hub client's own look-up costs half a second of imports; the cache's layout is documented and stable.
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(cache_dir or HF_HUB_CACHE).expanduser() / f"{kind}s--{repo.replace('/', '--')}"
    reference = folder / "refs" / revision
    commit = reference.read_text().strip() if reference.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def ensure_reachable(repo: str, revision: str, kind: Kind, token: str | None) -> None:
    """Check with one request that the hub is reachable; a download retries six times without a network.

    Args:
        repo: Hub id.
        revision: Commit, tag or branch.
        kind: What the repository holds.
        token: For gated and private models.
    """
    from huggingface_hub import HfApi

    HfApi().repo_info(repo, revision=revision, repo_type=kind, token=token, timeout=_PATIENCE)


def _download(repo: str, revision: str, patterns: Sequence[str], options: HubOptions, kind: Kind) -> Path:
    from huggingface_hub import snapshot_download

    with _hub_errors(repo, revision, kind):
        folder = snapshot_download(
            repo,
            repo_type=kind,
            revision=revision,
            token=options.token,
            cache_dir=options.cache_dir,
            allow_patterns=list(patterns),
        )
    return Path(folder)


@contextmanager
def _hub_errors(repo: str, revision: str, kind: Kind) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError

    # requests' or httpx's own base error, by the version of the hub client
    transport_error: type[Exception] = HfHubHTTPError.__bases__[0]
    try:
        yield
    except (OSError, ValueError, transport_error) as error:
        reason = " ".join(str(error).split("\n", 1)[:1])
        raise ModelFilesError(
            f"{repo!r} at revision {revision} could not be downloaded from the hub ({type(error).__name__}: {reason}). "
            f"{_remedy(repo, revision, kind)}"
        ) from None


def _remedy(repo: str, revision: str, kind: Kind) -> str:
    repo_type = "" if kind == "model" else f" --repo-type {kind}"
    return (
        f"Where there is a network, run: hf download {repo}{repo_type} --revision {revision}; then bring the cache "
        f"here (cache_dir=... or HF_HUB_CACHE names it), or give a folder with the {kind}'s files in place of its "
        f"name. A gated {kind} needs token=... or HF_TOKEN."
    )
