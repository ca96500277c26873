"""The roles of docs/security-role.yml, and what they are without an action."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.paths import ROOT

yaml = pytest.importorskip("yaml")
Role = dict[str, Any]
"""A role as the security plugin takes it."""
ROLES: dict[str, Role] = yaml.safe_load((ROOT / "docs" / "security-role.yml").read_text())
READER, WRITER, OWNER = "neural_sparse_reader", "neural_sparse_writer", "neural_sparse_owner"


def actions_of(role: Role) -> list[str]:
    """Return every action that a role allows."""
    return [action for actions in _lists(role) for action in actions]


def without(role: Role, action: str) -> Role:
    """Return a role that lacks an action."""
    less = copy.deepcopy(role)
    for actions in _lists(less):
        if action in actions:
            actions.remove(action)
    return less


def _lists(role: Role) -> list[list[str]]:
    return [role["cluster_permissions"], *(row["allowed_actions"] for row in role.get("index_permissions", ()))]
