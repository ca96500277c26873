"""A sparse vector: an immutable mapping of token to weight."""

from __future__ import annotations

import math
from array import array
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from numbers import Integral
from typing import Self

from opensearch_neural_sparse.arguments import check_count, check_list, check_members, check_texts, check_type
from opensearch_neural_sparse.errors import InvalidVectorError

SMALLEST_WEIGHT = 1.17549435e-38
"""The smallest weight `rank_features` accepts: the smallest positive normal float32."""
LARGEST_WEIGHT = 3.4028234663852886e38
"""The largest finite float32."""


def _check_entry(token: object, weight: object) -> float:
    if not isinstance(token, str) or not token:
        raise InvalidVectorError(token, weight, "a token is a string that is not empty")
    if isinstance(weight, bool):
        raise InvalidVectorError(token, weight, "a weight is a number")
    try:
        value = float(weight)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise InvalidVectorError(token, weight, "a weight is a number") from None
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise InvalidVectorError(token, weight, "a weight is finite")
    if not SMALLEST_WEIGHT <= value <= LARGEST_WEIGHT:
        raise InvalidVectorError(token, weight, f"a weight is at least {SMALLEST_WEIGHT} and at most {LARGEST_WEIGHT}")
    return value


def _are_valid(weights: dict[str, float]) -> bool:
    """Return whether all entries are valid, checked as a whole for speed."""
    if set(map(type, weights)) != {str} or set(map(type, weights.values())) != {float} or "" in weights:
        return False
    lightest, heaviest = min(weights.values()), max(weights.values())
    return lightest >= SMALLEST_WEIGHT and heaviest <= LARGEST_WEIGHT and not math.isnan(sum(weights.values()))


def _refuse_ids(indices: Sequence[int], values: Sequence[float], tokens: Sequence[str]) -> None:
    seen = set()
    for index, value in zip(indices, values, strict=True):
        token = _token_of(index, tokens)
        if token is None:
            raise InvalidVectorError(index, value, f"the vocabulary has the ids 0 to {len(tokens) - 1}")
        if token in seen:
            raise InvalidVectorError(token, value, f"token id {index} occurs twice")
        seen.add(token)


def _token_of(index: int, tokens: Sequence[str]) -> str | None:
    try:
        return tokens[index] if index >= 0 else None
    except LookupError:
        return None


class SparseVector(Mapping[str, float]):
    """Immutable mapping of token to weight; every weight is a positive normal float32.

    Being a `Mapping`, it goes wherever a read-only dict of weights goes. It keeps tokens and weights side by side, in
    less than half of a dict's memory; a dict is made when one is first needed. Its `repr` shows its size alone, so that
    no traceback or log line holds a vector.

    Args:
        weights: Token -> weight.

    Raises:
        InvalidVectorError: A token is not a non-empty string, or a weight is not a positive, finite, normal float32.

    Examples:
        >>> vector = SparseVector({"hello": 1.5, "world": 0.5})
        >>> vector.dot({"hello": 2.0})
        3.0
    """

    __slots__ = ("_by_token", "_packed", "_tokens")
    _tokens: tuple[str, ...]
    _packed: bytes
    _by_token: dict[str, float] | None

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        check_type(Mapping, optional=True, weights=weights)
        given = dict(weights or {})
        if not _are_valid(given):
            given = {token: _check_entry(token, weight) for token, weight in given.items()}
        self._keep(given, given.values())

    @classmethod
    def from_trusted(cls, tokens: Iterable[str], weights: Iterable[float]) -> Self:
        """Make a vector from an encoder's valid output, without checks.

        Args:
            tokens: The tokens, each of them once.
            weights: Their weights, in the same order.
        """
        vector = cls.__new__(cls)
        vector._keep(tokens, weights)  # noqa: SLF001
        return vector

    def _keep(self, tokens: Iterable[str], weights: Iterable[float]) -> None:
        self._tokens = tuple(tokens)
        self._packed = array("d", weights).tobytes()
        self._by_token = None

    @classmethod
    def from_ids(cls, indices: Iterable[int], values: Iterable[float], tokens: Sequence[str]) -> Self:
        """Make a vector of token ids and weights.

        Args:
            indices: Token ids.
            values: Their weights, in the same order.
            tokens: The vocabulary: `tokens[id]` is the token of `id`.

        Raises:
            InvalidVectorError: An id is outside the vocabulary or occurs twice, or a weight is not valid.
        """
        check_type(Iterable, indices=indices, values=values)
        check_members("__getitem__", "__len__", tokens=tokens)
        ids, given = list(indices), list(values)
        check_list((int, Integral), indices=ids)
        if len(ids) != len(given):
            raise ValueError(f"values has one for each of the {len(ids)} indices, got {len(given)}.")
        try:
            named = [tokens[index] for index in ids]
        except LookupError:
            named = []
        if len(named) < len(ids) or min(ids, default=0) < 0:
            _refuse_ids(ids, given, tokens)
        check_texts(tokens=named)
        weights = dict(zip(named, given, strict=True))
        if len(weights) < len(ids):
            _refuse_ids(ids, given, tokens)
        return cls(weights)

    def to_ids(self, vocabulary: Mapping[str, int]) -> tuple[list[int], list[float]]:
        """Return token ids and weights, in the vector's own order.

        Args:
            vocabulary: Token -> id.

        Raises:
            InvalidVectorError: A token is not in the vocabulary.
        """
        check_type(Mapping, vocabulary=vocabulary)
        try:
            return [vocabulary[token] for token in self._tokens], [*self.weights]
        except KeyError:
            token, weight = next((token, self[token]) for token in self._tokens if token not in vocabulary)
            raise InvalidVectorError(token, weight, "the vocabulary does not have this token") from None

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens, in the vector's own order."""
        return self._tokens

    @property
    def weights(self) -> memoryview[float]:
        """Weights of `tokens`, in the same order, as a read-only float64 buffer."""
        return memoryview(self._packed).cast("d")

    def dot(self, other: Mapping[str, float]) -> float:
        """Return the dot product with another vector.

        Args:
            other: A vector of the same model.
        """
        check_type(Mapping, other=other)
        large: Mapping[str, float]
        small, large = sorted((self._lookup(), _lookup_of(other)), key=len)
        return math.fsum(weight * large[token] for token, weight in small.items() if token in large)

    def top(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` heaviest entries, heaviest first, equal weights by token.

        Args:
            count: Most entries.
        """
        check_count(count=count)
        entries = zip(self._tokens, self.weights, strict=True)
        return sorted(entries, key=lambda entry: (-entry[1], entry[0]))[:count]

    def to_dict(self) -> dict[str, float]:
        """Return a new dict of token -> weight."""
        return dict(zip(self._tokens, self.weights, strict=True))

    def __getitem__(self, token: str) -> float:
        return self._lookup()[token]

    def __contains__(self, token: object) -> bool:
        return token in self._lookup()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def items(self) -> ItemsView[str, float]:
        """Return a view of the entries."""
        return self._lookup().items()

    def values(self) -> ValuesView[float]:
        """Return a view of the weights."""
        return self._lookup().values()

    def __eq__(self, other: object) -> bool:
        return self._lookup() == _lookup_of(other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._lookup().items()))

    def __repr__(self) -> str:
        return f"SparseVector({len(self)} tokens)"

    def _lookup(self) -> dict[str, float]:
        if self._by_token is None:
            self._by_token = self.to_dict()
        return self._by_token


def _lookup_of(weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return the weights in the mapping with the fastest token lookup."""
    return weights._lookup() if isinstance(weights, SparseVector) else weights  # noqa: SLF001
