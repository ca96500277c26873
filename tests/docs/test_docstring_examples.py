"""The examples in the docstrings of public classes run, on the small model and a real server."""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import re
from textwrap import dedent
from types import CodeType
from typing import Any

import pytest
from haystack import Document as HaystackDocument
from langchain_core.documents import Document as LangChainDocument

import opensearch_neural_sparse
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import register_model
from tests.conftest import RunningServer
from tests.docs.test_parameters import public_classes
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

FENCE = re.compile(r"```python\n(.*?) *```", re.DOTALL)
NOT_RUN = {
    "BgeM3Embeddings": "it needs the weights of BGE-M3; tests/langchain_layer/test_scalar_models.py has a small one",
    "NeuralSparseTranslator": "it needs a language model; tests/langchain_layer/test_self_query.py has a fake one",
}
WITH_EXAMPLES = [value for value in public_classes() if "Examples:" in (value.__doc__ or "")]


def _steps(docstring: str) -> list[tuple[str, str]]:
    """Return pieces of code, each with what it returns, if that is told."""
    prompted = doctest.DocTestParser().get_examples(docstring)
    fenced = [(dedent(code), "") for code in FENCE.findall(docstring)]
    return [(step.source.strip(), step.want.strip()) for step in prompted] + fenced


def _run(code: CodeType, names: dict[str, Any]) -> Any:
    value = eval(code, names)
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def _on(server: RunningServer, index: str, docstring: str) -> str:
    """Return a docstring whose examples use the small model, a server that is there and an index of their own."""
    text = docstring.replace('hosts="http://localhost:9200"', f'hosts="http://localhost:9200", index="{index}"')
    for written, here in (
        ("doc-v3-distill", SMALL_MODEL),
        ("examples/models/small-en", SMALL_MODEL),
        ("articles", index),
    ):
        text = text.replace(f'"{written}"', repr(str(here)))
    return text.replace("http://localhost:9200", server.url)


def _names(value: type) -> dict[str, Any]:
    layer = value.__module__.partition(".")[0]
    near = {known.__name__: known for known in public_classes() if known.__module__.startswith(f"{layer}.")}
    core = {name: getattr(opensearch_neural_sparse, name) for name in opensearch_neural_sparse.__all__}
    document = HaystackDocument if layer == "haystack_integrations" else LangChainDocument
    return {**core, **near, "Document": document}


@pytest.mark.slow
@pytest.mark.parametrize("value", [v for v in WITH_EXAMPLES if v.__name__ not in NOT_RUN], ids=lambda v: v.__name__)
def test_the_examples_of_a_class_run(value: type, server: RunningServer, index_name: str) -> None:
    register_model(SMALL_MODEL, name="small-en")  # the stamp names it
    text = _on(server, index_name, inspect.getdoc(value) or "")
    with OpenSearchNeuralSparseVectorStore(index_name, model=SMALL_MODEL, url=server.url) as vectorstore:
        names = {**_names(value), "url": server.url, "vectorstore": vectorstore}
        if "store.create()" not in text:
            vectorstore.add_texts(["A text that is there."], [{"lang": "en", "year": 2024, "source_id": "1"}])
        for source, want in _steps(text):
            code = compile(source, "example", "eval" if want else "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            found = _run(code, names)
            assert not want or repr(found) == want
