"""The web page over a few documents, and a real browser that looks at it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from examples.web.app import create_app
from examples.web.two_models import FIELD, SCHEMA, network_model
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    FieldVector,
    ModelSpec,
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
    get_model,
    load_query_encoder,
)
from scripts import chromium
from tests.conftest import RunningServer, give_up
from tests.examples.web.serving import HOST, serving
from tests.paths import SMALL_MODEL

LONG = 25
LONG_NAME = "long.name_of_a_module.AndOfAClassWithoutAnyBreak.and_of_a_method_in_it"
MARKUP = """River <script>window.broken = "script"</script><img src="x" onerror="window.broken = 'image'"> & map"""
DOCUMENTS = (
    ("geo.river", "A river carries water to the sea.", {"river": 2.0, "water": 1.0, "ocean": 0.75}),
    ("geo.atlas", "An atlas holds a map of each country.", {"map": 2.0, "atlas": 1.0, "river": 0.5}),
    ("geo.ocean", "The ocean is deep.", {"ocean": 2.0, "deep": 1.0, "river": 0.25}),
    (LONG_NAME, "A map " * 100, {"map": 0.5}),
    ("web.<i>markup</i>", MARKUP, {"river": 1.5, "map": 0.5}),
)
TOPICS = {"geo.river": "water", "geo.ocean": "water", "geo.atlas": "maps", LONG_NAME: "maps"}
METADATA = {"topic": "any", "kind": "prose"}
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        give_up("No Chromium for this test. Where apt-get may be used, python scripts/chromium.py installs one.")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=path, args=chromium.FLAGS) as it:
        yield it


def app_over(url: str, index: str, network: AsyncNeuralSparseStore | None = None) -> Any:
    model = get_model(str(SMALL_MODEL))
    encoder = load_query_encoder(model)
    store = AsyncNeuralSparseStore(index, url=url, model=model, query_encoder=encoder)
    return create_app(store, encoder.tokenizer, network)


@pytest.fixture(scope="module")
def app(server: RunningServer) -> Iterator[Any]:
    index = f"test-{uuid.uuid4().hex}"
    with NeuralSparseStore(index, url=server.url, model=str(SMALL_MODEL)) as store:
        store.create(settings={"number_of_shards": 1})
        documents = [
            SparseDocument(id=name, text=text, vector=vector, metadata=METADATA | {"topic": TOPICS.get(name, "web")})
            for name, text, vector in DOCUMENTS
        ]
        store.write(documents, options=WriteOptions(refresh=True))
        yield app_over(server.url, index)
        store.delete_index()


@pytest.fixture(scope="module")
def long_address(server: RunningServer) -> Iterator[str]:
    """The page over more documents than it shows at once; what words rank first, tokens rank last."""
    index = f"test-{uuid.uuid4().hex}"
    with NeuralSparseStore(index, url=server.url, model=str(SMALL_MODEL)) as store:
        store.create(settings={"number_of_shards": 1})
        documents = [
            SparseDocument(
                id=f"map-{number:02}",
                text="A map. " * 3 + "Of land. " * number,
                metadata={"topic": "odd" if number % 2 else "even", "kind": "prose"},
                vector={"map": 1.0 + number / 16},
            )
            for number in range(LONG)
        ]
        store.write(documents, options=WriteOptions(refresh=True))
        with serving(app_over(server.url, index)) as port:
            yield f"http://{HOST}:{port}/"
        store.delete_index()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    """The second model."""
    return network_model(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def models_address(server: RunningServer, network: ModelSpec) -> Iterator[str]:
    """The page over documents that two models rank in opposite orders, as their vectors differ here."""
    index = f"test-{uuid.uuid4().hex}"
    with NeuralSparseStore(index, url=server.url, model=str(SMALL_MODEL)) as store:
        store.create(settings={"number_of_shards": 1})
        store.add_field(FIELD, model=network, shards=())
        marker = store.open().schema.bindings[FIELD].marker
        documents = [
            SparseDocument(
                id=name,
                text="A river.",
                metadata=METADATA,
                vector={"river": 3.0 - number},
                more_vectors={FIELD: FieldVector(vector={"river": 1.0 + number, "rivers": 0.5}, model=marker)},
            )
            for number, name in enumerate(("first", "second", "third"))
        ]
        store.write(documents, options=WriteOptions(refresh=True))
        encoder = load_query_encoder(network, engine="onnx")
        second = AsyncNeuralSparseStore(index, url=server.url, model=network, schema=SCHEMA, query_encoder=encoder)
        with serving(app_over(server.url, index, second)) as port:
            yield f"http://{HOST}:{port}/"
        store.delete_index()


@pytest.fixture(scope="module")
def address(app: Any) -> Iterator[str]:
    with serving(app) as port:
        yield f"http://{HOST}:{port}/"


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of; a test that provokes some takes them out."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str]) -> Iterator[OpenPage]:
    """Open pages in a browser of given traits: `open_page(address, viewport=..., color_scheme=...)`."""
    contexts: list[BrowserContext] = []

    def open_page(address: str, **traits: Any) -> Page:
        contexts.append(browser.new_context(**traits))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
