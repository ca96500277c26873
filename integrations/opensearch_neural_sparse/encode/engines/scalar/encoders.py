"""Document encoders of the models that weigh tokens by one linear layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from opensearch_neural_sparse.encode.engines.batching import pad_batch, plan_batches
from opensearch_neural_sparse.encode.engines.scalar.network import ScalarNetwork
from opensearch_neural_sparse.encode.engines.transformer_encoder import (
    Cuts,
    Progress,
    TransformerDocumentEncoder,
    Truncations,
)
from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT, SparseVector
from opensearch_neural_sparse.encode.truncation import Cut
from opensearch_neural_sparse.encode.words import WordTokenizer
from opensearch_neural_sparse.errors import ModelFilesError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TextVectors(NamedTuple):
    """Both vectors of a text, from one forward pass.

    Attributes:
        sparse: Token -> weight.
        dense: Dense vector of length 1.
    """

    sparse: SparseVector
    dense: list[float]


@runtime_checkable
class DenseDocumentEncoder(Protocol):
    """Protocol of document encoders that give a dense vector too, from the same forward pass."""

    def encode_documents_with_dense(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[TextVectors]:
        """Return both vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called after every batch with the number of texts it had.
        """


def encode_with_dense(
    encoder: object, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
) -> list[TextVectors]:
    """Return both vectors of texts, in their order.

    Args:
        encoder: The document encoder of a BGE-M3 model, in this process.
        texts: The texts.
        progress: Called after every batch with the number of texts it had.

    Raises:
        TypeError: The encoder has no dense vectors.
    """
    if not isinstance(encoder, DenseDocumentEncoder):
        raise TypeError(
            f"{type(encoder).__name__} gives no dense vectors. They come with the sparse ones of a BGE-M3 model that "
            "runs in this process: load one without workers, devices, url and cache."
        )
    return encoder.encode_documents_with_dense(texts, progress=progress)


class BgeM3DocumentEncoder(TransformerDocumentEncoder):
    """Encode documents with BGE-M3: by token and, from the same forward pass, densely; options are the same."""

    def encode_documents_with_dense(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[TextVectors]:
        """Return both vectors of documents, in their order; a blank text has an empty sparse one.

        Args:
            texts: The documents.
            progress: Called after every batch with the number of texts it had.

        Raises:
            NeuralSparseError: The encoder is closed.
            ModelFilesError: The weights give values that are not finite.
            TypeError: One string in place of a list of them.
        """
        return self._by_windows(texts, self._encode_both, progress)

    def _encode_both(self, texts: Sequence[str], cuts: Cuts, progress: Progress) -> list[TextVectors]:
        network = scalar_network(self)
        vectors: list[Any] = [None] * len(texts)
        ids = self._tokenise(texts, cuts)
        for batch in plan_batches(list(map(len, ids)), self.batch_tokens):
            entries, dense = network.entries_with_dense(pad_batch([ids[row] for row in batch], self.pad_id))
            for row, sparse, own in zip(batch, self._maker.vectors(entries, len(batch)), dense.tolist(), strict=True):
                blank = not texts[row] or texts[row].isspace()
                vectors[row] = TextVectors(SparseVector() if blank else sparse, own)
            progress(len(batch))
        return vectors


class WordDocumentEncoder(TransformerDocumentEncoder):
    """Encode documents with DeepImpact: the weight of a word is that of its first piece, where it first occurs.

    Punctuation has no weight, nor have words that the longest text cuts off; options are the same.
    """

    @cached_property
    def _words(self) -> WordTokenizer:
        return WordTokenizer.from_file(self.files.document_tokenizer, max_length=self.max_length)

    def _encode_texts(self, texts: Sequence[str], cuts: Cuts, progress: Progress) -> list[SparseVector]:
        vectors = [SparseVector() for _ in texts]
        read = [self._words.pieces(self.prompt + text) for text in texts]
        for text, pieces in zip(texts, read, strict=True):
            if pieces.dropped:
                cuts[text] = Cut(pieces.dropped, self.max_length)
                self.truncations += Truncations(texts=1, tokens=pieces.dropped)
        scorer = scalar_network(self).scorer
        for batch in plan_batches([len(pieces.ids) for pieces in read], self.batch_tokens):
            weights = scorer.scores(pad_batch([read[row].ids for row in batch], self.pad_id)).weights
            for row, own in zip(batch, weights, strict=True):
                vectors[row] = self._word_vector(read[row].places, own)
            progress(len(batch))
        return vectors

    def _word_vector(self, places: dict[str, int], weights: NDArray[np.float32]) -> SparseVector:
        import numpy as np

        own = weights[list(places.values())]
        if not np.isfinite(own).all():
            raise ModelFilesError(
                "The model computed a weight that is not finite: its weights are damaged, or too large for the number "
                "format in use. Encode with dtype='float32', and check the model's files."
            )
        positive = [
            (word, weight) for word, weight in zip(places, own.tolist(), strict=True) if weight >= SMALLEST_WEIGHT
        ]
        if self.max_active_dims is not None:
            positive = sorted(positive, key=lambda entry: -entry[1])[: self.max_active_dims]
        return SparseVector.from_trusted([word for word, _ in positive], [weight for _, weight in positive])


def scalar_network(encoder: TransformerDocumentEncoder) -> ScalarNetwork:
    """Return the network of an encoder of one of these models.

    Raises:
        TypeError: It is of another model.
    """
    if not isinstance(encoder.network, ScalarNetwork):
        raise TypeError(f"{encoder.files.spec.id!r} does not weigh its tokens by one linear layer.")
    return encoder.network
