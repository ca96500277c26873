from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from opensearch_neural_sparse import DocumentEncoder, load_document_encoder
from tests.encode.remote.stub import OwnStub, TeiStub
from tests.paths import SMALL_MODEL

STUBS = {"own": OwnStub, "tei": TeiStub}


@pytest.fixture(scope="session")
def local() -> Iterator[DocumentEncoder]:
    """The bundled model, in this process."""
    encoder = load_document_encoder(SMALL_MODEL, engine="onnx", threads=1)
    yield encoder
    encoder.close()


@pytest.fixture(params=STUBS)
def stub(request: pytest.FixtureRequest, local: DocumentEncoder) -> Iterator[OwnStub | TeiStub]:
    """An encoder behind HTTP with the bundled model, of each interface."""
    with STUBS[request.param](local) as stub:
        yield stub


@pytest.fixture(scope="session")
def without_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model as a machine has it that only uses an encoder elsewhere."""
    folder = tmp_path_factory.mktemp("models") / "small-en"
    copytree(SMALL_MODEL, folder, ignore=ignore_patterns("model.safetensors"))
    return folder
