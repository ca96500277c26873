from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import ModelFiles, ServerModels, get_model, resolve_files
from tests.paths import SMALL_MODEL
from tests.server_models.encoder_service import EncoderService, encoder_service
from tests.server_models.own_names import own_name


@pytest.fixture(scope="module")
def files() -> ModelFiles:
    return resolve_files(get_model(SMALL_MODEL))


@pytest.fixture
def models(model_client: Any) -> Iterator[ServerModels]:
    with ServerModels(model_client) as models:
        yield models


@pytest.fixture
def named(model_client: Any) -> Iterator[str]:
    """A name of one's own for models, which are removed after the test."""
    with own_name(model_client) as name:
        yield name


@pytest.fixture
def service(files: ModelFiles) -> Iterator[EncoderService]:
    with encoder_service(files) as service:
        yield service
