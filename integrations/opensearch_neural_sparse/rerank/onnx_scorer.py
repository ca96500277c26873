"""Run the ONNX graph of a cross-encoder, without PyTorch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.metadata import read_max_length
from opensearch_neural_sparse.rerank.cross_encoder_files import CrossEncoderFiles
from opensearch_neural_sparse.rerank.library import import_library

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Encoding, Tokenizer

_INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
"""Input of a graph -> the attribute of a tokenized pair that it takes."""
_PADDED = {"input_ids"}
_SURROGATE = re.compile("[\ud800-\udfff]")


class OnnxScorer:
    """Scores pairs by an ONNX graph; several threads may use it at once.

    Args:
        session: An `onnxruntime.InferenceSession` with some of the inputs `input_ids`, `attention_mask` and
            `token_type_ids`, whole numbers [pairs, tokens], and one score a pair as its first output.
        tokenizer: Truncates pairs; it does not pad.
        padding: Id of the padding token.
        batch_size: Most pairs that the graph reads at once.
    """

    def __init__(self, session: Any, tokenizer: Tokenizer, padding: int, batch_size: int) -> None:
        self._session, self._tokenizer = session, tokenizer
        self._padding, self._batch_size = padding, batch_size
        self._inputs = [given.name for given in session.get_inputs()]

    @classmethod
    def load(cls, files: CrossEncoderFiles, batch_size: int, max_length: int | None, threads: int | None) -> Self:
        """Load a cross-encoder.

        Args:
            files: Its files, with a graph.
            batch_size: Most pairs that it reads at once.
            max_length: Longest pair in tokens; None is the model's own.
            threads: Number of threads; None is one for each physical core.

        Raises:
            MissingDependencyError: onnxruntime is not installed.
            ModelFilesError: The graph cannot be loaded, or has other inputs.
        """
        session = _open(files, threads)
        known = [given.name for given in session.get_inputs()]
        if unknown := sorted(set(known) - set(_INPUTS)):
            raise ModelFilesError(f"{files.graph} has the input {unknown[0]!r}; a cross-encoder has {list(_INPUTS)}.")
        longest = read_max_length(files.root)
        tokenizer = _tokenizer(files.root / "tokenizer.json", min(longest, max_length or longest))
        padding = read_object(files.root / "config.json").whole("pad_token_id", 0)
        return cls(session, tokenizer, padding, batch_size)

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the logit of each text for a query."""
        first = _SURROGATE.sub("\ufffd", query)
        pairs = self._tokenizer.encode_batch([(first, _SURROGATE.sub("\ufffd", text)) for text in texts])
        scores = [0.0] * len(pairs)
        # Pairs of like lengths are read together, so that little is padded.
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place].ids))
        for start in range(0, len(order), self._batch_size):
            places = order[start : start + self._batch_size]
            for place, score in zip(places, self._run([pairs[place] for place in places]), strict=True):
                scores[place] = score
        return scores

    def _run(self, pairs: Sequence[Encoding]) -> list[float]:
        import numpy as np

        width = max(len(pair.ids) for pair in pairs)
        feeds = {}
        for name in self._inputs:
            rows = np.full((len(pairs), width), self._padding if name in _PADDED else 0, dtype=np.int64)
            for row, pair in zip(rows, pairs, strict=True):
                values = getattr(pair, _INPUTS[name])
                row[: len(values)] = values
            feeds[name] = rows
        logits = self._session.run(None, feeds)[0]
        scores: list[float] = logits.reshape(len(pairs), -1)[:, 0].tolist()
        return scores


def _open(files: CrossEncoderFiles, threads: int | None) -> Any:
    onnxruntime = import_library("onnx")
    options = onnxruntime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(str(files.graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises errors of its own, of no common base
        raise ModelFilesError(
            f"{files.graph} is not a graph that ONNX Runtime loads ({type(error).__name__})."
        ) from error


def _tokenizer(path: Path, max_length: int) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ModelFilesError(f"{path} is not the file of a fast tokenizer: {error}.") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    return tokenizer
