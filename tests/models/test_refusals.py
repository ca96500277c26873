"""Models that are not there: said at once, in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from opensearch_neural_sparse import ModelFilesError, UnknownModelError, get_model, register_model

OUT_OF_REACH = """
import os, sys, tempfile
os.environ.update(HF_ENDPOINT="http://127.0.0.1:1", HF_HUB_DISABLE_TELEMETRY="1")
from opensearch_neural_sparse import get_model, resolve_files
resolve_files(get_model("doc-v3-distill"), cache_dir=tempfile.mkdtemp())
"""


def test_hub_out_of_reach_is_one_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    started = monotonic()
    done = subprocess.run([sys.executable, "-c", OUT_OF_REACH], capture_output=True, text=True, check=False)
    assert monotonic() - started < 10
    assert done.stderr.count("Traceback") == 1
    assert "Retrying" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("opensearch_neural_sparse.errors.ModelFilesError: 'opensearch-project/")
    assert "could not be downloaded from the hub (Connect" in last
    assert "run: hf download opensearch-project/" in last


def test_files_that_are_not_in_the_cache_offline_are_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelFilesError, match=r"is not in the cache\. Where there is a network, run: hf") as error:
        register_model("someone/some-model", cache_dir=tmp_path)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("model", ["./models/x", "../x", "/nowhere/x", "~/nowhere", "a/b/c", Path("x")])
def test_folder_that_is_not_there_is_no_unknown_name(model: str | Path) -> None:
    for find in (get_model, register_model) if str(model) != "a/b/c" else (get_model,):
        with pytest.raises(UnknownModelError) as error:
            find(model)
        folder = Path(model).expanduser().absolute()
        assert error.value.folder == folder
        assert str(error.value) == (
            f"The model folder {str(model) if find is get_model else str(Path(model))!r} does not exist ({folder}). "
            "list_models() shows the known models."
        )


def test_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UnknownModelError, match="is a file, not the folder of a model"):
        get_model(tmp_path / "model.safetensors")


def test_name_that_nobody_knows_is_an_unknown_model() -> None:
    with pytest.raises(UnknownModelError, match=r"Unknown model 'doc-v3-destill'. Did you mean 'doc-v3-distill'"):
        get_model("doc-v3-destill")
