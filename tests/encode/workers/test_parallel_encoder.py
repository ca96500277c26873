from __future__ import annotations

import copy
import logging
import pickle
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import CachedDocumentEncoder, DocumentEncoder
from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.engine import Engine
from opensearch_neural_sparse.encode.engines.transformer_encoder import Truncations
from opensearch_neural_sparse.encode.truncation import Cut, collected_cuts
from opensearch_neural_sparse.encode.workers.parallel_encoder import ParallelDocumentEncoder
from opensearch_neural_sparse.errors import InvalidVectorError, NeuralSparseError, TruncationWarning
from opensearch_neural_sparse.models.files.resolve import Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.agreement import assert_agree
from tests.encode.texts import ODD_TEXTS
from tests.encode.workers import loaders
from tests.paths import ROOT, SMALL_MODEL

FILES = resolve_files(get_model(SMALL_MODEL), side=Side.DOCUMENT)
MANY = [f"{text} number {number}" for number in range(12) for text in ODD_TEXTS if 0 < len(text) < 500]
LONG = "rain " * 600
SENTENCE = "Currently New York is rainy."


def fragile(folder: Path | None = None, devices: tuple[str, ...] = ("left", "right")) -> ParallelDocumentEncoder:
    load = partial(loaders.load_fragile, folder)
    return ParallelDocumentEncoder(load, FILES, devices=devices, engine=Engine.ONNX)


@pytest.fixture(scope="module")
def encoders() -> Iterator[tuple[Any, ParallelDocumentEncoder]]:
    one = load_document_encoder(FILES, engine="onnx", threads=1)
    with load_document_encoder(FILES, engine="onnx", workers=2, threads=1) as several:
        assert isinstance(several, ParallelDocumentEncoder)
        yield one, several


