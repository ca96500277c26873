"""The docstrings of the running Python's standard library, as documents."""

import ast
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from opensearch_neural_sparse import SparseDocument

NOT_THE_LIBRARY = {
    "site-packages",
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "turtledemo",
    "ensurepip",
    "config",
    "__phello__",
}
SHORTEST = 40
"""Docstrings below this many characters say too little to be found by."""
OPENING = 600
"""Whole paragraphs are kept until there are this many characters; the first one is always kept."""


def stdlib_documents() -> list[SparseDocument]:
    """Return one document a public module, class or function: its docstring's opening, one of each text."""
    documents: dict[str, SparseDocument] = {}
    for name, kind, docstring in [*_from_sources(), *_from_builtins()]:
        text = opening(docstring)
        if len(text) >= SHORTEST and text not in documents:
            documents[text] = SparseDocument(
                id=name, text=text, metadata={"name": name, "module": name.split(".")[0], "kind": kind}
            )
    return list({document.id: document for document in documents.values()}.values())


def opening(docstring: str) -> str:
    """Return the first paragraphs of a docstring, up to about `OPENING` characters."""
    text, *paragraphs = docstring.split("\n\n")
    for paragraph in paragraphs:
        if len(text) + len(paragraph) > OPENING:
            break
        text = f"{text}\n\n{paragraph}"
    return text


def _from_sources() -> Iterator[tuple[str, str, str]]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if not NOT_THE_LIBRARY & set(parts) and not any(_is_private(part) for part in parts):
            module = ".".join(part for part in parts if part != "__init__")
            yield from _from_tree(ast.parse(path.read_bytes()), module)


def _from_tree(node: ast.Module | ast.ClassDef | ast.FunctionDef, name: str) -> Iterator[tuple[str, str, str]]:
    if text := ast.get_docstring(node):
        yield name, {"Module": "module", "ClassDef": "class"}.get(type(node).__name__, "function"), text
    if not isinstance(node, ast.FunctionDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef) and not _is_private(child.name):
                yield from _from_tree(child, f"{name}.{child.name}")


def _from_builtins() -> Iterator[tuple[str, str, str]]:
    for module in sorted(name for name in (*sys.builtin_module_names, "math") if not _is_private(name)):
        for name, member in inspect.getmembers(import_module(module)):
            if not _is_private(name) and (text := inspect.getdoc(member)) and _is_own(member, module):
                yield f"{module}.{name}", "class" if inspect.isclass(member) else "function", text


def _is_own(member: object, module: str) -> bool:
    return (inspect.isroutine(member) or inspect.isclass(member)) and getattr(member, "__module__", None) == module


def _is_private(name: str) -> bool:
    return name.startswith("_") and name != "__init__"
