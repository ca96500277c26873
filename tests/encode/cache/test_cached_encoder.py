import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import (
    CachedDocumentEncoder,
    ModelFiles,
    SparseVector,
    VectorCacheError,
    get_model,
    resolve_files,
)
from opensearch_neural_sparse.encode.cache import sqlite_cache
from tests import toy
from tests.paths import SMALL_MODEL


class CountingEncoder:
    """Gives each known word of a text its length as weight, and counts what it is asked for."""

    def __init__(self, root: Path, *, max_length: int = 512, max_active_dims: int | None = None) -> None:
        self.files: ModelFiles = resolve_files(get_model(root))
        self.max_length, self.max_active_dims = max_length, max_active_dims
        self.encoded: list[str] = []
        self.closed = False

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        self.encoded += texts
        if progress:
            progress(len(texts))
        return [self.vector(text) for text in texts]

    @staticmethod
    def vector(text: str) -> SparseVector:
        return SparseVector({word: 0.125 + len(text) for word in text.split() if word in toy.WORDS})

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return toy.write_doc_only(tmp_path / "model")


def test_texts_are_encoded_once_in_this_process_and_the_next(root: Path, tmp_path: Path) -> None:
    texts = ["red planet", "mars", "", "red planet"]
    for expected in (["red planet", "mars", ""], []):
        inner = CountingEncoder(root)
        encoder = CachedDocumentEncoder(inner, tmp_path / "vectors.sqlite")
        assert encoder.encode_documents(texts) == [inner.vector(text) for text in texts]
        assert inner.encoded == expected
        assert (encoder.hits, encoder.misses) == (4 - len(expected), len(expected))


def test_order_of_tokens_is_kept(root: Path, tmp_path: Path) -> None:
    encoder = CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite")
    for _ in range(2):
        (vector,) = encoder.encode_documents(["rare mars ##s red"])
        assert list(vector) == ["rare", "mars", "##s", "red"]


@pytest.mark.parametrize("other", [{"max_length": 8}, {"max_active_dims": 2}])
def test_other_options_do_not_share_vectors(root: Path, tmp_path: Path, other: dict[str, int]) -> None:
    path = tmp_path / "v.sqlite"
    CachedDocumentEncoder(CountingEncoder(root), path).encode_documents(["red"])
    encoder = CachedDocumentEncoder(CountingEncoder(root, **other), path)
    encoder.encode_documents(["red"])
    assert encoder.misses == 1


