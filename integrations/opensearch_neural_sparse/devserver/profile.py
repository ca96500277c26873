"""What a development server is made for."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """A make of server: how many nodes, which plugins."""

    PLAIN = "plain"
    """One node with k-NN and neural-search."""
    CLUSTER = "cluster"
    """Three such nodes that form one cluster."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes; the first one answers at the server's URL."""
        return ("n1", "n2", "n3") if self is Profile.CLUSTER else ("n1",)

    @property
    def heap(self) -> str:
        """Java heap of each node unless another is asked for."""
        return "512m" if self is Profile.CLUSTER else "1g"
