"""Sparse embeddings that carry the model that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from haystack.dataclasses import SparseEmbedding

from opensearch_neural_sparse.layer_support import check_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensearch_neural_sparse import ModelBinding, ModelFiles, SparseVector


class _TracedSparseEmbedding(SparseEmbedding):
    """A `SparseEmbedding` with its origin: the vector that it was made of, and the model.

    It equals and serialises as a plain one. Copies of it and of the documents that hold it keep the origin;
    `dataclasses.replace` on the embedding itself, `to_dict` and pickling give one without.
    """

    _made_of: tuple[tuple[int, ...], SparseVector] | None = None
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, vector: SparseVector, vocabulary: Mapping[str, int], origin: Any) -> Self:
        """Return the embedding of a vector, which it keeps beside its token ids and weights.

        Args:
            vector: Token -> weight.
            vocabulary: Token -> id.
            origin: What the class takes as its third argument.
        """
        embedding = cls(*vector.to_ids(vocabulary), origin)  # type: ignore[call-arg]
        embedding.__dict__["_made_of"] = tuple(embedding.indices), vector
        return embedding

    @property
    def vector(self) -> SparseVector | None:
        """The vector that it was made of; None where there was none, or `indices` or `values` were changed since."""
        if self._made_of is None:
            return None
        ids, vector = self._made_of
        unchanged = tuple(self.indices) == ids and [*self.values] == [*vector.weights]
        return vector if unchanged else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseEmbedding):
            return NotImplemented
        return (self.indices, self.values) == (other.indices, other.values)

    def __copy__(self) -> Self:
        return self._copy(self.indices, self.values)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._copy(list(self.indices), list(self.values))

    def _copy(self, indices: list[int], values: list[float]) -> Self:
        copied = self.__class__.__new__(self.__class__)
        copied.__dict__.update(self.__dict__, indices=indices, values=values)
        return copied

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.indices)} tokens)"

    def __reduce__(self) -> tuple[type[SparseEmbedding], tuple[list[int], list[float]]]:
        return SparseEmbedding, (self.indices, self.values)


class QuerySparseEmbedding(_TracedSparseEmbedding):
    """The vector of a query.

    Args:
        indices: Token ids.
        values: Their weights.
        files: Files of the model that made it; None where not known.
    """

    def __init__(self, indices: list[int], values: list[float], files: ModelFiles | None = None) -> None:
        check_list(indices=indices, values=values)
        super().__init__(indices, values)
        self.files = files


class DocumentSparseEmbedding(_TracedSparseEmbedding):
    """The vector of a document.

    Args:
        indices: Token ids.
        values: Their weights.
        binding: The model and settings that made it; None where not known.
    """

    def __init__(self, indices: list[int], values: list[float], binding: ModelBinding | None = None) -> None:
        check_list(indices=indices, values=values)
        super().__init__(indices, values)
        self.binding = binding
