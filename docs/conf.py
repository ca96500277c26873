"""How Sphinx makes the site: `make docs`."""

from __future__ import annotations

import re
import sys
from enum import Enum
from inspect import getdoc, isroutine
from pathlib import Path
from typing import Any

from docutils import nodes

import opensearch_neural_sparse

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from docs.notebook_pages import read_notebook

project = "opensearch-neural-sparse"
author = "The opensearch-neural-sparse maintainers"
copyright = author  # noqa: A001  Sphinx's word
version = release = opensearch_neural_sparse.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["haystack_integration_page.md"]  # a page of another site
html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
default_role = "code"
myst_heading_anchors = 3

autodoc_default_options = {
    "members": True,
    "inherited-members": "object, str, tuple, ImportError, BaseException",
    "exclude-members": "model_config",
}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False

nitpicky = True  # but what others document is not looked for
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|pathlib|haystack|langchain_core|opensearchpy|pydantic)\..*"),
    (r"py:.*", r"haystack_integrations\.document_stores\.opensearch\..*"),
    (r"py:.*", r"Path|(Async)?OpenSearch|Secret|Hosts|AWSAuth|DuplicateDocumentError|DocumentStoreError|FilterError"),
    (
        r"py:.*",
        r"Document|Embeddings|Filter|Tokenizer|Client|IndexInfo|MissingText|LegName|Weights|Search|SparseEmbedding",
    ),
    (r"py:.*", r"TransformerDocumentEncoder|opensearch_neural_sparse\.encode\.engines\.transformer_encoder\.\w+"),
    (r"py:.*", r"Aggregations|Observe|(Iterable)?Dataset(Dict)?|EncoderConnection|EncoderInfo|Interface"),
    (r"py:.*", r"opensearch_neural_sparse\.search\.options\.page\.SearchPage"),
    (
        r"py:.*",
        r"opensearch_neural_sparse\..*\.(Array|BulkAction|IndexInfo|Journal|JournalEntry|MetadataTypes|Observe|SparseField|StartArguments|TokenIds)",
    ),
    (r"py:.*", r"langchain_opensearch_neural_sparse\.vectorstore_base\.VectorStoreBase|RetrievalModeLike"),
    (r"py:.*", r"opensearch_neural_sparse\.transport\.logins\.client_login\.SecretValue"),
]

_OURS = ("opensearch_neural_sparse", "langchain_opensearch_neural_sparse", "haystack_integrations")
_IN_THE_SITE = {"](../ARCHITECTURE.md": "](architecture.md", "](../README.md": "](index.md"}
_ATTRIBUTES = re.compile(r"^Attributes:\n((?: .*\n?)+)", re.MULTILINE)
_ENTRY = re.compile(r"^    \w+:")
_FENCE = "```"
_TYPE = "   :type: "
_MODULES = re.compile(r"(?<![\w.~])(?:\w+\.)+(?=\w)")
_WHOLE = 20
_AT = re.compile(r"`[^`]*`|(\w)@(?=\d)")
_MARKDOWN_LINK = re.compile(r"\[([^]]+)\]\s*\((https?://[^)\s]+)\)")
_SECRET = re.compile(r"EnvVarSecret\(_env_vars=\(([^()]+?),? ?\), _strict=False, _type=<[^<>]*>\)")
_DEFAULT_VALUE = re.compile(r"(\w+(?:Options|Leg))\((?:[^()]|\(\)|\((?:[^()]|\(\))*\))+\)")


def setup(app: Any) -> None:
    """Take pages and docstrings as they are written."""
    app.connect("source-read", read_notebook)
    app.connect("source-read", _links_within_the_site)
    app.connect("autodoc-skip-member", _inherited_from_others)
    app.connect("autodoc-process-signature", _short_defaults)
    app.connect("autodoc-process-docstring", _attributes_of_bases, priority=300)
    app.connect("autodoc-process-docstring", _as_napoleon_reads_it, priority=400)
    app.connect("autodoc-process-docstring", _short_types, priority=600)
    app.connect("doctree-read", _whole_names)
    app.connect("missing-reference", _public_name)