def test_other_weights_and_other_variants_do_not_share_vectors(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    CachedDocumentEncoder(CountingEncoder(root), path).encode_documents(["red"])
    variant = CachedDocumentEncoder(CountingEncoder(root), path, variant="int8")
    toy.write_safetensors(root / "document_0_MLMTransformer" / "model.safetensors", {"weights": [0.125] * 10})
    retrained = CachedDocumentEncoder(CountingEncoder(root), path)
    for encoder in (variant, retrained):
        encoder.encode_documents(["red"])
        assert (encoder.hits, encoder.misses) == (0, 1)


def test_what_the_encoder_says_of_itself_is_passed_on(root: Path, tmp_path: Path) -> None:
    inner = CountingEncoder(root, max_length=77, max_active_dims=5)
    with CachedDocumentEncoder(inner, tmp_path / "v.sqlite") as encoder:
        assert (encoder.files, encoder.max_length, encoder.max_active_dims) == (inner.files, 77, 5)
    assert inner.closed
    assert not (tmp_path / "v.sqlite").exists()


def test_progress_counts_every_text_once(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_cache, "TEXTS_PER_COMMIT", 2)
    encoder = CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite")
    for _ in range(2):
        steps: list[int] = []
        encoder.encode_documents(["red", "mars", "is", "the", "rare", "red"], progress=steps.append)
        assert sum(steps) == 6


def test_run_that_is_cut_off_keeps_what_it_has_done(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_cache, "TEXTS_PER_COMMIT", 2)

    class FailingEncoder(CountingEncoder):
        def encode_documents(self, texts, *, progress=None):
            if "rare" in texts:
                raise KeyboardInterrupt
            return super().encode_documents(texts, progress=progress)

    texts = ["red", "mars", "is", "the", "rare"]
    with pytest.raises(KeyboardInterrupt):
        CachedDocumentEncoder(FailingEncoder(root), tmp_path / "v.sqlite").encode_documents(texts)
    encoder = CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite")
    encoder.encode_documents(texts)
    assert (encoder.hits, encoder.misses) == (4, 1)


def test_more_texts_than_one_query_takes_are_found(root: Path, tmp_path: Path) -> None:
    texts = [f"red {number}" for number in range(1203)]
    CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite").encode_documents(texts)
    encoder = CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite")
    vectors = encoder.encode_documents(texts)
    assert (encoder.hits, encoder.misses) == (1203, 0)
    assert [vector["red"] for vector in vectors] == [0.125 + len(text) for text in texts]


def test_threads_share_an_encoder_and_a_file(root: Path, tmp_path: Path) -> None:
    encoder = CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite")
    texts = [f"red {number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda start: encoder.encode_documents(texts[start:]), range(16)))
    for start, vectors in enumerate(results):
        assert [vector["red"] for vector in vectors] == [0.125 + len(text) for text in texts[start:]]
    assert encoder.hits + encoder.misses == sum(40 - start for start in range(16))


@settings(max_examples=25)
@given(texts=st.lists(st.text(max_size=20), max_size=6))
def test_any_text_is_a_key(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    root = toy.write_doc_only(folder / "model")
    for expected in (len(set(texts)), 0):
        encoder = CachedDocumentEncoder(CountingEncoder(root), folder / "v.sqlite")
        encoder.encode_documents(texts)
        assert encoder.misses == expected


def test_lone_surrogate_is_a_key(root: Path, tmp_path: Path) -> None:
    encoder = CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite")
    encoder.encode_documents(["red \ud800", "red"])
    assert encoder.misses == 2


def test_file_that_is_no_database_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "v.sqlite").write_bytes(b"not a database at all, " * 100)
    with pytest.raises(VectorCacheError, match=r"v\.sqlite cannot be used as a vector cache"):
        CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite").encode_documents(["red"])


def test_database_of_something_else_is_left_alone(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE users (name TEXT)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(VectorCacheError, match="of another kind or version"):
        CachedDocumentEncoder(CountingEncoder(root), path).encode_documents(["red"])
    assert path.read_bytes() == before


def test_folder_that_does_not_exist_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(VectorCacheError, match=r"nowhere.v\.sqlite"):
        CachedDocumentEncoder(CountingEncoder(root), tmp_path / "nowhere" / "v.sqlite").encode_documents(["red"])


def test_damaged_vector_is_an_error_and_not_a_wrong_vector(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite"
    encoder = CachedDocumentEncoder(CountingEncoder(root), path)
    encoder.encode_documents(["red planet"])
    database = sqlite3.connect(path)
    (value,) = database.execute("SELECT vector FROM vectors").fetchone()
    with database:
        database.execute("UPDATE vectors SET vector = ?", (value[:-1] + bytes([value[-1] ^ 1]),))
    database.close()
    with pytest.raises(VectorCacheError, match="damaged vector"):
        encoder.encode_documents(["red planet"])


def test_file_holds_no_text(root: Path, tmp_path: Path) -> None:
    CachedDocumentEncoder(CountingEncoder(root), tmp_path / "v.sqlite").encode_documents(["planet confidential"])
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("v.sqlite*"))
    assert stored
    assert b"confidential" not in stored
    assert b"planet" not in stored


def test_number_format_and_prompt_of_our_own_encoders_tell_vectors_apart(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from opensearch_neural_sparse import load_document_encoder

    for misses, options in ((1, {}), (0, {}), (1, {"dtype": "int8"}), (1, {"prompt": "heart: "})):
        with CachedDocumentEncoder(
            load_document_encoder(SMALL_MODEL, engine="onnx", **options), tmp_path / "v.sqlite"
        ) as encoder:
            encoder.encode_documents(["chest pain"])
            assert (encoder.misses, encoder.hits) == (misses, 1 - misses)
