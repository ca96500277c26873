"""A cross-encoder as teacher: it reads query and text together, and only the candidates, since that is slow."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from examples.train.score_file import ScoreFile

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

    from examples.train.teachers import Scores

KEPT_AT_ONCE = 1024
"""Pairs between two writes to the file: what is lost when training is stopped."""


class CrossEncoderTeacher:
    """Scores of a cross-encoder, without the activation after its last layer, kept in a file.

    Args:
        model: With one score a pair.
        file: Where scores are kept.
        bf16: Whether to compute in bfloat16.

    Attributes:
        computed: Pairs that were not in the file yet.
        found: Pairs that were.
    """

    def __init__(self, model: CrossEncoder, file: ScoreFile, *, bf16: bool = False) -> None:
        if model.num_labels != 1:
            raise SystemExit(f"--teacher gives {model.num_labels} scores a pair. Name a cross-encoder that gives one.")
        self._model, self._file, self._bf16 = model, file, bf16
        self._identity = f"{fingerprint(model)} {'bfloat16' if bf16 else 'float32'}"
        self.computed = self.found = 0

    @classmethod
    def load(cls, source: str, file: Path, *, bf16: bool = False) -> CrossEncoderTeacher:
        """Load a folder or a hub id."""
        from sentence_transformers import CrossEncoder

        return cls(CrossEncoder(source), ScoreFile(file), bf16=bf16)

    def score_candidates(
        self, queries: Sequence[str], documents: Sequence[str], candidates: NDArray[np.bool_]
    ) -> Scores:
        """Return the scores [queries, documents], minus infinity where there is no candidate."""
        scores = np.full(candidates.shape, -np.inf, dtype=np.float32)
        places = [(int(row), int(column)) for row, column in np.argwhere(candidates)]
        for start in range(0, len(places), KEPT_AT_ONCE):
            part = places[start : start + KEPT_AT_ONCE]
            values = self._score([(queries[row], documents[column]) for row, column in part])
            for place, value in zip(part, values, strict=True):
                scores[place] = value
        return scores

    def _score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        import torch

        known = self._file.read(self._identity, pairs)
        missing = list(dict.fromkeys(pair for pair in pairs if pair not in known))
        self.computed, self.found = self.computed + len(missing), self.found + len(known)
        if missing:
            with torch.autocast(self._model.device.type, dtype=torch.bfloat16, enabled=self._bf16):
                values = self._model.predict(missing, activation_fn=torch.nn.Identity(), show_progress_bar=False)
            made = dict(zip(missing, map(float, values), strict=True))
            self._file.write(self._identity, made)
            known |= made
        return [known[pair] for pair in pairs]


def fingerprint(model: CrossEncoder) -> str:
    """Return a hash of the weights, the tokenizer and the longest input: other scores have another one."""
    import torch
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_padding()  # which, like truncation, is that of the last call
    tokenizer.no_truncation()
    digest = sha256(f"{model.max_seq_length} {tokenizer.to_str()}".encode())
    for name, weight in model.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
