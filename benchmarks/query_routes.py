"""Routes of a query on one index: encoded here, or by the server's tokenizer, analyzer or document model.

python -m benchmarks.query_routes --url http://localhost:9200 --model-id ID --tokenizer-id ID [--documents 2000]

The server runs the model examples/models/small-en and its tokenizer. `client` is the table of the doc-only model in
this process; `model` is a query encoded by the document model, as that of a bi-encoder is. Every route is asked the
same queries. `ratio_...` says how many times as long as `client` a route takes; `equal_rankings` of how many queries
the tokenizer in the server ranks as the table here does. An analyzer is left out on a server before 3.1.
"""

from __future__ import annotations

import argparse
import random
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.report import note, print_report, ratio_of_medians
from benchmarks.search_ways import milliseconds, time_searches
from opensearch_neural_sparse import (
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    ServerQuery,
    SparseDocument,
    SparseTokenizer,
    WriteOptions,
)

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SIZE, TOKENS, WORDS = 10, 100, 8
ANALYZER_SINCE = 3


def words_of(tokenizer: SparseTokenizer) -> list[str]:
    """Return the vocabulary's whole words, in order."""
    return [token for token in tokenizer.vocabulary if len(token) > 2 and token.isascii() and token.isalpha()]


def documents(count: int, words: Sequence[str], chance: random.Random) -> list[SparseDocument]:
    """Return documents of made-up weights of the vocabulary's words."""
    return [
        SparseDocument(id=f"{number}", text="", vector={word: chance.uniform(0.05, 2.5) for word in chosen})
        for number in range(count)
        for chosen in [chance.sample(words, TOKENS)]
    ]


def routes(model_id: str, tokenizer_id: str, *, analyzer: bool) -> dict[str, ServerQuery | None]:
    """Return what encodes a query, by name; None encodes it here."""
    chosen: dict[str, ServerQuery | None] = {
        "client": None,
        "tokenizer": ServerQuery(model_id=tokenizer_id),
        "model": ServerQuery(model_id=model_id),
    }
    return chosen | ({"analyzer": ServerQuery(analyzer="bert-uncased")} if analyzer else {})


def equal_rankings(store: NeuralSparseStore, tokenizer: ServerQuery, queries: Sequence[str]) -> int:
    """Return for how many queries the server's tokenizer finds the same documents in the same order."""
    options = SearchOptions(server_query=tokenizer)
    pairs = ((store.search(text, size=SIZE), store.search(text, size=SIZE, options=options)) for text in queries)
    return sum([hit.id for hit in here] == [hit.id for hit in there] for here, there in pairs)


def measure(
    store: NeuralSparseStore, chosen: Mapping[str, ServerQuery | None], queries: Sequence[str], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of every route."""

    def search(text: str, by: ServerQuery | None) -> SearchHits:
        return store.search(text, size=SIZE, options=SearchOptions(server_query=by))

    ways = {name: (lambda text, by=by: search(text, by)) for name, by in chosen.items()}
    return time_searches(ways, queries, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--model-id", required=True)
    parser.add_argument("--tokenizer-id", required=True)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    chance = random.Random(0)
    with NeuralSparseStore(f"query-routes-{uuid.uuid4().hex[:8]}", url=arguments.url, model=MODEL) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        try:
            words = words_of(store.tokenizer())
            store.write(documents(arguments.documents, words, chance), options=WriteOptions(refresh=True))
            store.force_merge()
            queries = [" ".join(chance.sample(words, WORDS)) for _ in range(arguments.queries)]
            version = store.client().info()["version"]["number"]
            analyzer = int(version.split(".")[0]) >= ANALYZER_SINCE
            chosen = routes(arguments.model_id, arguments.tokenizer_id, analyzer=analyzer)
            note(f"{arguments.documents} documents on OpenSearch {version}.")
            equal = equal_rankings(store, ServerQuery(model_id=arguments.tokenizer_id), queries)
            seconds = measure(store, chosen, queries, arguments.rounds)
        finally:
            store.delete_index()
    ratios: dict[str, float] = {}
    for name in seconds:
        if name != "client":
            ratios |= ratio_of_medians(seconds[name], seconds["client"], f"ratio_{name}")
    results = {
        "server": version,
        "documents": arguments.documents,
        "queries": len(queries),
        "equal_rankings": equal,
        "routes": {name: milliseconds(taken) for name, taken in seconds.items()},
    }
    print_report(results | ratios)


if __name__ == "__main__":
    main()
