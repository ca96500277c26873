"""Encode texts by a lexical baseline, which any sparse model has to beat: token weights without a network.

A query has the idf weight of each of its tokens, as with a doc-only model; a document has the BM25 term frequency
weight of each of its tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from opensearch_neural_sparse.encode.query_encoder import IdfQueryEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.models.files.idf import read_idf

K1, B = 1.2, 0.75
"""Usual constants of BM25: term frequency saturation and length normalisation."""


def load_lexical_encoder(folder: Path) -> IdfQueryEncoder:
    """Load an idf query encoder from `tokenizer.json` and `idf.json` of a folder; it does not truncate texts.

    Raises:
        ModelFilesError: A file is missing, damaged, or belongs to another vocabulary.
    """
    tokenizer = SparseTokenizer.from_file(folder / "tokenizer.json")
    return IdfQueryEncoder(
        tokenizer, read_idf(folder / "idf.json", tokenizer.vocabulary, ignored=tokenizer.special_ids)
    )


def lexical_documents(encoder: IdfQueryEncoder, texts: Mapping[str, str]) -> dict[str, SparseVector]:
    """Encode documents by their term frequencies; lengths count tokens with an idf weight.

    Args:
        encoder: Encoder whose idf table selects the tokens.
        texts: Document id -> text.
    """
    counted = {key: _count(encoder, text) for key, text in texts.items()}
    mean = fmean(map(Counter.total, counted.values())) or 1.0
    return {key: _weigh(counts, counts.total() / mean) for key, counts in counted.items()}


def _count(encoder: IdfQueryEncoder, text: str) -> Counter[str]:
    kept, tokens = encoder.encode_query(text), encoder.tokenizer.tokens
    return Counter(token for index in encoder.tokenizer.query_ids(text) if (token := tokens[index]) in kept)


def _weigh(counts: Counter[str], length: float) -> SparseVector:
    slowness = K1 * (1 - B + B * length)
    return SparseVector.from_trusted(counts, (n * (K1 + 1) / (n + slowness) for n in counts.values()))
