"""The chosen setting as Python and as LangChain code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting
from opensearch_neural_sparse.evaluate.tuning.winner.literals import (
    leg_source,
    options_source,
    prune_source,
    quoted,
    schema_source,
    tuple_source,
    wrapped,
)

_CORE = ("Bm25Leg", "DenseLeg", "HybridOptions", "IndexSchema", "NeuralSparseStore", "Prune", "SearchHits")
_MORE = ("SearchOptions", "SparseDocument", "SparseLeg", "TwoPhase")
_LAYER = (
    "OpenSearchNeuralSparseHybridRetriever",
    "OpenSearchNeuralSparseRetriever",
    "OpenSearchNeuralSparseVectorStore",
)
_MAIN_GUARD = 'if __name__ == "__main__":'
_URL = 'os.environ.get("OPENSEARCH_URL") or "http://localhost:9200"'


def python_code(setting: SearchSetting, layout: IndexLayout, comment: Sequence[str]) -> str:
    """Return a Python program that makes, fills and searches an index.

    Args:
        setting: The setting.
        layout: Its index.
        comment: Lines of its docstring.
    """
    if setting.fusion is not None:
        legs = [leg_source(leg, layout, dense="DenseLeg(embedder=embed)") for leg in setting.legs]
        weights = None if setting.fusion.weights is None else tuple_source(list(map(str, setting.fusion.weights)))
        options, method = options_source(setting, legs=tuple_source(legs), weights=weights), "hybrid_search"
    elif setting.legs[0].kind == BM25:
        options, method = "", "match_search"
    else:
        options, method = options_source(setting), "search"
    given = ", options=OPTIONS" if options else ""
    fields = [
        f"    store.add_field({quoted(name)}, model={quoted(model)}, prune={prune_source(layout.prune)})"
        for name, model in layout.more_models.items()
    ]
    prune = prune_source(layout.prune)
    embedding = ", embedding=embed_document(text)" if layout.dense_model else ""
    body = [
        *_embedding(layout, langchain=False),
        f"MODEL = {quoted(layout.model)}",
        f"SCHEMA = {schema_source(layout)}",
        *([f"OPTIONS = {wrapped(options)}"] if options else []),
        "",
        "",
        "def open_store(index: str, url: str) -> NeuralSparseStore:",
        '    """Open an index; create it if it is missing."""',
        f"    store = NeuralSparseStore(index, url=url, model=MODEL, schema=SCHEMA, prune={prune})",
        "    store.create(exist_ok=True)",
        *fields,
        "    return store",
        "",
        "",
        "def write(store: NeuralSparseStore, texts: dict[str, str]) -> None:",
        '    """Encode and write texts by their ids."""',
        f"    store.write(SparseDocument(id=key, text=text{embedding}) for key, text in texts.items())",
        "    store.refresh()",
        "",
        "",
        "def search(store: NeuralSparseStore, text: str, size: int = 10) -> SearchHits:",
        '    """Return the best documents for a text."""',
        f"    return store.{method}(text, size=size{given})",
        "",
        "",
        _MAIN_GUARD,
        f"    with open_store(sys.argv[1], {_URL}) as store:",
        "        for hit in search(store, sys.argv[2]):",
        "            print(hit.id, hit.score)",
    ]
    return _program(comment, body, {"opensearch_neural_sparse": [*_CORE, *_MORE]}, layout)


def langchain_code(setting: SearchSetting, layout: IndexLayout, comment: Sequence[str]) -> str:
    """Return a LangChain program that fills and searches an index; the arguments are those of `python_code`."""
    name = "OpenSearchNeuralSparseHybridRetriever"
    if setting.fusion is not None:
        legs = [leg_source(leg, layout, dense='"dense"') for leg in setting.legs]
        weights = setting.fusion.weights
        arguments = [f"legs={tuple_source(legs)}", f"options={options_source(setting)}"]
        arguments += [] if weights is None else [f"weights={tuple_source(list(map(str, weights)))}"]
    elif setting.legs[0].kind == BM25:
        arguments = ['legs=("bm25",)']
    else:
        name, arguments = "OpenSearchNeuralSparseRetriever", [f"options={options_source(setting)}"]
    fields = [
        f"    vectorstore.store.add_field({quoted(field)}, model={quoted(model)}, prune={prune_source(layout.prune)})"
        for field, model in layout.more_models.items()
    ]
    embedding = ["        embedding=DenseModel(),"] if layout.dense_model else []
    body = [
        *_embedding(layout, langchain=True),
        f"MODEL = {quoted(layout.model)}",
        f"SCHEMA = {schema_source(layout)}",
        "",
        "",
        "def open_vectorstore(index: str, url: str) -> OpenSearchNeuralSparseVectorStore:",
        '    """Open an index; create it if it is missing."""',
        "    vectorstore = OpenSearchNeuralSparseVectorStore(",
        "        index,",
        *embedding,
        "        url=url,",
        "        model=MODEL,",
        "        schema=SCHEMA,",
        f"        prune={prune_source(layout.prune)},",
        "    )",
        "    vectorstore.store.create(exist_ok=True)",
        *fields,
        "    return vectorstore",
        "",
        "",
        f"def make_retriever(vectorstore: OpenSearchNeuralSparseVectorStore, k: int = 10) -> {name}:",
        '    """Return the retriever of the chosen setting."""',
        f"    return {name}(",
        "        vectorstore=vectorstore,",
        "        k=k,",
        *(f"        {argument}," for argument in arguments),
        "    )",
        "",
        "",
        _MAIN_GUARD,
        f"    with open_vectorstore(sys.argv[1], {_URL}) as vectorstore:",
        "        for document in make_retriever(vectorstore).invoke(sys.argv[2]):",
        "            print(document.id, document.page_content)",
    ]
    modules = {
        "langchain_core.embeddings": ["Embeddings"],
        "langchain_opensearch_neural_sparse": [*_LAYER],
        "opensearch_neural_sparse": [*_CORE, *_MORE],
    }
    return _program(comment, body, modules, layout)


def _program(comment: Sequence[str], body: Sequence[str], modules: dict[str, list[str]], layout: IndexLayout) -> str:
    text = "\n".join(body)
    used = {module: [name for name in names if _is_used(name, text)] for module, names in modules.items()}
    imports = [
        "\n    ".join([f"from {module} import (", *(f"{name}," for name in names)]) + "\n)"
        for module, names in used.items()
        if names
    ]
    if layout.dense_model:
        imports.append("from sentence_transformers import SentenceTransformer")
    first, *rest = comment
    docstring = [f'"""{first}', *(["", *rest] if rest else []), '"""']
    return "\n".join([*docstring, "", "import os", "import sys", "", *sorted(imports), "", text, ""])


def _is_used(name: str, text: str) -> bool:
    return re.search(rf"\b{name}\b", text) is not None


def _embedding(layout: IndexLayout, *, langchain: bool) -> list[str]:
    """Return the source of the dense model, none without one."""
    if layout.dense_model is None:
        return []
    load = f"DENSE = SentenceTransformer({quoted(layout.dense_model)})"
    if not langchain:
        return [
            load,
            "",
            "",
            "def embed(query: str) -> list[float]:",
            '    """Return the dense vector of a query."""',
            "    return DENSE.encode_query(query, normalize_embeddings=True).tolist()",
            "",
            "",
            "def embed_document(text: str) -> list[float]:",
            '    """Return the dense vector of a document."""',
            "    return DENSE.encode_document(text, normalize_embeddings=True).tolist()",
            "",
            "",
        ]
    return [
        load,
        "",
        "",
        "class DenseModel(Embeddings):",
        '    """Embeds texts as dense vectors."""',
        "",
        "    def embed_documents(self, texts: list[str]) -> list[list[float]]:",
        '        """Return the vectors of texts."""',
        "        return DENSE.encode_document(texts, normalize_embeddings=True).tolist()",
        "",
        "    def embed_query(self, text: str) -> list[float]:",
        '        """Return the vector of a query."""',
        "        return DENSE.encode_query(text, normalize_embeddings=True).tolist()",
        "",
        "",
    ]
