"""How a retriever's own filters and those of a run come together."""

from __future__ import annotations

from typing import Any

from haystack.document_stores.types import FilterPolicy

from haystack_integrations.document_stores.opensearch_neural_sparse.filters import ensure_mapping

Filters = dict[str, Any]


def combine_filters(policy: FilterPolicy, own: Filters | None, given: Filters | None) -> Filters | None:
    """Return the filters of a run.

    Replacing, those given stand in for the retriever's own; merging, documents satisfy both, always. (Haystack's
    `apply_filter_policy` drops the retriever's own where both name a field or their operators differ.)

    Args:
        policy: Whether filters given to a run replace the retriever's own or are merged with them.
        own: Filters of the retriever.
        given: Filters of the run; None or empty leaves the retriever's own.

    Raises:
        FilterError: Either is no mapping.
    """
    ensure_mapping(own)
    ensure_mapping(given)
    if policy is FilterPolicy.MERGE and own and given:
        return {"operator": "AND", "conditions": [own, given]}
    return given or own
