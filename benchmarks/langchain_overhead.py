"""LangChain's retrievers beside the core's searches, and how they bear a crowd.

python -m benchmarks.langchain_overhead [--server 3.6.0] [--url http://localhost:9200] [--rounds 800]

Both ways of a pair send the same requests, by turns; the bar for `sparse`, `hybrid`, `async_sparse` and `async_hybrid`,
the median of the retriever divided by that of the core, is 1.15. Then 1,000 tasks ask one retriever at once, and 64
threads do.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.report import note, percentile, print_report, time_interleaved
from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse import NeuralSparseStore, SparseDocument, SparseTokenizer, get_model, resolve_files
from opensearch_neural_sparse.devserver import DevServer

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SIZE, WARM_UP, BAR = 10, 50, 1.15
TASKS, THREADS, PER_THREAD = 1000, 64, 20


def words() -> list[str]:
    tokens = SparseTokenizer.from_file(resolve_files(get_model(MODEL)).query_tokenizer).tokens
    return [token for token in tokens if token.isalpha() and len(token) > 3][:3000]


def documents(count: int, known: list[str], chance: random.Random) -> Iterator[SparseDocument]:
    for number in range(count):
        text = " ".join(chance.choices(known, k=100))
        vector = {word: chance.uniform(0.05, 2.5) for word in chance.sample(known, 150)}
        yield SparseDocument(id=str(number), text=text, vector=vector, metadata={"number": number})


def questions(known: list[str]) -> Iterator[str]:
    """Yield the same endless row of questions every time."""
    chance = random.Random(1)
    while True:
        yield " ".join(chance.sample(known, 4))


def repeated(way: Callable[[str], Any], known: list[str]) -> Callable[[], Any]:
    """Return what asks one of the questions each time."""
    asked = questions(known)
    return lambda: way(next(asked))


async def interleaved(ways: dict[str, Callable[[], Awaitable[object]]], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways)[turn % 2 :] + list(ways)[: turn % 2]:
            start = time.perf_counter()
            await ways[name]()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(seconds: dict[str, list[float]]) -> float:
    return round(statistics.median(seconds["retriever"]) / statistics.median(seconds["core"]), 3)


def pairs(vectorstore: OpenSearchNeuralSparseVectorStore, known: list[str], *, awaited: bool) -> dict[str, Any]:
    """Return name of a search -> its two ways, the retriever's and the core's, which ask the same questions."""
    store: Any = vectorstore.async_store if awaited else vectorstore.store
    retrievers = {
        "sparse": OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=SIZE),
        "hybrid": OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, k=SIZE),
    }
    found: dict[str, Any] = {}
    for name, retriever in retrievers.items():
        search = store.search if name == "sparse" else store.hybrid_search
        invoke = retriever.ainvoke if awaited else retriever.invoke
        found[name] = {
            "retriever": repeated(invoke, known),
            "core": repeated(partial(search, size=SIZE), known),
        }
    return found


async def awaited_ratios(vectorstore: OpenSearchNeuralSparseVectorStore, known: list[str], rounds: int) -> dict:
    ratios = {}
    for name, ways in pairs(vectorstore, known, awaited=True).items():
        await interleaved(ways, WARM_UP)
        ratios[f"async_{name}"] = ratio(await interleaved(ways, rounds))
    return ratios


async def crowd(vectorstore: OpenSearchNeuralSparseVectorStore, queries: list[str]) -> list[float]:
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=SIZE)

    async def one(query: str) -> float:
        start = time.perf_counter()
        assert len(await retriever.ainvoke(query)) == SIZE
        return time.perf_counter() - start

    await one(queries[0])
    return list(await asyncio.gather(*map(one, queries)))


def threads(vectorstore: OpenSearchNeuralSparseVectorStore, queries: list[str]) -> list[float]:
    def one(query: str) -> float:
        start = time.perf_counter()
        assert len(vectorstore.similarity_search(query, k=SIZE)) == SIZE
        return time.perf_counter() - start

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, queries))


def opened(store: NeuralSparseStore) -> int:
    nodes = store.client().nodes.stats(metric="http")["nodes"].values()
    return sum(node["http"]["total_opened"] for node in nodes)


def measure(vectorstore: OpenSearchNeuralSparseVectorStore, known: list[str], rounds: int) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name, ways in pairs(vectorstore, known, awaited=False).items():
        time_interleaved(ways, rounds=WARM_UP)
        results[name] = ratio(time_interleaved(ways, rounds=rounds))
    results |= asyncio.run(awaited_ratios(vectorstore, known, rounds))
    results["passed"] = all(value <= BAR for value in results.values())
    for name, count, run in (
        ("tasks", TASKS, lambda queries: asyncio.run(crowd(vectorstore, queries))),
        ("threads", THREADS * PER_THREAD, lambda queries: threads(vectorstore, queries)),
    ):
        note(f"{count} questions at once, by {name}")
        before, start = opened(vectorstore.store), time.perf_counter()
        seconds = run(list(islice(questions(known), count)))
        results |= {
            f"{name}_answered": len(seconds),
            f"{name}_per_second": round(count / (time.perf_counter() - start)),
            f"{name}_p50_ms": round(1000 * statistics.median(seconds), 1),
            f"{name}_p99_ms": round(1000 * percentile(seconds, 0.99), 1),
            f"{name}_connections": opened(vectorstore.store) - before,
        }
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="3.6.0")
    parser.add_argument("--url", help="a server that is up already; an index is made there and deleted")
    parser.add_argument("--documents", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=800)
    arguments = parser.parse_args()
    known = words()
    with contextlib.ExitStack() as stack:
        url = arguments.url
        if url is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = DevServer.running(own=True, version=arguments.server, home=home, ephemeral=True)
            url = stack.enter_context(server).url
        index = f"langchain-overhead-{uuid.uuid4().hex}"
        vectorstore = stack.enter_context(OpenSearchNeuralSparseVectorStore(index, url=url, model=MODEL))
        vectorstore.store.create(settings={"number_of_shards": 1})
        stack.callback(vectorstore.store.delete_index)
        vectorstore.store.write(documents(arguments.documents, known, random.Random(0)))
        results = measure(vectorstore, known, arguments.rounds)
    print_report({"benchmark": "langchain_overhead", "bar": BAR, **results, "documents": arguments.documents})


if __name__ == "__main__":
    main()
