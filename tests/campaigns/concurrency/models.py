"""Two models of a dozen tokens that weigh the same query differently, and documents with weights of their own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path

from opensearch_neural_sparse import ModelFiles, get_model, load_query_encoder, register_model, resolve_files
from tests.toy import IDF, TOKENS, write_doc_only, write_safetensors

QUERY = "red planet mars"
SEARCHED = ("red", "planet", "mars")
OTHER_IDF = {**IDF, "red": 5.5, "planet": 1.25, "mars": 3.0}
NAMES = ("campaign-one", "campaign-two")


@dataclass(frozen=True)
class Model:
    """A model by its registered name.

    Attributes:
        name: The name.
        files: Its files.
        query: Token weights that it gives `QUERY`.
    """

    name: str
    files: ModelFiles
    query: Mapping[str, float]


def write_models(folder: Path) -> tuple[Model, Model]:
    """Write and register two models that differ in the weights of queries alone."""
    one, two = (write_doc_only(folder / name) for name in NAMES)
    table = [OTHER_IDF.get(token, 0.0) for token in TOKENS]
    write_safetensors(two / "query_0_SparseStaticEmbedding" / "model.safetensors", {"weight": table})
    (two / "idf.json").write_text(json.dumps(OTHER_IDF))
    return _registered(one), _registered(two)


def vector_of(document_id: str) -> dict[str, float]:
    """Return the weights of a document, which fields of nine bits hold exactly."""
    digest = hashlib.sha256(document_id.encode()).digest()
    return {token: 0.5 + digest[place] % 32 / 8 for place, token in enumerate(SEARCHED)}


def exact_score(query: Mapping[str, float], document_id: str) -> float:
    """Return the inner product of a query with a document's weights."""
    return sum(query.get(token, 0.0) * weight for token, weight in vector_of(document_id).items())


def is_exact(score: float, query: Mapping[str, float], document_id: str) -> bool:
    """Return whether a score is that of a query, to the last bits of the server's floats."""
    return isclose(score, exact_score(query, document_id), rel_tol=1e-5)


def is_vector_of(document_id: str, vector: Mapping[str, float]) -> bool:
    """Return whether a vector is that of a document, as the shortest decimals that score alike hold it."""
    wanted = vector_of(document_id)
    return wanted.keys() == vector.keys() and all(
        isclose(vector[token], wanted[token], rel_tol=2**-8) for token in wanted
    )


def _registered(folder: Path) -> Model:
    register_model(folder, name=folder.name)
    return Model(
        folder.name, resolve_files(get_model(folder)), load_query_encoder(get_model(folder)).encode_query(QUERY)
    )
