"""Hybrid search over a judged collection: our fusion beside the server's own, on texts that people wrote."""

from __future__ import annotations

import re
from collections import Counter
from math import log

import pytest

from opensearch_neural_sparse import Fusion, HybridOptions, SparseDocument
from opensearch_neural_sparse.evaluate.datasets.beir import read_collection
from opensearch_neural_sparse.search.fusion.rrf import fuse, shortest
from tests.paths import DATA
from tests.store.conftest import MakeStore

FOLDER = DATA / "scifact"
DOCUMENTS, QUERIES, DEPTH = 400, 300, 30


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the collection scifact is not at hand")
@pytest.mark.parametrize("shards", [1, 3])
def test_fusion_of_a_collection_is_exact(make_store: MakeStore, shards: int) -> None:
    collection = read_collection(FOLDER)
    texts = dict(list(collection.documents.items())[:DOCUMENTS])
    words = {key: re.findall(r"\w+", text.lower()) for key, text in texts.items()}
    spread = Counter(word for found in words.values() for word in set(found))
    idf = {word: log(1 + DOCUMENTS / count) for word, count in spread.items()}
    store = make_store()
    store.create(settings={"number_of_shards": shards})
    store.write(
        SparseDocument(id=key, text=texts[key], vector={word: 1 + log(n) for word, n in Counter(found).items()})
        for key, found in words.items()
    )
    server_is_right = shards == 1 or store.server().ranks_across_shards
    for text in list(collection.queries.values())[:QUERIES]:
        vector = {word: idf[word] for word in re.findall(r"\w+", text.lower()) if word in idf}
        options = HybridOptions(fusion=Fusion.CLIENT, pagination_depth=DEPTH)
        hits = store.hybrid_search(text, vector=vector, size=DEPTH, options=options)
        legs = [store.match_search(text, size=DEPTH), store.search(vector, size=DEPTH)]
        expected = fuse([[hit.id for hit in leg] for leg in legs])[:DEPTH]
        assert [hit.score for hit in hits] == [shortest(score) for _, score in expected]
        by_default = store.hybrid_search(text, vector=vector, size=DEPTH, options=HybridOptions(pagination_depth=DEPTH))
        assert by_default.fusion == ("server rrf" if server_is_right else "client rrf")
        if shards == 1 or not server_is_right:
            assert [hit.score for hit in by_default] == [hit.score for hit in hits]