def _links_within_the_site(app: Any, page: str, source: list[str]) -> None:
    for outside, inside in _IN_THE_SITE.items():
        source[0] = source[0].replace(outside, inside)


def _inherited_from_others(app: Any, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    routine = getattr(obj, "fget", obj)
    home = getattr(routine, "__module__", None) or ""
    return True if isroutine(routine) and home and not home.startswith(_OURS) else None


def _short_defaults(
    app: Any, what: str, name: str, obj: object, options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Return a signature whose default options are written as they are made, `SearchOptions()`, secrets too."""
    signature = signature and _SECRET.sub(_as_it_is_made, signature)
    before = None
    while signature and signature != before:
        before, signature = signature, _DEFAULT_VALUE.sub(r"\1()", signature)
    return signature, returns


def _as_it_is_made(secret: re.Match[str]) -> str:
    names = secret[1]
    return f"Secret.from_env_var({f'[{names}]' if ',' in names else names}, strict=False)"


def _attributes_of_bases(app: Any, what: str, name: str, obj: Any, options: object, lines: list[str]) -> None:
    """Add to a class what the bases describe that have no entry of their own."""
    for base in obj.__mro__[1:] if what == "class" and "Attributes:" in lines else ():
        if (base.__module__ or "").startswith(_OURS) and (section := _ATTRIBUTES.search(getdoc(base) or "")):
            place = lines.index("Attributes:") + 1
            own = {line.partition(":")[0] for line in lines[place:] if _ENTRY.match(line)}
            lines[place:place] = [line for entry in _entries(section[1]) if _name(entry) not in own for line in entry]


def _entries(section: str) -> list[list[str]]:
    """Return the entries of an `Attributes:` section, each with its lines."""
    entries: list[list[str]] = []
    for line in section.splitlines():
        if _ENTRY.match(line):
            entries.append([line])
        elif entries:
            entries[-1].append(line)
    return entries


def _name(entry: list[str]) -> str:
    return entry[0].partition(":")[0]


def _as_napoleon_reads_it(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    inside, result = False, []
    for line in lines:
        if line.strip().startswith(_FENCE):
            inside = not inside
            result += [line.replace(_FENCE, ".. code-block:: "), ""] if inside else [""]
        else:
            result.append(f"    {line}" if inside else _AT.sub(_no_address, line))
    if isinstance(obj, type) and issubclass(obj, Enum):
        result += ["", f"One of {', '.join(f'`{choice.value}`' for choice in obj)}.", ""]
    if what in {"attribute", "property"}:
        result[0] = f": {result[0]}"  # an empty type, for else all before the first colon would be one
    lines[:] = _MARKDOWN_LINK.sub(r"`\1 <\2>`__", "\n".join(result)).splitlines()


def _short_types(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Show the types of attributes without their modules, as those of parameters."""
    lines[:] = [_MODULES.sub(r"~\g<0>", line) if line.startswith(_TYPE) else line for line in lines]


def _whole_names(app: Any, doctree: nodes.document) -> None:
    """Mark options and short names in code, which no line end is to break at a hyphen."""
    for literal in doctree.findall(nodes.literal):
        text = literal.astext()
        if text.startswith("-") or max(map(len, text.split()), default=0) <= _WHOLE:
            literal["classes"].append("whole")


def _no_address(found: re.Match[str]) -> str:
    """Return what is no address of e-mail, as `NDCG@10` is none, so that it becomes no link."""
    return f"{found[1]}\\@" if found[1] else found[0]


def _public_name(app: Any, env: Any, node: Any, content: Any) -> Any:
    """Return a link to a public name that a type names by the module that defines it; of `FusionLike`, to `Fusion`."""
    name = str(node.get("reftarget", "")).rpartition(".")[2].removesuffix("Like")
    if node.get("refdomain") != "py" or name not in opensearch_neural_sparse.__all__:
        return None
    domain, target = env.domains["py"], f"opensearch_neural_sparse.{name}"
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content)
