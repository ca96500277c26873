"""The bundled model's vectors of a judged collection, kept for the next benchmark."""

from pathlib import Path
from tempfile import gettempdir
from time import perf_counter

from opensearch_neural_sparse import CachedDocumentEncoder, SparseVector, load_document_encoder
from opensearch_neural_sparse.evaluate.datasets.beir import Collection

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SIZE = 10


def encode(collection: Collection, model: Path) -> tuple[dict[str, SparseVector], float]:
    """Return each document's vector and the seconds it took; vectors of an earlier run are reused."""
    began = perf_counter()
    with CachedDocumentEncoder(load_document_encoder(model), Path(gettempdir()) / "relevance.sqlite") as encoder:
        vectors = encoder.encode_documents(list(collection.documents.values()))
    return dict(zip(collection.documents, vectors, strict=True)), perf_counter() - began
