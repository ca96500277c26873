"""Model metadata from the model's own files."""

from __future__ import annotations

from math import prod
from pathlib import Path

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.fingerprints import (
    read_tokenizer,
    token_ids,
    tokenizer_fingerprint,
    vocabulary_fingerprint,
)
from opensearch_neural_sparse.models.files.json_file import JsonObject, read_object
from opensearch_neural_sparse.models.files.layout import find_file, read_layout
from opensearch_neural_sparse.models.files.safetensors import tensor_places
from opensearch_neural_sparse.models.files.scalar.families import TRAITS
from opensearch_neural_sparse.models.spec import ModelSpec

SERVER_TOKENIZERS = {
    "82aa00c710d9ba2d2f00d548ae715773128ebdfcc01ee8080befe9aecab141c1": "bert-uncased",
    "a9a3124b91c689d77df4bcc21df6bfb906a82edaeac645b60f009c8ce3930678": "mbert-uncased",
}
"""Tokenizer fingerprint -> the server's analyzer with the same vocabulary."""
ENGLISH_VOCABULARY = "0fd8e5fc013d4f01648d5ee9922b4d79b89eb7f8831e8d80698a54f90136f594"
"""Vocabulary fingerprint of BERT's uncased English models."""
COUNTED_AFTER_PADDING = frozenset({"camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "xmod"})
"""Model types beside RoBERTa's of which positions begin after the id of the padding token."""
NO_LIMIT = 1_000_000
"""Length limits above this are transformers' placeholder for no limit."""


def read_spec(root: Path, *, id: str, path: Path | None = None) -> ModelSpec:  # noqa: A002  the field's name
    """Read a model's specification from the files in its folder.

    Args:
        root: The folder.
        id: What the model is called.
        path: The folder again for a model that lives there, None for one of the hub.

    Raises:
        ModelFilesError: A file is missing, damaged, or contradicts another; the message names it.
    """
    layout = read_layout(root)
    document = root / layout.document
    config = read_object(document / "config.json")
    tokenizer = find_file(root / layout.query / "tokenizer.json", root / "tokenizer.json")
    content = read_tokenizer(tokenizer)
    size = _vocabulary_size(config, tokenizer, max(token_ids(content).values()) + 1)
    return ModelSpec(
        id=id,
        name=id.rpartition("/")[2],
        mode=layout.mode,
        activation=layout.activation,
        family=layout.family,
        pooling=layout.pooling,
        path=path,
        tokenizer=id if layout.family in TRAITS else SERVER_TOKENIZERS.get(tokenizer_fingerprint(content), id),
        vocabulary_size=size,
        max_length=read_max_length(document),
        parameters=_count_parameters(document / "model.safetensors"),
        backbone=config.text("model_type", "unknown"),
        languages=("en",) if vocabulary_fingerprint(content) == ENGLISH_VOCABULARY else (),
    )


def read_max_length(document: Path) -> int:
    """Read the maximum text length of a transformer, in tokens with special tokens.

    Raises:
        ModelFilesError: `config.json` is missing, or no file names a limit.
    """
    config = read_object(document / "config.json")
    limits = [count_positions(config) or 0]
    for name, key in (("tokenizer_config.json", "model_max_length"), ("sentence_bert_config.json", "max_seq_length")):
        if (document / name).exists():
            limits.append(_limit(read_object(document / name), key))
    known = [limit for limit in limits if 0 < limit < NO_LIMIT]
    if not known:
        raise ModelFilesError(
            f"{document / 'config.json'} names no max_position_embeddings, and no other file a limit."
        )
    return min(known)


def check_activations(config: JsonObject) -> None:
    """Check that a transformer's config.json names its activation by a text.

    Transformers before 5 takes any value, and fails at the first text.

    Raises:
        ModelFilesError: A value is no text.
    """
    for name in ("activation", "hidden_act", "hidden_activation"):
        config.text(name, "")


def count_positions(config: JsonObject, *, least: int = 0) -> int | None:
    """Return how many tokens of a text have a position, by a transformer's config.json; None where it does not say.

    Raises:
        ModelFilesError: They are fewer than `least`, or the file has something else there.
    """
    if config.content.get("max_position_embeddings") is None:
        return None
    kind = config.text("model_type", "")
    after_padding = "roberta" in kind or kind in COUNTED_AFTER_PADDING
    unused = config.whole("pad_token_id", 1) + 1 if after_padding else 0
    return config.whole("max_position_embeddings", least=least + unused) - unused


def _limit(settings: JsonObject, key: str) -> int:
    """Return a limit of a text's length; transformers writes a float of 30 digits where there is none."""
    value = settings.content.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= NO_LIMIT:
        return 0
    return settings.whole(key, 0)


def _vocabulary_size(config: JsonObject, tokenizer: Path, needed: int) -> int:
    size = config.whole("vocab_size", least=1)
    if size < needed:
        raise ModelFilesError(f"{config.path} says vocab_size {size}, but {tokenizer} has {needed} tokens.")
    return size


def _count_parameters(weights: Path) -> int | None:
    if not weights.is_file():
        return None
    return sum(prod(place.shape) for place in tensor_places(weights).values())
