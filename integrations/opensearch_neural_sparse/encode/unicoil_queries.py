"""Queries of uniCOIL: the sum of the weights of a token, in steps of 5 / 256."""

from __future__ import annotations

from collections.abc import Sequence

from opensearch_neural_sparse.arguments import check_count, check_members, check_text
from opensearch_neural_sparse.encode.engines.batching import pad_batch, plan_batches
from opensearch_neural_sparse.encode.engines.extraction import VectorMaker
from opensearch_neural_sparse.encode.engines.scalar.encoders import scalar_network
from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.truncation import Cut, warn_of_cut_queries

LONGEST_QUERY = 128
"""Most tokens of a query, special tokens included, unless a limit is given."""
STEPS, RANGE = 256, 5.0
"""The original counts a weight in steps, of which `STEPS` are a weight of `RANGE`."""


class UniCoilQueryEncoder:
    """Encode queries with a uniCOIL model.

    A token that occurs several times has the sum of its weights, where a document has the largest. Weights are rounded
    to the steps that the original counts in, and are as large as those of documents; its own are 51.2 times as large,
    which leaves the order of results as it is. Special tokens are left out; the original keeps `[SEP]`.

    Args:
        engine: The document encoder of the model, in this process.
        max_length: Longest query in tokens; what follows is cut off.
        prompt: Text put before every query that is not blank.
        max_active_dims: Keep this many of the heaviest tokens of a query; None keeps all.
    """

    def __init__(
        self,
        engine: TransformerDocumentEncoder,
        *,
        max_length: int | None = None,
        prompt: str = "",
        max_active_dims: int | None = None,
    ) -> None:
        check_members("files", "max_length", engine=engine)
        check_count(1, optional=True, max_length=max_length, max_active_dims=max_active_dims)
        check_text(prompt=prompt)
        self.engine = engine
        self.prompt = prompt
        self.max_length = max_length or min(LONGEST_QUERY, engine.max_length)
        self.tokenizer = SparseTokenizer.from_file(engine.files.document_tokenizer, max_length=self.max_length)
        self._maker = VectorMaker(self.tokenizer.tokens, self.tokenizer.special_ids, max_active_dims=max_active_dims)

    def encode_query(self, text: str) -> SparseVector:
        """Return the vector of a query.

        Args:
            text: The query.
        """
        return self.encode_queries([text])[0]

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of queries, in their order.

        Args:
            texts: The queries.
        """
        vectors = [SparseVector() for _ in texts]
        kept = [position for position, text in enumerate(texts) if text and not text.isspace()]
        read = self.tokenizer.batch_cut_documents([self.prompt + texts[position] for position in kept])
        ids = [own for own, _ in read]
        network = scalar_network(self.engine)
        for batch in plan_batches(list(map(len, ids)), self.engine.batch_tokens):
            sums = network.sums(pad_batch([ids[row] for row in batch], self.engine.pad_id))
            for row, vector in zip(batch, self._maker.vectors(sums, len(batch)), strict=True):
                vectors[kept[row]] = _in_steps(vector)
        shown = [texts[position] for position in kept]
        cuts = {text: Cut(count, self.max_length) for text, (_, count) in zip(shown, read, strict=True) if count}
        warn_of_cut_queries(cuts, shown)
        return vectors


def _in_steps(vector: SparseVector) -> SparseVector:
    counted = [(token, round(weight / RANGE * STEPS)) for token, weight in vector.items()]
    kept = [(token, count) for token, count in counted if count]
    return SparseVector.from_trusted([token for token, _ in kept], [count * RANGE / STEPS for _, count in kept])
