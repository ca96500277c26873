"""Real look-ups and loads in a cache laid out as the hub's; the hub itself is never asked."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from opensearch_neural_sparse import (
    Mode,
    ModelFiles,
    ModelFilesError,
    Pooling,
    Side,
    get_model,
    load_query_encoder,
    resolve_files,
)
from opensearch_neural_sparse.models.files import resolve as files_module
from tests import toy
from tests.paths import SMALL_MODEL
from tests.snapshots import to_hub_cache

SPEC = get_model("doc-v3-distill")
PINNED = SPEC.revision or ""
NEWER = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the hub was asked")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    monkeypatch.setattr("opensearch_neural_sparse.models.files.hub.ensure_reachable", lambda *_: None)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    toy.write_doc_only(tmp_path / "source", hub=True, activation="log1p_relu")
    to_hub_cache(tmp_path / "source", tmp_path / "cache", repo=SPEC.id, revision=PINNED)
    return tmp_path / "cache"


def test_folder_is_resolved_to_its_parts() -> None:
    files = resolve_files(get_model(SMALL_MODEL))
    assert files.root == SMALL_MODEL
    assert files.revision is None
    assert files.query_tokenizer == SMALL_MODEL / "query_0_SparseStaticEmbedding" / "tokenizer.json"
    assert files.idf == SMALL_MODEL / "idf.json"
    assert files.document == SMALL_MODEL / "document_0_MLMTransformer"
    assert files.weights == (SMALL_MODEL / "document_0_MLMTransformer" / "model.safetensors",)
    assert len(files.weights_sha256) == len(files.query_sha256) == 64


def test_pinned_commit_in_the_cache_is_used_without_the_hub(cache: Path) -> None:
    files = resolve_files(SPEC, cache_dir=cache)
    assert files.revision == PINNED
    assert files.root == cache / f"models--{SPEC.id.replace('/', '--')}" / "snapshots" / PINNED
    assert files.document == files.root


def test_cache_of_the_environment_is_used(cache: Path) -> None:
    code = f"from opensearch_neural_sparse import *; print(resolve_files(get_model({SPEC.name!r})).revision)"
    environment = {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == PINNED


def test_branch_is_resolved_to_its_commit_offline(cache: Path, tmp_path: Path) -> None:
    to_hub_cache(tmp_path / "source", cache, repo=SPEC.id, revision=NEWER, branch="main")
    files = resolve_files(replace(SPEC, revision=None), cache_dir=cache, local_files_only=True)
    assert files.revision == NEWER
    assert resolve_files(SPEC, revision=NEWER, cache_dir=cache).revision == NEWER


def test_query_side_needs_no_weights(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for weights in cache.rglob("*.safetensors"):
        weights.unlink()
    files = resolve_files(SPEC, side=Side.QUERY, cache_dir=cache)
    assert files.document is None
    assert dict(load_query_encoder(files).encode_query("Red planets")) == {"red": 2.5, "planet": 4.25, "##s": 0.5}
    with pytest.raises(ModelFilesError, match=r"Only the query side of .* was resolved"):
        _ = files.weights_sha256
    with pytest.raises(ModelFilesError, match=r"(?s)neither model.safetensors nor .*hf download .*doc-v3-distill"):
        resolve_files(SPEC, cache_dir=cache)


def test_query_weights_are_found_in_the_tensor_file_alone(cache: Path) -> None:
    for table in cache.rglob("idf.json"):
        table.unlink()
    files = resolve_files(SPEC, side=Side.QUERY, cache_dir=cache)
    assert files.idf == files.root / "query_0_SparseStaticEmbedding" / "model.safetensors"
    assert dict(load_query_encoder(files).encode_query("mars is the red rare")) == {
        "mars": 5.0,
        "is": 0.125,
        "red": 2.5,
    }


def test_repository_without_modules_has_its_parts_at_the_root(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path / "source")
    toy.write_json(tmp_path / "source" / "idf.json", toy.IDF)
    to_hub_cache(tmp_path / "source", tmp_path / "cache", repo=SPEC.id, revision=PINNED)
    files = resolve_files(SPEC, cache_dir=tmp_path / "cache")
    assert (files.idf, files.idf_tensor, files.document) == (files.root / "idf.json", None, files.root)
    assert files.spec == replace(SPEC, max_length=48)
    assert dict(load_query_encoder(files).encode_query("red")) == {"red": 2.5}


def test_both_sides_of_a_bi_encoder_are_its_transformer(tmp_path: Path) -> None:
    files = resolve_files(get_model(toy.write_bi_encoder(tmp_path)), side=Side.QUERY)
    assert files.idf is None
    assert files.document == tmp_path
    assert files.query_sha256 == files.weights_sha256


def test_activation_is_the_one_of_the_files(tmp_path: Path) -> None:
    toy.write_doc_only(tmp_path / "source", hub=True, activation="relu")
    to_hub_cache(tmp_path / "source", tmp_path / "cache", repo=SPEC.id, revision=PINNED)
    assert resolve_files(SPEC, cache_dir=tmp_path / "cache").spec.activation == "relu"


@pytest.mark.parametrize("name", ["local_files_only", "HF_HUB_OFFLINE"])
def test_offline_and_not_in_the_cache_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1" if name == "HF_HUB_OFFLINE" else "0")
    with pytest.raises(ModelFilesError) as caught:
        resolve_files(SPEC, cache_dir=tmp_path, local_files_only=name == "local_files_only")
    for part in (SPEC.id, PINNED, f"hf download {SPEC.id} --revision {PINNED}", "cache_dir", "HF_TOKEN"):
        assert part in str(caught.value)


def test_tokenizer_that_is_missing_is_named(tmp_path: Path) -> None:
    (toy.write_bi_encoder(tmp_path) / "tokenizer.json").rename(tmp_path / "vocab.txt")
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json is missing"):
        resolve_files(replace(SPEC, mode=Mode.BI_ENCODER, path=tmp_path))


class Hub:
    """Stands where the hub client is: it brings the files that match from a folder, or fails as told."""

    def __init__(self, source: Path, cache: Path, error: Exception | None = None) -> None:
        self.source, self.cache, self.error = source, cache, error
        self.asked: list[dict[str, Any]] = []

    def __call__(self, repo: str, **options: Any) -> str:
        self.asked.append({"repo": repo, **options})
        if self.error:
            raise self.error
        snapshot = self.cache / f"models--{repo.replace('/', '--')}" / "snapshots" / NEWER
        names = [path.relative_to(self.source).as_posix() for path in self.source.rglob("*") if path.is_file()]
        for name in huggingface_hub.utils.filter_repo_objects(names, allow_patterns=options["allow_patterns"]):
            (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
            (snapshot / name).write_bytes((self.source / name).read_bytes())
        return str(snapshot)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    source = toy.write_doc_only(tmp_path / "source", hub=True)
    (source / "onnx").mkdir()
    for unwanted in ("onnx/model.onnx", "pytorch_model.bin", "README.md"):
        (source / unwanted).touch()
    hub = Hub(source, tmp_path / "cache")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    return hub


def downloaded(files: ModelFiles) -> set[str]:
    return {path.relative_to(files.root).as_posix() for path in files.root.rglob("*") if path.is_file()}


def test_query_side_of_a_doc_only_model_downloads_small_files_alone(hub: Hub, tmp_path: Path) -> None:
    files = resolve_files(SPEC, side=Side.QUERY, cache_dir=tmp_path / "cache", token="secret")
    assert files.revision == NEWER
    assert downloaded(files) == {
        "modules.json",
        "router_config.json",
        "config.json",
        "tokenizer.json",
        "idf.json",
        "query_0_SparseStaticEmbedding/tokenizer.json",
        "document_1_SpladePooling/config.json",
    }
    assert [(asked["repo"], asked["revision"], asked["token"]) for asked in hub.asked] == [(SPEC.id, PINNED, "secret")]


def test_table_that_is_in_tensor_format_alone_is_downloaded_too(hub: Hub, tmp_path: Path) -> None:
    (hub.source / "idf.json").unlink()
    files = resolve_files(SPEC, side=Side.QUERY, cache_dir=tmp_path / "cache")
    assert files.idf == files.root / "query_0_SparseStaticEmbedding" / "model.safetensors"
    assert "model.safetensors" not in downloaded(files)


def test_document_side_downloads_safetensors_and_no_other_weights(hub: Hub, tmp_path: Path) -> None:
    files = resolve_files(SPEC, cache_dir=tmp_path / "cache")
    assert files.weights == (files.root / "model.safetensors",)
    assert not {"pytorch_model.bin", "onnx/model.onnx", "README.md"} & downloaded(files)


def test_pytorch_weights_are_downloaded_where_there_are_no_others(hub: Hub, tmp_path: Path) -> None:
    (hub.source / "model.safetensors").unlink()
    assert resolve_files(SPEC, cache_dir=tmp_path / "cache").weights[0].name == "pytorch_model.bin"


def test_repository_without_a_needed_file_is_named(hub: Hub, tmp_path: Path) -> None:
    (hub.source / "tokenizer.json").unlink()
    with pytest.raises(ModelFilesError, match=rf"tokenizer\.json is missing.*{SPEC.id}' is at revision {PINNED}"):
        resolve_files(SPEC, cache_dir=tmp_path / "cache")


def test_incomplete_snapshot_of_the_cache_is_completed(hub: Hub, tmp_path: Path) -> None:
    resolve_files(SPEC, side=Side.QUERY, revision=NEWER, cache_dir=tmp_path / "cache")
    assert len(hub.asked) == 1
    assert resolve_files(SPEC, revision=NEWER, cache_dir=tmp_path / "cache").document is not None
    assert len(hub.asked) == 2


@pytest.mark.parametrize("error", [LocalEntryNotFoundError("no route to host\nat all"), OSError("disk full")])
def test_hub_that_fails_gives_an_error_that_says_what_to_do(hub: Hub, tmp_path: Path, error: Exception) -> None:
    hub.error = error
    with pytest.raises(ModelFilesError, match=rf"{SPEC.id}.* at revision {PINNED} could not be downloaded.*hf"):
        resolve_files(SPEC, cache_dir=tmp_path)


def test_failure_of_the_network_library_is_caught(hub: Hub, tmp_path: Path) -> None:
    hub.error = HfHubHTTPError.__bases__[0]("connection refused")
    with pytest.raises(ModelFilesError, match="connection refused"):
        resolve_files(SPEC, cache_dir=tmp_path)


def test_licence_without_commercial_use_is_mentioned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(files_module, "_mentioned", set())
    for name in ("splade-v3", "splade-v3", "Splade_PP_en_v1"):
        with pytest.raises(ModelFilesError):
            resolve_files(get_model(name), cache_dir=tmp_path, local_files_only=True)
    assert [record.getMessage() for record in caplog.records] == [
        "The licence of naver/splade-v3, CC-BY-NC-SA-4.0, does not allow commercial use."
    ]


def test_longest_text_is_the_one_of_the_files(cache: Path) -> None:
    assert resolve_files(SPEC, cache_dir=cache).spec.max_length == 48


def test_patterns_are_unlike_for_the_two_sides() -> None:
    assert not any("safetensors" in pattern for pattern in files_module.QUERY_PATTERNS)


def test_router_of_two_transformers_has_a_fingerprint_of_each(tmp_path: Path) -> None:
    files = resolve_files(get_model(toy.write_router(tmp_path / "model")))
    assert files.query_route is not None
    assert files.query_sha256 == files.query_route.weights_sha256 != files.weights_sha256
    assert files.document == files.root / "document_0_MLMTransformer"
    assert files.query_route.document == files.root / "query_0_MLMTransformer"
    assert (files.spec.pooling, files.query_route.spec.pooling) == (Pooling.MAX, Pooling.SUM)


def test_routes_with_other_tokens_are_refused(tmp_path: Path) -> None:
    spec = get_model(toy.write_router(tmp_path))
    path = tmp_path / "query_0_MLMTransformer" / "tokenizer.json"
    path.write_text(path.read_text().replace('"planet"', '"planes"'))
    with pytest.raises(ModelFilesError, match=r"have other tokens: 2 entries differ"):
        resolve_files(spec)


def test_lowercasing_that_the_tokenizer_does_not_do_is_refused(tmp_path: Path) -> None:
    spec = get_model(toy.write_bi_encoder(tmp_path))
    toy.write_json(tmp_path / "sentence_bert_config.json", {"do_lower_case": True})
    resolve_files(spec)
    toy.write_tokenizer(tmp_path, normalizer={"type": "Sequence", "normalizers": [{"type": "NFKC"}]})
    with pytest.raises(ModelFilesError, match=r"says do_lower_case, but .* keeps capital letters"):
        resolve_files(spec)


def test_missing_fast_tokenizer_has_a_way_out(tmp_path: Path) -> None:
    spec = get_model(toy.write_bi_encoder(tmp_path))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json is missing.*save_pretrained"):
        resolve_files(spec)
