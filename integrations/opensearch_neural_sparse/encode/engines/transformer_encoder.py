"""Document encoding with any inference engine: tokenise, batch, run, extract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol, Self, TypeVar

from opensearch_neural_sparse.arguments import check_count, check_text, check_type
from opensearch_neural_sparse.encode.engines.batching import TokenBatch, bounded_batches, pad_batch, plan_batches
from opensearch_neural_sparse.encode.engines.extraction import Entries, VectorMaker
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.truncation import Cut, report_cuts
from opensearch_neural_sparse.errors import NeuralSparseError
from opensearch_neural_sparse.models.files.resolve import ModelFiles

WINDOW = 4096
"""Number of texts tokenised and sorted together."""
WINDOW_CHARACTERS = 32 * 1024 * 1024
"""Characters of these texts: a tokenizer takes some hundred bytes of memory for each before it cuts a text."""
Cuts = dict[str, Cut]
"""Text -> what was cut off it."""
Progress = Callable[[int], None]
Encoded = TypeVar("Encoded")


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


def ensure_several(texts: Sequence[str]) -> None:
    """Raise TypeError for one string in place of a list of texts."""
    if isinstance(texts, str):
        raise TypeError("encode_documents takes a list of texts; for one text, give [text] and take [0].")


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
        check_type(ModelFiles, files=files)
        check_type(SparseTokenizer, tokenizer=tokenizer)
        check_text(prompt=prompt)
        check_count(1, batch_tokens=batch_tokens)
        check_count(1, optional=True, max_active_dims=max_active_dims)
        self.files, self.tokenizer, self.prompt = files, tokenizer, prompt
        self.dtype = dtype
        self.batch_tokens, self.pad_id = batch_tokens, pad_id
        self.max_length = tokenizer.max_length or files.spec.max_length
        self.max_active_dims = max_active_dims
        self.truncations = Truncations()
        self._network: Network | None = network
        self._maker = VectorMaker(tokenizer.tokens, tokenizer.special_ids, max_active_dims=max_active_dims)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        return self._by_windows(texts, self._encode_window, progress)

    def with_settings(self, *, prompt: str, max_active_dims: int | None) -> Self:
        """Return an encoder with other settings and the same network, which either of the two closes.

        Args:
            prompt: Text put before every text.
            max_active_dims: Keep this many of the heaviest tokens of a text; None keeps all.
        """
        if (prompt, max_active_dims) == (self.prompt, self.max_active_dims):
            return self
        return type(self)(
            self.files,
            self.tokenizer,
            self.network,
            prompt=prompt,
            pad_id=self.pad_id,
            batch_tokens=self.batch_tokens,
            max_active_dims=max_active_dims,
            dtype=self.dtype,
        )

    def close(self) -> None:
        """Release the weights; repeated calls have no effect."""
        if self._network is not None:
            self._network.close()
            self._network = None

    def _by_windows(
        self,
        texts: Sequence[str],
        encode: Callable[[Sequence[str], Cuts, Progress], list[Encoded]],
        progress: Progress | None,
    ) -> list[Encoded]:
        """Return what `encode` makes of texts, window by window, and report the texts that were cut."""
        ensure_several(texts)
        cuts: Cuts = {}
        encoded: list[Encoded] = []
        for window in bounded_batches(texts, _length, count=WINDOW, size=WINDOW_CHARACTERS):
            encoded += encode(window, cuts, progress or _ignore)
        report_cuts(cuts, texts)
        return encoded

    def _encode_window(self, texts: Sequence[str], cuts: Cuts, progress: Progress) -> list[SparseVector]:
        vectors = [SparseVector() for _ in texts]
        kept = [position for position, text in enumerate(texts) if text and not text.isspace()]
        if len(kept) < len(texts):
            progress(len(texts) - len(kept))
        encoded = self._encode_texts([texts[position] for position in kept], cuts, progress)
        for position, vector in zip(kept, encoded, strict=True):
            vectors[position] = vector
        return vectors

    def _encode_texts(self, texts: Sequence[str], cuts: Cuts, progress: Progress) -> list[SparseVector]:
        """Return the vectors of texts of which none is blank."""
        vectors = [SparseVector() for _ in texts]
        ids = self._tokenise(texts, cuts)
        for batch in plan_batches(list(map(len, ids)), self.batch_tokens):
            entries = self.network.entries(pad_batch([ids[row] for row in batch], self.pad_id))
            for row, vector in zip(batch, self._maker.vectors(entries, len(batch)), strict=True):
                vectors[row] = vector
            progress(len(batch))
        return vectors

    def _tokenise(self, texts: Sequence[str], cuts: dict[str, Cut]) -> list[list[int]]:
        read = self.tokenizer.batch_cut_documents([self.prompt + text for text in texts])
        for text, (_, dropped) in zip(texts, read, strict=True):
            if dropped:
                cuts[text] = Cut(dropped, self.max_length)
                self.truncations += Truncations(texts=1, tokens=dropped)
        return [ids for ids, _ in read]


def _length(text: str) -> int:
    return len(text or "")


def _ignore(count: int) -> None:
    """Ignore progress."""
