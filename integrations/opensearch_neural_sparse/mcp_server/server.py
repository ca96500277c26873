"""The protocol: the tools under the official SDK, over standard input and output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from opensearch_neural_sparse.errors import MissingDependencyError, NeuralSparseError
from opensearch_neural_sparse.mcp_server.access import Access
from opensearch_neural_sparse.mcp_server.answers import Documents, Found, IndexList
from opensearch_neural_sparse.mcp_server.tools import Mode, SearchTools
from opensearch_neural_sparse.version import __version__

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp_types import ToolAnnotations
    from pydantic import Field, ValidationError
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] not in ("mcp", "mcp_types"):
        raise
    raise MissingDependencyError(error.name, "mcp", "A search tool for agents") from None

NAME = "opensearch-neural-sparse"
INSTRUCTIONS = (
    "Searches document collections in OpenSearch, and changes nothing. Call list_indices for the names of the indices, "
    "then search; get returns whole documents by their ids."
)
_PLAIN = {"Value error, ": "", "Input should be": "it should be", "Field required": "it is missing"}
"""Words of the library that checks arguments -> plain ones."""
Words = Callable[[Exception], str]
"""Writer of the message of an error."""


class _Served:
    """The tools as the protocol offers them: errors of this package as errors of a tool.

    Args:
        tools: The tools.
        words: How the message of an error is written.
    """

    def __init__(self, tools: SearchTools, words: Words) -> None:
        self._tools, self._words = tools, words

    def list_indices(self) -> IndexList:
        """List the indices that can be searched, with their models and the number of their documents."""
        with self._errors():
            return self._tools.list_indices()

    def search(
        self,
        index: Annotated[str, Field(description="Name of the index, as list_indices has it.")],
        query: Annotated[str, Field(description="Text of the query, in plain language.")],
        mode: Annotated[
            Mode,
            Field(description="By learned sparse vectors (meaning), by words (bm25), or by both (hybrid)."),
        ] = "hybrid",
        size: Annotated[
            int | None, Field(description="Maximum number of hits; 10 by default, if the limit allows it.")
        ] = None,
        filter: Annotated[  # noqa: A002
            dict[str, Any] | list[dict[str, Any]] | None,
            Field(
                description='An OpenSearch query clause on metadata, such as {"term": {"lang": "en"}} or '
                '{"range": {"year": {"gte": 2020}}}, or a list of such, all of which must hold.'
            ),
        ] = None,
        explain: Annotated[bool, Field(description="Whether each hit shows the matched tokens.")] = False,
    ) -> Found:
        """Search an index; returns documents with id, score, text and metadata, best first."""
        with self._errors():
            return self._tools.search(index, query, mode=mode, size=size, filter=filter, explain=explain)

    def get(
        self,
        index: Annotated[str, Field(description="Name of the index, as list_indices has it.")],
        ids: Annotated[list[str], Field(description="Ids of documents.")],
    ) -> Documents:
        """Return documents of an index by their ids, with text and metadata."""
        with self._errors():
            return self._tools.get(index, ids)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (NeuralSparseError, ValueError) as error:
            raise ToolError(self._words(error)) from None


class _Server(MCPServer[Any]):
    """The SDK's server, which refuses wrong arguments in one sentence each."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool.

        Args:
            name: Its name.
            arguments: Its arguments.
            context: The SDK's context of the call.

        Raises:
            ToolError: The tool is unknown or fails, or an argument is wrong.
        """
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(arguments_refused(error.__cause__)) from None
            raise


def arguments_refused(error: ValidationError) -> str:
    """Return why arguments of a tool were refused.

    Args:
        error: The error of their check.
    """
    found = error.errors(include_url=False, include_context=False)
    said = {str(row["loc"][0]) if row["loc"] else "arguments": row["msg"] for row in reversed(found)}
    return " ".join(f"{name}: {_plain(message)}." for name, message in said.items())


def _plain(message: str) -> str:
    for words, plain in _PLAIN.items():
        message = message.replace(words, plain)
    return message.rstrip(".")


def create_server(tools: SearchTools, *, words: Words = str) -> MCPServer[Any]:
    """Return a server of the protocol with the tools.

    Args:
        tools: The tools.
        words: How the message of an error is written.
    """
    server = _Server(NAME, instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    served = _Served(tools, words)
    reading = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    for tool in (served.list_indices, served.search, served.get):
        server.add_tool(tool, annotations=reading, structured_output=True)
    return server


def limits_of(access: Access) -> str:
    """Describe the limits of every call in one line.

    Args:
        access: The limits.
    """
    fence = "with a fence" if access.fence else "without a fence"
    return f"indices {', '.join(access.indices)}, {fence}, at most {access.size_limit} documents a call"
