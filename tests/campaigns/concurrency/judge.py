"""Whether a result is torn: of two indices, or scored by another model than its hits'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse import SearchHit, SparseDocument
from tests.campaigns.concurrency.models import is_exact, is_vector_of

Weights = Mapping[str, float]


@dataclass(frozen=True)
class Judge:
    """Judges results.

    Attributes:
        queries: Marker of a model -> token weights of the query by it.
        acknowledged: Whether a write of a document was acknowledged; others may lie in an index of the same name that
            was made meanwhile, and their write said so.
    """

    queries: Mapping[str, Weights]
    acknowledged: Callable[[str], bool]

    def torn_hits(self, hits: Iterable[SearchHit], *, scored: bool) -> list[str]:
        """Return what is torn in hits; with `scored`, each has the score of its model's query."""
        known = [hit for hit in hits if self.acknowledged(hit.id)]
        wrong = [
            f"{hit.id} in {hit.index} has the score {hit.score}, not that of {hit.model}"
            for hit in known
            if scored and not is_exact(hit.score, self.queries[str(hit.model)], hit.id)
        ]
        return [*wrong, *mixed((hit.metadata for hit in known), "hits")]

    def torn_documents(self, documents: Iterable[SparseDocument]) -> list[str]:
        """Return what is torn in documents that a scan yields."""
        known = [each for each in documents if each.id is not None and self.acknowledged(each.id)]
        wrong = [
            f"{each.id} has a vector of another" for each in known if not is_vector_of(str(each.id), each.vector or {})
        ]
        return [*wrong, *mixed((each.metadata for each in known), "documents")]


def mixed(metadata: Iterable[Mapping[str, Any]], what: str) -> list[str]:
    """Return a complaint where things of several indices come together."""
    indices = {each.get("generation") for each in metadata}
    return [f"{what} of {len(indices)} indices in one result: {sorted(map(str, indices))}"] if len(indices) > 1 else []
