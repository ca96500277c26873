"""What becomes of bad input: a test for each row of the table in docs/langchain.md."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import (
    BulkWriteError,
    FilterSyntaxError,
    IndexNotFoundError,
    IndexNotFoundWarning,
    IndexSchema,
    IndexSchemaError,
    ModelMismatchError,
    UnknownModelError,
    UnmappedFieldWarning,
)
from tests.langchain_layer.conftest import MakeStore
from tests.paths import ROOT
from tests.toy import write_doc_only

pytestmark = pytest.mark.newest_server

TEXT = "rivers"
ROW = re.compile(r"^\| ([^|`]+) \| ", re.MULTILINE)
Make = Callable[..., OpenSearchNeuralSparseVectorStore]
ROWS: dict[str, Callable[[Make, Any], None]] = {}


def row(name: str) -> Callable[[Callable[[Make, Any], None]], Callable[[Make, Any], None]]:
    """Make a function the test of a row of the table."""

    def register(test: Callable[[Make, Any], None]) -> Callable[[Make, Any], None]:
        ROWS[name] = test
        return test

    return register


def refused(error: type[Exception], match: str) -> AbstractContextManager[Any]:
    return pytest.raises(error, match=match)


@row("a dense vector of the wrong dimension")
def _wrong_dimension(make: Make, folder: Any) -> None:
    dense = DeterministicFakeEmbedding(size=3)
    vectorstore = make(embedding=dense, schema=IndexSchema(embedding_dimension=4))
    with refused(BulkWriteError, "3 dimensions, not 4") as caught:
        vectorstore.add_texts([TEXT], ids=["1"])
    assert [failure.id for failure in caught.value.report.failed] == ["1"]
    assert vectorstore.get_by_ids(["1"]) == []


@row("a missing index")
def _missing_index(make: Make, folder: Any) -> None:
    with pytest.warns(IndexNotFoundWarning, match="does not exist yet"):
        assert make().similarity_search(TEXT) == []
    with refused(IndexNotFoundError, "does not exist"):
        make(query_encoder=None, document_encoder=None).similarity_search(TEXT)


@row("an unknown field in a filter")
def _unknown_field(make: Make, folder: Any) -> None:
    vectorstore = make()
    vectorstore.add_texts([TEXT], [{"some_key": "x"}], ids=["1"])
    with pytest.warns(UnmappedFieldWarning, match="'no_such_key' of the filter.*some_key"):
        assert vectorstore.similarity_search(TEXT, filter={"no_such_key": "x"}) == []
    with pytest.warns(UnmappedFieldWarning, match="'no_such_key' of the filter.*some_key"):
        assert len(vectorstore.similarity_search(TEXT, filter={"no_such_key": {"$ne": "x"}})) == 1


@row("an unknown operator in a filter")
def _unknown_operator(make: Make, folder: Any) -> None:
    with refused(FilterSyntaxError, r"Unknown operator '\$like'"):
        make().similarity_search(TEXT, filter={"lang": {"$like": "e%"}})


@row("an unknown model")
def _unknown_model(make: Make, folder: Any) -> None:
    vectorstore = make(model="doc-v3-distil", query_encoder=None, document_encoder=None)
    with refused(UnknownModelError, "doc-v3-distill"):
        vectorstore.add_texts([TEXT])


@row("another model than the index has")
def _mismatched_model(make: Make, folder: Any) -> None:
    make().add_texts([TEXT])
    other = make(model=write_doc_only(folder / "other"), query_encoder=None, document_encoder=None)
    for call in (other.similarity_search, lambda text: other.add_texts([text])):
        with refused(ModelMismatchError, "small-en.*other"):
            call(TEXT)


@row("an empty query")
def _empty_query(make: Make, folder: Any) -> None:
    vectorstore = make(model=ROOT / "examples/models/small-en", query_encoder=None, document_encoder=None)
    vectorstore.add_texts([TEXT, ""])
    for query in ("", " \n"):
        assert vectorstore.similarity_search(query) == []
        assert vectorstore.max_marginal_relevance_search(query) == []
        assert vectorstore.as_retriever(search_type="hybrid").invoke(query) == []


@row("no documents")
def _no_documents(make: Make, folder: Any) -> None:
    vectorstore = make()
    assert vectorstore.add_documents([]) == vectorstore.add_texts(iter([])) == []
    assert vectorstore.store.count() == 0


@row("the same id twice")
def _duplicate_ids(make: Make, folder: Any) -> None:
    vectorstore = make()
    assert vectorstore.add_texts(["first", "second"], ids=["1", "1"]) == ["1", "1"]
    assert vectorstore.get_by_ids(["1"]) == [Document(id="1", page_content="second")]
    assert vectorstore.store.count() == 1


@row("a document of 10 MB")
def _large_document(make: Make, folder: Any) -> None:
    text = "rivers and lakes " * (10 * 2**20 // 17)
    vectorstore = make()
    assert vectorstore.add_texts(["small", text, "small"], ids=["1", "2", "3"]) == ["1", "2", "3"]
    [found] = vectorstore.get_by_ids(["2"])
    assert found.page_content == text


@row("content that is not a text")
def _no_text(make: Make, folder: Any) -> None:
    vectorstore = make()
    for content in (5, None, b"rivers"):
        with refused((IndexSchemaError, BulkWriteError), "text is of type"):
            vectorstore.add_texts([content], ids=["1"])
    assert vectorstore.get_by_ids(["1"]) == []


@row("a metadata key that no index accepts")
def _impossible_key(make: Make, folder: Any) -> None:
    for key in ("", " ", "a.", "a..b"):
        with refused(IndexSchemaError, "metadata key"):
            make().add_texts([TEXT], [{key: 1}])


@row("a metadata key of mixed types")
def _mixed_types(make: Make, folder: Any) -> None:
    vectorstore = make()
    with refused(BulkWriteError, "soon") as caught:
        vectorstore.add_texts([TEXT, TEXT], [{"year": 2020}, {"year": "soon"}], ids=["ok", "soon"])
    assert [failure.id for failure in caught.value.report.failed] == ["soon"]


@row("one text instead of a list of texts")
def _one_text(make: Make, folder: Any) -> None:
    with refused(TypeError, "put it into a list"):
        make().add_texts(TEXT)


@row("a misspelt keyword argument")
def _misspelt(make: Make, folder: Any) -> None:
    with refused(TypeError, "fitler"):
        make().similarity_search(TEXT, fitler={})
    with refused(TypeError, "usr"):
        make(client_options={"usr": "x"})


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_table_holds(name: str, make_store: MakeStore, tmp_path) -> None:
    ROWS[name](make_store, tmp_path)


def test_the_table_has_these_rows() -> None:
    page = (ROOT / "docs" / "langchain.md").read_text(encoding="utf-8")
    table = page.partition("### Invalid input\n")[2].partition("\n## ")[0]
    assert ROW.findall(table)[1:] == list(ROWS)
