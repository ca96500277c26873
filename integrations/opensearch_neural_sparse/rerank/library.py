"""The library that runs a cross-encoder."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError

_LIBRARIES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "torch": ("sentence_transformers", "encode", "CrossEncoderReranker"),
        "onnx": ("onnxruntime", "onnx", "CrossEncoderReranker with backend='onnx'"),
    }
)
"""Backend -> its module, the extra that brings it, and what needs it."""


def import_library(backend: str) -> Any:
    """Import the library of a backend.

    Args:
        backend: `torch` or `onnx`.

    Raises:
        MissingDependencyError: It is not installed.
    """
    module, extra, feature = _LIBRARIES[backend]
    try:
        return import_module(module)
    except ImportError:
        raise MissingDependencyError(module, extra, feature) from None
