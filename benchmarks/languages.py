"""Analyzers per language for searches by words, on one question set in several languages.

python -m benchmarks.languages XQUAD_FOLDER --url http://localhost:9200 [--step 10] [--lexical MBERT_FOLDER]

The folder has a collection in BEIR's format for each language, such as `en` and `de`, here those of XQuAD. NDCG@10 of
BM25: in an index for each language, with the analyzer `standard` and with the language's own; in one index of all of
them, with `standard`, with the best of all languages' fields, with the query's language named, and with a filter on it
besides.

`--lexical` adds sparse vectors of every language in that index: a stand-in for `multilingual-v1`, whose encoder of
documents is not at hand. The folder has the model's tokenizer and idf table, by which queries are encoded as with the
model; documents have the BM25 weight of each of their tokens, without a network and so without expansion. The rows are
what the model has to beat; they say nothing of its own relevance.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean

from benchmarks.report import note, print_report
from opensearch_neural_sparse import IndexSchema, NeuralSparseStore, SearchHits, SparseDocument, SparseVector
from opensearch_neural_sparse.evaluate.datasets.beir import Collection, read_collection
from opensearch_neural_sparse.evaluate.experiments.lexical_baseline import lexical_documents, load_lexical_encoder
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, mean_metrics
from opensearch_neural_sparse.index.analyzers import ANALYZERS, STANDARD

Ask = Callable[[NeuralSparseStore, str, str], SearchHits]
SIZE = 10
MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
"""An index needs a model; without others, all documents have the same vector here."""


def read_languages(folder: Path, step: int) -> dict[str, Collection]:
    """Return the collection of each language, with every `step`-th question."""
    found = {path.parent.name: read_collection(path.parent) for path in sorted(folder.glob("*/corpus.jsonl*"))}
    if not found:
        raise SystemExit(f"{folder} has no collection. Give a folder with one for each language, such as en and de.")
    return {
        language: Collection(
            name=collection.name,
            documents=collection.documents,
            queries=dict(list(collection.queries.items())[::step]),
            judgements=collection.judgements,
        )
        for language, collection in found.items()
    }


def texts_of(language: str, collection: Collection) -> dict[str, str]:
    """Return the texts of a language by their ids in an index of several."""
    return {f"{language}-{key}": text for key, text in collection.documents.items()}


@contextmanager
def index_of(
    url: str,
    collections: Mapping[str, Collection],
    languages: Sequence[str],
    vectors: Mapping[str, SparseVector] | None = None,
) -> Iterator[NeuralSparseStore]:
    """Write the texts of languages into one index, analysed by each of `languages`, or by `standard` where none is."""
    same = SparseVector({"the": 1.0})
    analyzers = {language: ANALYZERS.get(language, STANDARD) for language in languages}
    schema = IndexSchema(languages=analyzers, text_analyzer=STANDARD)
    with NeuralSparseStore(f"languages-{uuid.uuid4().hex}", url=url, model=MODEL, schema=schema) as store:
        store.create()
        try:
            store.write(
                SparseDocument(
                    id=key, text=text, vector=(vectors or {}).get(key, same), metadata={"language": language}
                )
                for language, collection in collections.items()
                for key, text in texts_of(language, collection).items()
            )
            yield store
        finally:
            store.delete_index()


def ndcg(store: NeuralSparseStore, language: str, collection: Collection, ask: Ask) -> float:
    """Return the mean NDCG@10 over the questions of a language."""
    run = {key: [hit.id for hit in ask(store, question, language)] for key, question in collection.queries.items()}
    judged = {
        key: {f"{language}-{document}": grade for document, grade in collection.judgements[key].items()} for key in run
    }
    return mean_metrics(judged, run)[NDCG_AT_10]


WAYS: Mapping[str, Ask] = {
    "best of all": lambda store, text, _: store.match_search(text, size=SIZE),
    "language given": lambda store, text, language: store.match_search(text, size=SIZE, language=language),
    "and filtered": lambda store, text, language: store.match_search(
        text, size=SIZE, language=language, filter={"term": {"language": language}}
    ),
}


def measure(
    url: str, collections: Mapping[str, Collection], lexical: Path | None = None
) -> dict[str, dict[str, float]]:
    """Return the NDCG@10 of each way to search, by language."""
    table: dict[str, dict[str, float]] = {}
    for name, analysed in (("an index each, standard", False), ("an index each, by language", True)):
        row = table.setdefault(name, {})
        for language, collection in collections.items():
            with index_of(url, {language: collection}, [language] if analysed else []) as store:
                row[language] = ndcg(store, language, collection, WAYS["best of all"])
    with index_of(url, collections, []) as store:
        table["one index, standard"] = each_language(store, collections, WAYS["best of all"])
    with index_of(url, collections, list(collections)) as store:
        table |= {f"one index, {way}": each_language(store, collections, ask) for way, ask in WAYS.items()}
    return table if lexical is None else table | measure_tokens(url, collections, lexical)


def measure_tokens(url: str, collections: Mapping[str, Collection], folder: Path) -> dict[str, dict[str, float]]:
    """Return the NDCG@10 of sparse vectors without a network, by language."""
    encoder = load_lexical_encoder(folder)
    texts = {key: text for each in collections.items() for key, text in texts_of(*each).items()}
    vectors = lexical_documents(encoder, texts)

    def ask(store: NeuralSparseStore, text: str, language: str | None = None) -> SearchHits:
        clause = None if language is None else {"term": {"language": language}}
        return store.search(encoder.encode_query(text), size=SIZE, filter=clause)

    with index_of(url, collections, [], vectors) as store:
        return {
            "one index, sparse stand-in": each_language(store, collections, lambda store, text, _: ask(store, text)),
            "one index, sparse stand-in, filtered": each_language(store, collections, ask),
        }


def each_language(store: NeuralSparseStore, collections: Mapping[str, Collection], ask: Ask) -> dict[str, float]:
    """Return the mean NDCG@10 over the questions of each language."""
    return {language: ndcg(store, language, collection, ask) for language, collection in collections.items()}


def main() -> None:
    """Measure and print the table and the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://localhost:9200")
    parser.add_argument("--step", type=int, default=10, help="take every step-th question")
    parser.add_argument("--lexical", type=Path, help="folder with tokenizer.json and idf.json of a multilingual model")
    options = parser.parse_args()
    collections = read_languages(options.folder, options.step)
    table = measure(options.url, collections, options.lexical)
    note("| NDCG@10 | " + " | ".join([*collections, "mean"]) + " |")
    for name, row in table.items():
        note(f"| {name} | " + " | ".join(f"{value:.4f}" for value in [*row.values(), fmean(row.values())]) + " |")
    questions = {language: len(collection.queries) for language, collection in collections.items()}
    print_report({"questions": questions, "ndcg@10": table})


if __name__ == "__main__":
    main()
