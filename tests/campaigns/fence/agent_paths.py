"""Search paths of the tools for agents, whose fence is the server's owner's and whose filter is the agent's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from opensearch_neural_sparse.mcp_server.access import Access
from opensearch_neural_sparse.mcp_server.stamped_indices import opened_indices
from opensearch_neural_sparse.mcp_server.tools import Mode, SearchTools
from tests.campaigns.fence.core_paths import FENCES
from tests.campaigns.fence.paths import Call, Path
from tests.campaigns.fence.site import OPEN, QUERY, SECRET, SECRET_ID

MODES: tuple[Mode, ...] = ("sparse", "hybrid", "bm25")
IDS = [*(f"{SECRET_ID}-{number}" for number in range(OPEN, OPEN + SECRET)), "open-0"]
Use = Callable[[SearchTools, Call], Any]


def agent_paths() -> Iterator[Path]:
    """Yield the paths of each tool."""
    for mode in MODES:
        yield Path(f"mcp search {mode}", ("cli.mcp",), FENCES, partial(_with_tools, partial(_searched, mode)))
    yield Path("mcp get", ("cli.mcp",), FENCES, partial(_with_tools, _got))
    yield Path("mcp list_indices", ("cli.mcp",), FENCES, partial(_with_tools, _listed))


def _with_tools(use: Use, call: Call) -> Any:
    access = Access(indices=[call.name], fence=call.fence)
    with opened_indices(call.site.client, access) as indices:
        return use(SearchTools(indices, access), call)


def _searched(mode: Mode, tools: SearchTools, call: Call) -> Any:
    query = " " if call.draw("blank") else QUERY
    return tools.search(_one_index(call), query, mode=mode, filter=call.hostile, explain=call.draw("hybrid"))


def _got(tools: SearchTools, call: Call) -> Any:
    """Ask for every id; those that are not found are named in the answer, as the agent named them."""
    return tools.get(_one_index(call), IDS).documents


def _one_index(call: Call) -> str:
    """Return a name that an agent may search; a pattern stands for one of its indices."""
    return call.name.replace("*", "plain")


def _listed(tools: SearchTools, call: Call) -> Any:
    return tools.list_indices().indices
