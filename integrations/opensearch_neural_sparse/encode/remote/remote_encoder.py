"""Document encoder behind HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from threading import Event
from typing import Self

from opensearch_neural_sparse.encode.engines.transformer_encoder import Truncations, ensure_several
from opensearch_neural_sparse.encode.remote.batches import RemoteText, split_texts
from opensearch_neural_sparse.encode.remote.connection import EncoderConnection
from opensearch_neural_sparse.encode.remote.encoder_answers import EncodedText, Interface, UnfitAnswerError
from opensearch_neural_sparse.encode.remote.encoder_info import EncoderInfo, read_info
from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions, RemoteProtocol
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.truncation import Cut, report_cuts
from opensearch_neural_sparse.errors import NeuralSparseError, RemoteEncoderError
from opensearch_neural_sparse.models.files.resolve import ModelFiles

_DIVIDED_STATUSES = frozenset({413, 422})
"""Statuses after which a request is halved: it is too large, or a text of it is refused."""

Batch = Sequence[RemoteText]


class RemoteDocumentEncoder:
    """Encode documents by an encoder behind HTTP; `load_document_encoder(url=...)` makes one.

    Texts travel in requests of several, of which some are under way at once. A blank text is not sent. Every answer is
    checked: it has a vector of each text, with tokens of the model and finite, positive weights; and that of our own
    service says which model it is from. Copies share nothing but their options; it can be pickled.

    Args:
        files: The model's files, with the fingerprint of its document side.
        connection: To the encoder.
        info: Its description.
        interface: Its requests and answers.
        options: How texts are sent.
        prompt: Text put before every document here; the service of this package puts the model's own there.
        max_active_dims: Keep this many of the heaviest tokens of a document; None keeps what the encoder gives.

    Attributes:
        truncations: What has been cut off so far.
    """

    def __init__(
        self,
        files: ModelFiles,
        connection: EncoderConnection,
        info: EncoderInfo,
        interface: Interface,
        *,
        options: RemoteOptions,
        prompt: str = "",
        max_active_dims: int | None = None,
    ) -> None:
        self.files, self.info, self.options, self.prompt = files, info, options, prompt
        self.truncations = Truncations()
        self._connection, self._interface = connection, interface
        self._trimmed_to = max_active_dims
        self._closed = False

    @property
    def url(self) -> str:
        """Address of the encoder."""
        return self._connection.url

    @property
    def max_length(self) -> int:
        """Longest text in tokens, as the encoder says."""
        return self.info.max_length

    @property
    def max_active_dims(self) -> int | None:
        """Maximum number of tokens of a vector; None keeps all."""
        return self.info.max_active_dims if self._trimmed_to is None else self._trimmed_to

    @property
    def variant(self) -> str:
        """Address, number format and prompt, which distinguish vectors of the same weights and limits."""
        return f"{self.info.dtype or self.info.protocol} at {self.url}, prompt {self.prompt!r}"

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called after every request with the number of texts it had.

        Raises:
            RemoteEncoderError: The encoder does not answer, refuses a text, or answers with something else than the
                vectors of this model.
            NeuralSparseError: This encoder is closed.
            TypeError: One string in place of a list of them.
        """
        ensure_several(texts)
        if self._closed:
            raise NeuralSparseError(f"The document encoder of {self.files.spec.id!r} is closed. Load it again.")
        vectors = [SparseVector()] * len(texts)
        sent = [RemoteText(place, self._sent(text)) for place, text in enumerate(texts) if text and not text.isspace()]
        if progress is not None and len(sent) < len(texts):
            progress(len(texts) - len(sent))
        cuts: dict[str, Cut] = {}
        for batch, encoded in self._answers(self._batches(sent, len(texts)), len(texts)):
            for text, (vector, dropped) in zip(batch, encoded, strict=True):
                vectors[text.position] = self._trimmed(vector)
                if dropped:
                    cuts[texts[text.position]] = Cut(dropped, self.max_length)
                    self.truncations += Truncations(texts=1, tokens=dropped)
            if progress is not None:
                progress(len(batch))
        if sent and self.info.protocol is RemoteProtocol.TEI:
            self._ensure_unchanged()
        report_cuts(cuts, texts)
        return vectors

    def close(self) -> None:
        """Close the connections; repeated calls have no effect."""
        self._closed = True
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _sent(self, text: str) -> str:
        # Half of a surrogate pair, as a cut-off emoji leaves it, is no Unicode; tokenizers here leave it out, too.
        return self.prompt + text.encode("utf-8", "ignore").decode()

    def _trimmed(self, vector: SparseVector) -> SparseVector:
        if self._trimmed_to is None or len(vector) <= self._trimmed_to:
            return vector
        return SparseVector(dict(vector.top(self._trimmed_to)))

    def _batches(self, texts: Sequence[RemoteText], total: int) -> list[list[RemoteText]]:
        longest = self.info.most_characters
        for text in texts:
            if longest is not None and len(text.content) > longest:
                raise self._refusal(text, total, f"takes texts of up to {longest:,} characters", None)
        limits = [number for number in (self.info.most_texts, self.info.most_at_once) if number is not None]
        size = max(1, min([self.options.batch_size, *limits]))
        return split_texts(texts, size=size, characters=self.options.batch_characters)

    def _answers(self, batches: Sequence[Batch], total: int) -> Iterator[tuple[Batch, list[EncodedText]]]:
        abandoned = Event()
        if len(batches) < 2:
            yield from ((batch, self._encode(batch, total, abandoned)) for batch in batches)
            return
        with ThreadPoolExecutor(self._at_once(batches), thread_name_prefix="remote-encoder") as pool:
            futures = [pool.submit(copy_context().run, self._encode, batch, total, abandoned) for batch in batches]
            try:
                yield from ((batch, future.result()) for batch, future in zip(batches, futures, strict=True))
            finally:
                abandoned.set()
                pool.shutdown(wait=False, cancel_futures=True)

    def _at_once(self, batches: Sequence[Batch]) -> int:
        most = self.info.most_at_once
        fitting = self.options.in_flight if most is None else most // max(map(len, batches))
        return max(1, min(self.options.in_flight, fitting, len(batches)))

    def _encode(self, batch: Batch, total: int, abandoned: Event) -> list[EncodedText]:
        texts = [text.content for text in batch]
        try:
            answer = self._connection.request(
                "POST", self._interface.path, self._interface.body(texts), abandoned=abandoned
            )
            return self._interface.read(answer, texts)
        except UnfitAnswerError as unfit:
            raise self._connection.error(
                unfit.reason, status=200, of_texts=unfit.of_texts, remedy=unfit.remedy
            ) from None
        except RemoteEncoderError as error:
            if error.status not in _DIVIDED_STATUSES:
                raise
            if len(batch) == 1:
                raise self._refusal(batch[0], total, error.reason, error.status) from None
        middle = len(batch) // 2
        return [*self._encode(batch[:middle], total, abandoned), *self._encode(batch[middle:], total, abandoned)]

    def _refusal(self, text: RemoteText, total: int, reason: str, status: int | None) -> RemoteEncoderError:
        length = len(text.content)
        reason = f"{reason}; text {text.position + 1} of {total} has {length:,} characters"
        return self._connection.error(reason, status=status, of_texts=True, remedy="Split or leave out that text.")

    def _ensure_unchanged(self) -> None:
        """Raise RemoteEncoderError where the encoder runs another model than at first."""
        now = request_info(self._connection, self.options)
        if replace(now, most_texts=None, most_at_once=None) != replace(self.info, most_texts=None, most_at_once=None):
            raise self._connection.error(
                f"encodes with another model than at first: {_shown(now)}, not {_shown(self.info)}",
                status=200,
                remedy="Start it with the model of the index, or write to an index of its model.",
            )


def request_info(connection: EncoderConnection, options: RemoteOptions) -> EncoderInfo:
    """Return the description that an encoder gives.

    Args:
        connection: To the encoder.
        options: The expected interface.

    Raises:
        RemoteEncoderError: No answer, or none that says it.
    """
    try:
        return read_info(connection.request("GET", "/info"), RemoteProtocol(options.protocol))
    except ValueError as error:
        remedy = "Is it an encoder of this package, or Text Embeddings Inference?"
        raise connection.error(f"was not understood: {error}", status=200, remedy=remedy) from None


def _shown(info: EncoderInfo) -> str:
    parts = [info.model, info.revision, info.dtype, f"{info.max_length} tokens"]
    return " ".join(part for part in parts if part)
