"""What holds of the campaign of fences: no path is forgotten, leaks are seen, and a real second fence holds."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from langchain_core.documents import Document

from opensearch_neural_sparse import SearchHit, SearchHits
from opensearch_neural_sparse.devserver import DevServer
from tests.campaigns.attempts import attempt
from tests.campaigns.fence.campaign import every_path, judged, run_on
from tests.campaigns.fence.langchain_paths import OWN
from tests.campaigns.fence.leaks import leaks
from tests.campaigns.fence.second_fence import secured_site
from tests.campaigns.fence.surfaces import NO_SEARCHES, search_methods
from tests.campaigns.tally import Tally

SECRET = SearchHit(id="hidden-4", score=1.0)
ATTEMPTS = 320


def test_every_public_search_method_is_a_path_of_the_campaign() -> None:
    covered = {method for path in every_path() for method in path.covers}
    assert covered | {f"Retriever {kind.__name__}" for kind, _ in OWN.values()} == search_methods()
    assert not {name for name in covered if name.rpartition(".")[2] in NO_SEARCHES}


@pytest.mark.parametrize(
    "result",
    [
        [SECRET],
        SearchHits([SearchHit(id="open-0", score=1.0, group_hits=(SECRET,))]),
        SearchHits(total=5),
        {"aggregations": {"all": {"doc_count": 16}}},
        {"response": {"hits": {"total": {"value": 5}}}},
        {"aggregations": {"labels": {"buckets": [{"key": "zqcanary-7", "doc_count": 0}]}}},
        ([Document(id="open-0", page_content="a", metadata={"deep": [{"note": "zqcanary"}]})], []),
        {"count": 5},
    ],
)
def test_secret_that_lies_deep_in_a_result_is_a_leak(result: Any) -> None:
    assert leaks(result, most=4) != []


def test_open_documents_are_no_leak() -> None:
    hits = SearchHits([SearchHit(id="open-0", score=1.0, text="river", metadata={"year": 2026})], total=4)
    assert leaks([hits, Document(id="open-1", page_content="clear")], most=4) == []


def test_leak_of_an_attempt_is_counted_with_what_leaked() -> None:
    tally = Tally()
    attempt(tally, "a search", lambda: [SECRET], check=lambda found: judged(tally, found, 4, "a search"))
    ((outcome, (example,)),) = tally.faults.items()
    assert outcome == "1 x leak"
    assert "hidden-4" in example
    assert "by a search" in example


@pytest.mark.slow
def test_no_hostile_filter_lifts_document_level_security(secured_server: DevServer) -> None:
    with warnings.catch_warnings(), secured_site(secured_server) as site:
        warnings.simplefilter("ignore")
        tally = run_on(site, seed=7, count=ATTEMPTS)
    assert tally.faults == {}
    assert tally.attempts == ATTEMPTS
