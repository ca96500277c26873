"""What the page shows of three searches, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from examples.web.explanations import Words, explained_words
from examples.web.searches import FACETS, Found
from opensearch_neural_sparse import SearchHit, SearchHits, SparseTokenizer


def answer(found: Mapping[str, Found], words: Words, tokenizer: SparseTokenizer) -> dict[str, Any]:
    """Return the hits of each way, and the facets of the documents that any way found."""
    rows = {
        way: explained_words(one.hits, words) if way == "bm25" else [_explained(hit, tokenizer) for hit in one.hits]
        for way, one in found.items()
    }
    return {
        "ways": {way: _way(one, rows[way]) for way, one in found.items()},
        "facets": facets(found["hybrid"].hits.aggregations),
    }


def facets(aggregations: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return field -> its commonest values with their counts; no field without values."""
    counted = {field: aggregations.get(field, {}).get("buckets", []) for field in FACETS}
    return {
        field: [{"value": bucket["key"], "count": bucket["doc_count"]} for bucket in buckets]
        for field, buckets in counted.items()
        if buckets
    }


def _way(found: Found, rows: list[dict[str, Any]]) -> dict[str, Any]:
    hits: SearchHits = found.hits
    return {
        "ms": found.milliseconds,
        "server_ms": hits.took_ms,
        "total": hits.total,
        "total_is_exact": hits.total_is_exact,
        "hits": [{"id": hit.id, "score": hit.score} | row for hit, row in zip(hits, rows, strict=True)],
    }


def _explained(hit: SearchHit, tokenizer: SparseTokenizer) -> dict[str, Any]:
    written = {token for token, _, _ in tokenizer.token_places(hit.text or "")}
    return {
        "html": hit.to_html(tokenizer),
        "matches": [asdict(match) | {"learned": match.token not in written} for match in hit.matches or ()],
        "legs": {name: asdict(leg) for name, leg in (hit.legs or {}).items()},
    }
