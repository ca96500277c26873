"""Document encoding with any inference engine: tokenise, batch, run, extract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol, Self

from opensearch_neural_sparse.encode.engines.batching import TokenBatch, pad_batch, plan_batches
from opensearch_neural_sparse.encode.engines.extraction import Entries, VectorMaker
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.truncation import Cut, report_cuts
from opensearch_neural_sparse.errors import NeuralSparseError
from opensearch_neural_sparse.models.files.resolve import ModelFiles

WINDOW = 4096
"""Number of texts tokenised and sorted together."""


class Network(Protocol):
    """Protocol of inference engines: from token ids to the positive entries of the activations [B, V].

    Attributes:
        batch_tokens: How many tokens at once, padding included, suit it.
    """

    batch_tokens: int

    def entries(self, batch: TokenBatch) -> Entries:
        """Return the positive entries of a batch, by row."""

    def close(self) -> None:
        """Release the weights."""


@dataclass(frozen=True, kw_only=True)
class Truncations:
    """Truncation counts of an encoder since its creation.

    Attributes:
        texts: How many texts were longer than `max_length`.
        tokens: How many of their tokens were left out.
    """

    texts: int = 0
    tokens: int = 0

    def __add__(self, other: Truncations) -> Truncations:
        return Truncations(texts=self.texts + other.texts, tokens=self.tokens + other.tokens)


class TransformerDocumentEncoder:
    """Encode documents with a transformer on any inference engine.

    Copies are the encoder itself, since they share its network; it cannot be pickled.

    A text that is empty or blank gives an empty vector. A text longer than `max_length` is cut, of which a
    `TruncationWarning` says so once a call, and `truncations` counts.

    Args:
        files: The model's files.
        tokenizer: The document tokenizer, with its truncation.
        network: What runs the model.
        prompt: Text put before every document.
        pad_id: Token id of padding.
        batch_tokens: Most tokens that the network sees at once, padding included; longer texts are run alone.
        max_active_dims: Keep this many of the heaviest tokens of a document; None keeps all.
        dtype: Number format that the network runs in.

    Attributes:
        truncations: What has been cut off so far.
    """

    def __init__(
        self,
        files: ModelFiles,
        tokenizer: SparseTokenizer,
        network: Network,
        *,
        prompt: str = "",
        pad_id: int = 0,
        batch_tokens: int,
        max_active_dims: int | None = None,
        dtype: str = "float32",
    ) -> None:
        self.files, self.tokenizer, self.prompt = files, tokenizer, prompt
        self.dtype = dtype
        self.batch_tokens, self.pad_id = batch_tokens, pad_id
        self.max_length = tokenizer.max_length or files.spec.max_length
        self.max_active_dims = max_active_dims
        self.truncations = Truncations()
        self._network: Network | None = network
        self._maker = VectorMaker(tokenizer.tokens, tokenizer.special_ids, max_active_dims=max_active_dims)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError(
            f"The document encoder of {self.files.spec.id!r} holds a model in memory and cannot be pickled. Load it "
            "where it is used, or pickle a store with model=... and encoder_options=..., which does."
        )

    @property
    def network(self) -> Network:
        """Inference engine with the loaded model.

        Raises:
            NeuralSparseError: The encoder is closed.
        """
        if self._network is None:
            raise NeuralSparseError(f"The document encoder of {self.files.spec.id!r} is closed. Load it again.")
        return self._network

    @property
    def variant(self) -> str:
        """Number format and prompt, which distinguish vectors of the same weights and limits."""
        return f"{self.dtype}, prompt {self.prompt!r}"

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called after every batch with the number of texts it had.

        Raises:
            NeuralSparseError: The encoder is closed.
            ModelFilesError: The weights give values that are not finite.
            TypeError: One string in place of a list of them.
        """
        if isinstance(texts, str):
            raise TypeError("encode_documents takes a list of texts; for one text, give [text] and take [0].")
        cuts: dict[str, Cut] = {}
        vectors: list[SparseVector] = []
        for start in range(0, len(texts), WINDOW):
            vectors += self._encode_window(texts[start : start + WINDOW], cuts, progress or _ignore)
        report_cuts(cuts, texts)
        return vectors

    def close(self) -> None:
        """Release the weights; repeated calls have no effect."""
        if self._network is not None:
            self._network.close()
            self._network = None

    def _encode_window(
        self, texts: Sequence[str], cuts: dict[str, Cut], progress: Callable[[int], None]
    ) -> list[SparseVector]:
        vectors = [SparseVector() for _ in texts]
        kept = [position for position, text in enumerate(texts) if text and not text.isspace()]
        if len(kept) < len(texts):
            progress(len(texts) - len(kept))
        ids = self._tokenise([texts[position] for position in kept], cuts)
        for batch in plan_batches(list(map(len, ids)), self.batch_tokens):
            entries = self.network.entries(pad_batch([ids[row] for row in batch], self.pad_id))
            for row, vector in zip(batch, self._maker.vectors(entries, len(batch)), strict=True):
                vectors[kept[row]] = vector
            progress(len(batch))
        return vectors

    def _tokenise(self, texts: Sequence[str], cuts: dict[str, Cut]) -> list[list[int]]:
        prompted = [self.prompt + text for text in texts]
        ids = self.tokenizer.batch_document_ids(prompted)
        for text, whole, own in zip(texts, prompted, ids, strict=True):
            if len(own) >= self.max_length and (
                dropped := self.tokenizer.dropped_tokens(whole, add_special_tokens=True)
            ):
                cuts[text] = Cut(dropped, self.max_length)
                self.truncations += Truncations(texts=1, tokens=dropped)
        return ids


def _ignore(count: int) -> None:
    """Ignore progress."""
