"""Damaged and malicious model folders: each works, or is refused by one ModelFilesError, and none runs code."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from opensearch_neural_sparse import ModelFilesError, get_model, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.encode.engines.engine import EngineLike
from tests.campaigns.attempts import attempt
from tests.campaigns.campaign import Campaign
from tests.campaigns.damaged_models import damages
from tests.campaigns.malicious_models import attacks
from tests.campaigns.tally import Outcome, Tally
from tests.snapshots import build_snapshot

ENGINES: tuple[EngineLike, ...] = ("onnx", "torch")


def run(seed: int, count: int, servers: Sequence[str] = ()) -> Tally:
    """Use copies of a model, a quarter of them malicious and the others damaged, drawn from a seed."""
    tally, chance = Tally(), random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        whole, canary = build_snapshot(Path(place) / "whole"), Path(place) / "canary"
        traps, broken = list(attacks(whole, canary)), list(damages(whole))
        chosen = chance.sample(traps, min(count // 4, len(traps)))
        chosen += chance.sample(broken, min(count - len(chosen), len(broken)))
        for each in chosen:
            copy = Path(shutil.copytree(whole, Path(place) / "model"))
            each.damage(copy)
            for engine in ENGINES if each in traps else ENGINES[:1]:
                _attempt(tally, f"{each.name} ({engine})", copy, canary, engine)
            shutil.rmtree(copy)
    return tally


def _attempt(tally: Tally, name: str, folder: Path, canary: Path, engine: EngineLike) -> None:
    def use() -> None:
        try:
            _use(folder, engine)
        except ModelFilesError as error:
            if canary.exists():
                raise _ExecutedError from error
            if not _names_a_file(str(error), folder):
                raise _NamelessError(str(error)) from error
            raise

    def executed(_: object) -> Outcome | None:
        return Outcome.EXECUTION if canary.exists() else None

    attempt(tally, name, use, check=executed)
    if canary.exists():
        tally.add(Outcome.EXECUTION, f"{name} ran code")
        canary.unlink()


class _ExecutedError(Exception):
    """Code of a folder ran, and then the folder was refused."""


class _NamelessError(Exception):
    """An error of a model's files that names none of them."""


def _names_a_file(message: str, folder: Path) -> bool:
    return str(folder) in message or folder.name in message or any(end in message for end in (".json", ".safetensors"))


def _use(folder: Path, engine: EngineLike) -> None:
    model = get_model(folder)
    load_query_encoder(model).encode_query("A stone in a river.")
    with closing(
        load_document_encoder(model, engine=engine, **({"threads": 1} if engine == "onnx" else {}))
    ) as encoder:
        encoder.encode_documents(["A stone in a river."])


CAMPAIGN = Campaign(
    "models", "Damaged and malicious model folders.", planned=400, short=12, run=run, needs_server=False
)
