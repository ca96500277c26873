"""The demo's index: the passages, each with the vector that the bundled model makes of it."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from platformdirs import user_cache_path

from examples.demo.progress import bar
from examples.demo.show import say
from opensearch_neural_sparse import (
    CachedDocumentEncoder,
    FieldVector,
    IndexNotFoundError,
    ModelSpec,
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
)

INDEX = "opensearch-neural-sparse-demo"
MODEL_FOLDER = Path(__file__).resolve().parents[1] / "models" / "small-en"


def index(
    store: NeuralSparseStore,
    encoder: CachedDocumentEncoder,
    documents: list[SparseDocument],
    also: Mapping[str, ModelSpec] | None = None,
) -> None:
    """Encode the documents, or find their vectors in the cache, and write them to a new index.

    Args:
        store: The index.
        encoder: The encoder.
        documents: The documents.
        also: Further sparse field -> its model, which gives documents the vectors that the store's model gives them.
    """
    with suppress(IndexNotFoundError):
        store.delete_index()
    store.create()
    for name, model in (also or {}).items():
        store.add_field(name, model=model, shards=())
    bindings = store.open().schema.bindings
    began = perf_counter()
    with bar() as progress:
        task = progress.add_task("encode", total=len(documents))
        vectors = encoder.encode_documents(
            [document.text for document in documents], progress=lambda count: progress.advance(task, count)
        )
    say(
        f"Encoded on the CPU, without torch: {encoder.misses} passages now, {encoder.hits} vectors reused from "
        f"the cache of an earlier run, {perf_counter() - began:.1f} s"
    )
    began = perf_counter()
    report = store.write(
        (
            SparseDocument(
                id=document.id,
                text=document.text,
                metadata=document.metadata,
                vector=vector,
                more_vectors={name: FieldVector(vector=vector, model=bindings[name].marker) for name in also or ()},
            )
            for document, vector in zip(documents, vectors, strict=True)
        ),
        options=WriteOptions(refresh=True, in_flight=1),
    )
    say(f"Wrote {report.written} documents to the index {store.index!r}, which now carries its model, "
        f"{perf_counter() - began:.1f} s\n")  # fmt: skip


def cache_file() -> Path:
    """Return the file in which vectors wait for the next run."""
    folder = os.environ.get("OPENSEARCH_NEURAL_SPARSE_CACHE") or user_cache_path("opensearch-neural-sparse")
    file = Path(folder) / "demo" / "vectors.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