def test_several_processes_give_the_vectors_of_one(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    one, several = encoders
    assert_agree(several.encode_documents([*MANY, *ODD_TEXTS]), one.encode_documents([*MANY, *ODD_TEXTS]))


@pytest.mark.slow
def test_the_torch_engine_gives_the_vectors_of_one_process() -> None:
    one = load_document_encoder(FILES, engine="torch", device="cpu")
    with load_document_encoder(FILES, engine="torch", devices=["cpu", "cpu"]) as several:
        assert_agree(several.encode_documents(MANY), one.encode_documents(MANY))


def test_a_batch_has_exactly_the_vectors_of_one_process(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    one, several = encoders
    assert several.encode_documents([SENTENCE, "", "rain"]) == one.encode_documents([SENTENCE, "", "rain"])


def test_the_encoder_is_one_of_documents_with_the_same_traits(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    one, several = encoders
    assert isinstance(several, DocumentEncoder)
    traits = [(each.max_length, each.max_active_dims, each.variant, each.files) for each in (one, several)]
    assert traits[0] == traits[1]
    assert len(set(several.pids)) == 2


def test_options_reach_the_processes() -> None:
    with load_document_encoder(FILES, workers=2, max_active_dims=3, max_length=16, prompt="weather: ") as several:
        (vector,) = several.encode_documents([SENTENCE])
        one = load_document_encoder(FILES, max_active_dims=3, max_length=16, prompt="weather: ")
        assert_agree([vector], one.encode_documents([SENTENCE]))
        assert (several.max_active_dims, several.max_length, several.variant) == (3, 16, one.variant)


def test_tokens_are_shared_by_the_vectors_of_batches(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    _, several = encoders
    first, second = (several.encode_documents([SENTENCE])[0].tokens for _ in range(2))
    assert all(token is other for token, other in zip(first, second, strict=True))


def test_vectors_are_in_the_order_of_the_texts_and_made_by_all_processes() -> None:
    texts = [f"word{number} {'x' * (number % 7)} {loaders.SLOW if number < 2 else ''}" for number in range(100)]
    with fragile() as encoder:
        vectors = encoder.encode_documents(texts)
    assert all(f"word{number}" in vector for number, vector in enumerate(vectors))
    assert {("left" in vector, "right" in vector) for vector in vectors} == {(True, False), (False, True)}


def test_a_small_call_goes_to_one_process() -> None:
    with fragile() as encoder:
        vectors = [encoder.encode_documents([word])[0] for word in "abcd"]
    assert len({vector.tokens[1:] for vector in vectors}) == 1


def test_no_text_gives_no_vector_and_blank_texts_empty_ones(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    _, several = encoders
    assert several.encode_documents([]) == []
    assert [len(vector) for vector in several.encode_documents(["", " \n", "\t"])] == [0, 0, 0]


def test_one_string_is_not_taken_for_a_list_of_letters(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    with pytest.raises(TypeError, match="takes a list of texts"):
        encoders[1].encode_documents(SENTENCE)


def test_progress_counts_every_text_once(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    counts: list[int] = []
    encoders[1].encode_documents(MANY, progress=counts.append)
    assert sum(counts) == len(MANY)
    assert len(counts) > 1


def test_an_error_of_the_progress_ends_the_call_and_nothing_else(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encoders[1].encode_documents(MANY, progress=stop)
    assert len(encoders[1].encode_documents(["rain"])[0]) > 0


def test_cut_texts_are_warned_of_once_a_call_by_the_caller() -> None:
    with load_document_encoder(FILES, workers=2) as encoder:
        with pytest.warns(TruncationWarning) as caught:
            encoder.encode_documents([*MANY, LONG, LONG])
        (warning,) = caught
        assert str(warning.message).startswith(f"2 of {len(MANY) + 2} texts have more than 512 tokens; what follows, ")
        assert encoder.truncations == Truncations(texts=2, tokens=2 * 90)


def test_cuts_reach_the_collector_of_the_caller(encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    with warnings.catch_warnings(), collected_cuts() as cuts:
        warnings.simplefilter("error")
        encoders[1].encode_documents([*MANY, LONG])
    assert cuts == {LONG: Cut(90, 512)}


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (loaders.WRONG, InvalidVectorError, f"Token {loaders.WRONG!r} has weight -1: it is wrong."),
        (loaders.ODD, NeuralSparseError, "OddError: odd 1"),
    ],
)
def test_an_error_of_a_process_is_raised_by_the_call(text: str, kind: type[Exception], message: str) -> None:
    with fragile() as encoder:
        before = encoder.start().pids
        with pytest.raises(kind) as raised:
            encoder.encode_documents([text, *"abcdefgh"])
        assert (type(raised.value), str(raised.value)) == (kind, message)
        assert "In an encoding process" in raised.value.__notes__[0]
        assert len(encoder.encode_documents(["a"])[0]) > 0
        assert encoder.pids == before


def test_an_error_of_loading_is_raised_as_itself() -> None:
    encoder = ParallelDocumentEncoder(loaders.load_nothing, FILES, devices=("left", "right"), engine=Engine.ONNX)
    with pytest.raises(InvalidVectorError, match="left has no encoder"):
        encoder.start()
    assert encoder.pids == []
    with pytest.raises(ValueError, match=r"max_length is 2.*3 to 512"):
        load_document_encoder(FILES, workers=2, max_length=2)


def test_a_closed_encoder_has_no_processes_and_says_so() -> None:
    encoder = fragile().start()
    encoder.close()
    encoder.close()
    assert encoder.pids == []
    with pytest.raises(NeuralSparseError, match="is closed"):
        encoder.encode_documents([SENTENCE])


def test_an_encoder_that_is_closed_while_it_encodes_says_so() -> None:
    encoder = fragile().start()
    threading.Timer(0.2, encoder.close).start()
    with pytest.raises(NeuralSparseError, match="closed"):
        encoder.encode_documents([loaders.SLOW] * 200)


def test_a_copy_shares_the_processes_and_a_pickle_starts_its_own() -> None:
    with fragile().start() as encoder:
        assert copy.copy(encoder) is encoder
        assert copy.deepcopy([encoder])[0] is encoder
        with pickle.loads(pickle.dumps(encoder)) as other:
            assert other.pids == []
            assert {"a", "left"} <= set(other.encode_documents(["a"])[0])
            assert not set(other.pids) & set(encoder.pids)


def test_threads_share_the_processes() -> None:
    found: dict[int, list[Any]] = {}

    def encode(number: int) -> None:
        found[number] = encoder.encode_documents([f"text{number} {place}" for place in range(50)])

    with fragile() as encoder:
        threads = [threading.Thread(target=encode, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(encoder.pids) == 2
    assert sorted(found) == [0, 1, 2, 3]
    assert all(f"text{number}" in vector for number, vectors in found.items() for vector in vectors)


def test_a_cache_serves_one_process_and_several(tmp_path: Path, encoders: tuple[Any, ParallelDocumentEncoder]) -> None:
    one, several = encoders
    caches = [CachedDocumentEncoder(each, tmp_path / "vectors.sqlite") for each in (several, one)]
    first, second = (cache.encode_documents(MANY) for cache in caches)
    assert first == second
    assert (caches[0].misses, caches[1].misses) == (len(set(MANY)), 0)


def test_what_processes_take_is_logged_when_they_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="opensearch_neural_sparse"), fragile(devices=("cpu",) * 40) as encoder:
        encoder._checked_threads()
    described, *obstacles = caplog.messages
    assert described.startswith("Encoding by 40 processes of 1 threads: some ")
    assert any("slower than a thread for each core" in obstacle for obstacle in obstacles)


def test_processes_end_with_the_program(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from opensearch_neural_sparse import load_document_encoder\n"
        "if __name__ == '__main__':\n"
        f"    encoder = load_document_encoder({str(SMALL_MODEL)!r}, workers=2)\n"
        "    encoder.encode_documents(['rain'])\n"
        "    print(*encoder.pids)\n"
    )
    result = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    wait_for_end(map(int, result.stdout.split()))


def wait_for_end(pids: Iterator[int], seconds: float = 10) -> None:
    """Wait until no such process runs."""
    end = time.monotonic() + seconds
    for pid in pids:
        while Path(f"/proc/{pid}").exists():
            assert time.monotonic() < end, f"process {pid} still runs"
            time.sleep(0.05)
