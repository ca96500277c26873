"""What a student learns from, and what finds hard negatives: anything that scores queries against documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from examples.train.stemmed import StemmedTeacher
from examples.train.student import Student, minilm_folder
from opensearch_neural_sparse.encode.query_encoder import IdfQueryEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.evaluate.experiments.exact_search import ExactRanker
from opensearch_neural_sparse.evaluate.experiments.lexical_baseline import lexical_documents

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Scores = NDArray[np.float32]
"""A row for each query, a column for each document."""


class Teacher(Protocol):
    def score(self, queries: Sequence[str], documents: Sequence[str]) -> Scores: ...


class LexicalTeacher:
    """Tokens weighed by idf in the query and as in BM25 in the document; no network."""

    def __init__(self, student: Student) -> None:
        self._encoder = IdfQueryEncoder(student.tokenizer, student.idf)

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        vectors = lexical_documents(self._encoder, {str(place): text for place, text in enumerate(documents)})
        return _rank_all(self._encoder.encode_queries(queries), vectors)


class StudentTeacher:
    """The student as it is now: what it mistakes for an answer is what it has to learn."""

    def __init__(self, student: Student) -> None:
        self._student = student
        self._encoder = IdfQueryEncoder(student.tokenizer, student.idf)

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        rows = self._student.encoder.encode_document(list(documents), batch_size=8)
        decoded = self._student.encoder.decode(rows)
        found = map(dict, decoded)
        vectors = {str(place): SparseVector.from_trusted(held, held.values()) for place, held in enumerate(found)}
        return _rank_all(self._encoder.encode_queries(queries), vectors)


class DenseTeacher:
    """Cosines of all-MiniLM-L6-v2, computed in bfloat16 if the student is."""

    def __init__(self, model: SentenceTransformer | None = None, *, bf16: bool = False) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = model or SentenceTransformer(str(minilm_folder()), local_files_only=True)
        self._bf16 = bf16

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> Scores:
        import torch

        with torch.autocast(self._model.device.type, dtype=torch.bfloat16, enabled=self._bf16):
            sides = [self._model.encode(list(side), normalize_embeddings=True) for side in (queries, documents)]
        return np.asarray(sides[0] @ sides[1].T, dtype=np.float32)


def make_teacher(name: str, student: Student, *, bf16: bool = False) -> Teacher:
    """Return the teacher of a name: dense, lexical, stemmed or student."""
    if name == "dense":
        return DenseTeacher(bf16=bf16)
    if name == "stemmed":
        return StemmedTeacher()
    return {"lexical": LexicalTeacher, "student": StudentTeacher}[name](student)


def fuse(scores: Sequence[Scores]) -> Scores:
    """Bring each teacher's scores of each query's candidates between 0 and 1, and take their mean.

    What is minus infinity in a row is no candidate, and stays so.
    """
    return np.mean([_min_max(rows) for rows in scores], axis=0, dtype=np.float32)


def _min_max(rows: Scores) -> Scores:
    candidates = np.isfinite(rows)
    low = np.where(candidates, rows, np.inf).min(axis=1, keepdims=True)
    high = rows.max(axis=1, keepdims=True)
    return np.where(candidates, (rows - low) / np.maximum(high - low, 1e-9), -np.inf).astype(np.float32)


def _rank_all(queries: Sequence[SparseVector], documents: dict[str, SparseVector]) -> Scores:
    ranker, scores = ExactRanker(documents), np.zeros((len(queries), len(documents)), dtype=np.float32)
    for row, query in zip(scores, queries, strict=True):
        for place, score in ranker.rank(query, len(documents)).items():
            row[int(place)] = score
    return scores
