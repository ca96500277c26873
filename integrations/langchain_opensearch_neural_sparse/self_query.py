"""Translator of LangChain's structured queries."""

from __future__ import annotations

from typing import Any

from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery, Visitor

from langchain_opensearch_neural_sparse.filters import Filter, field_of, joined_filters
from opensearch_neural_sparse import IndexSchema
from opensearch_neural_sparse.layer_support import check_type, plain_scalar


class NeuralSparseTranslator(Visitor):
    """Translate a structured query to `filter` of this layer's searches.

    Args:
        schema: Names of the fields of the index, where they are not the default ones.
        filter: A filter that holds beside that of each question, in either syntax. The retriever puts what a language
            model writes in place of the filter in its `search_kwargs`, so that one there is no fence.

    Examples:
        ```python
        SelfQueryRetriever.from_llm(
            llm, vectorstore, contents, fields, structured_query_translator=NeuralSparseTranslator()
        )
        ```
    """

    def __init__(self, schema: IndexSchema | None = None, *, filter: Filter | None = None) -> None:  # noqa: A002
        check_type(IndexSchema, optional=True, schema=schema)
        self.schema = schema or IndexSchema()
        self.filter = joined_filters(filter)
        self.allowed_comparators, self.allowed_operators = list(Comparator), list(Operator)

    def visit_operation(self, operation: Operation) -> dict[str, Any]:
        """Return `$and`, `$or` or `$not` of the translated arguments.

        Args:
            operation: An operator and its arguments.
        """
        parts = [argument.accept(self) for argument in operation.arguments]
        if operation.operator is Operator.NOT:
            return {"$not": parts[0] if len(parts) == 1 else {"$and": parts}}
        return {f"${operation.operator.value}": parts}

    def visit_comparison(self, comparison: Comparison) -> dict[str, Any]:
        """Return a condition; `contain` matches one of several values, `like` a part of a text.

        Args:
            comparison: An attribute, a comparator and a value.
        """
        value = _plain(comparison.value)
        if comparison.comparator is Comparator.LIKE:
            field = field_of(comparison.attribute, self.schema)
            return {"wildcard": {field: {"value": f"*{_escaped(str(value))}*", "case_insensitive": True}}}
        operator = comparison.comparator
        if operator is Comparator.CONTAIN:
            operator = Comparator.IN if isinstance(value, list) else Comparator.EQ
        elif operator in (Comparator.IN, Comparator.NIN) and not isinstance(value, list):
            value = [value]
        return {comparison.attribute: {f"${operator.value}": value}}

    def visit_structured_query(self, structured_query: StructuredQuery) -> tuple[str, dict[str, Any]]:
        """Return the text to search for and the keywords of the search.

        Args:
            structured_query: What the language model made of a question.
        """
        asked = None if structured_query.filter is None else structured_query.filter.accept(self)
        wanted = asked if self.filter is None else joined_filters(self.filter, asked)
        return structured_query.query, {} if wanted is None else {"filter": wanted}


def _plain(value: Any) -> Any:
    """Return a date, alone or in a list, as its stored text."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict) and value.get("type") in ("date", "datetime"):
        value = value[value["type"]]
    return plain_scalar(value)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\*?" else letter for letter in text)
