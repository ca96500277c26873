"""Search several models or layouts behind one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opensearch_neural_sparse.index.index_info import IndexInfo, several_layouts, several_models
from opensearch_neural_sparse.search.options.fusion import Fusion
from opensearch_neural_sparse.search.options.legs import Leg, SparseLeg
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.refinements.collapse import Collapse
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.search.requests.search_request import SearchRequest


def group_page(info: IndexInfo, page: SearchPage, *, collapse: str | Collapse | None) -> SearchPage:
    """Return the page each group is asked for: everything down to its end, where the client fuses groups.

    Raises:
        ValueError: A collapse over several groups.
    """
    if not info.groups:
        return page
    if collapse is not None:
        raise ValueError("Hits of indices of several models or layouts cannot be collapsed; search one of them.")
    return replace(page, size=page.depth, offset=0)


def fused_by_client(options: HybridOptions) -> HybridOptions:
    """Return options by which the client fuses the legs, where it can."""
    if options.fusion is Fusion.AUTO and options.beyond_client is None:
        return replace(options, fusion=Fusion.CLIENT)
    return options


def grouped_plan(request: SearchRequest, page: SearchPage) -> SearchRequest:
    """Return the hybrid search of a group with every hit down to the end of the page."""
    return replace(request, plan=request.plan and replace(request.plan, offset=0, size=page.depth))


def refuse_leg_of_one_group(index: str, info: IndexInfo, legs: Sequence[Leg]) -> None:
    """Raise ModelMismatchError or IndexSchemaError where a leg belongs to one group alone."""
    sparse = [leg for leg in legs if isinstance(leg, SparseLeg)]
    has_own_field = bool(info.groups) and any(leg.field in info.schema.additional_fields for leg in sparse)
    remedy = "A leg with a vector, or of a further sparse field, belongs to one of them: search that one."
    if info.has_several_models and (has_own_field or any(leg.vector is not None for leg in sparse)):
        refuse_several_models(index, info, remedy)
    if has_own_field:
        refuse_several_layouts(index, info, remedy)


def refuse_several_models(index: str, info: IndexInfo, remedy: str) -> None:
    """Raise ModelMismatchError: the name has indices of several models."""
    raise several_models(index, info.schema, info.groups, remedy)


def refuse_several_layouts(index: str, info: IndexInfo, remedy: str) -> None:
    """Raise IndexSchemaError: the name has indices of several layouts."""
    raise several_layouts(index, info.groups, remedy)
