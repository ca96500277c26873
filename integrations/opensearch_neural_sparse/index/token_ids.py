"""Token ids: integer keys of a `sparse_vector` field, in place of tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.words import WordVocabulary
from opensearch_neural_sparse.errors import IndexSchemaError, InvalidVectorError

TOKEN_ID_KEY = "token_id"  # noqa: S105  a word of the stamp
LARGEST_TOKEN_ID = 32_767


class TokenIds:
    """Vocabulary of an index's model, for writing, searching and reading by token id.

    Args:
        load: Returns token -> id; called once, when a vector is first translated.
    """

    def __init__(self, load: Callable[[], Mapping[str, int]]) -> None:
        self._load = load

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        """Token -> id.

        Raises:
            IndexSchemaError: It is larger than the field supports.
        """
        vocabulary = self._load()
        if isinstance(vocabulary, WordVocabulary):
            raise IndexSchemaError(
                f"A sparse_vector field has token ids up to {LARGEST_TOKEN_ID} for keys, and the model of this index "
                "gives whole words, which have none. Use FieldType.RANK_FEATURES."
            )
        largest = max(vocabulary.values(), default=0)
        if largest > LARGEST_TOKEN_ID:
            raise IndexSchemaError(
                f"A sparse_vector field has token ids up to {LARGEST_TOKEN_ID}, this vocabulary up to {largest}: "
                "the server folds larger ids onto smaller ones. Use FieldType.RANK_FEATURES."
            )
        return vocabulary

    def ensure_told_apart(self) -> None:
        """Raise IndexSchemaError if the vocabulary is larger than the field supports."""
        self.vocabulary  # noqa: B018  reading it checks it

    def to_ids(self, vector: SparseVector) -> dict[str, float]:
        """Return id -> weight of a document.

        Raises:
            InvalidVectorError: A token that the model does not have.
        """
        for token, weight in vector.items():
            if token not in self.vocabulary:
                raise InvalidVectorError(token, weight, "the model of the index has no such token, so it has no id")
        return self.known_ids(vector)

    def known_ids(self, vector: Mapping[str, float]) -> dict[str, float]:
        """Return id -> weight of a query; unknown tokens match nothing and are left out."""
        known = self.vocabulary
        return {str(known[token]): weight for token, weight in vector.items() if token in known}

    def to_tokens(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Return token -> weight of a stored vector; unknown ids stay as they are."""
        return {self._tokens.get(key, key): weight for key, weight in weights.items()}

    @cached_property
    def _tokens(self) -> Mapping[str, str]:
        return {str(number): token for token, number in self.vocabulary.items()}
