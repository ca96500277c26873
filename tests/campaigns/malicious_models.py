"""Model folders that are made to run code or to read what is not theirs; what runs leaves a file, the canary."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.campaigns.damaged_models import DamagedFolder

TYPES = (
    "evil.Router",
    "attacker/payload--modeling.Router",
    "Router",
    "sentence_transformersx.Router",
    "sentence_transformers/evil--x.Router",
    "sentence_transformers..Router",
    "os.system",
    "builtins.exec",
)
"""Classes outside of the library, as a folder might name them."""
CODE_FILES = ("evil.py", "modeling.py", "configuration.py", "tokenization.py", "__init__.py", "sitecustomize.py")
PICKLES = (
    "pytorch_model.bin",
    "model.bin",
    "weights.pt",
    "training_args.bin",
    "optimizer.pt",
    "pytorch_model.bin.index.json",
)
CONFIGS = ("config.json", "tokenizer_config.json", "sentence_bert_config.json")
AUTO = ("AutoConfig", "AutoModel", "AutoModelForMaskedLM", "AutoTokenizer")


class Payload:
    """A pickle that leaves the canary where it is loaded."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


def attacks(folder: Path, canary: Path) -> Iterator[DamagedFolder]:
    """Yield ways to make a model's folder a trap."""
    yield from _foreign_classes(canary)
    yield from _remote_code(folder, canary)
    yield from _pickles_and_links(folder, canary)


def _foreign_classes(canary: Path) -> Iterator[DamagedFolder]:
    for kind in TYPES:
        yield _attack(
            f"modules.json names {kind}",
            canary,
            partial(_edit, "modules.json", lambda found, kind=kind: found[0].update(type=kind)),
        )
        for part in ("document_0_MLMTransformer", "query_0_SparseStaticEmbedding", "unused"):
            change = partial(
                _edit, "router_config.json", lambda found, part=part, kind=kind: found["types"].update({part: kind})
            )
            yield _attack(f"router_config.json names {kind} for {part}", canary, change)


def _remote_code(folder: Path, canary: Path) -> Iterator[DamagedFolder]:
    for name in [file.relative_to(folder) for file in sorted(folder.rglob("*config.json")) if file.name in CONFIGS]:
        for auto in AUTO:
            change = partial(
                _edit,
                str(name),
                lambda found, auto=auto: found.update(auto_map={auto: "evil.Model"}, trust_remote_code=True),
            )
            yield _attack(f"{name} maps {auto} to code", canary, change)
        for key in ("model_args", "tokenizer_args", "config_args", "model_kwargs", "processor_kwargs"):
            change = partial(_edit, str(name), lambda found, key=key: found.update({key: {"trust_remote_code": True}}))
            yield _attack(f"{name} trusts by {key}", canary, change)
        yield _attack(
            f"{name} names a class",
            canary,
            partial(
                _edit,
                str(name),
                lambda found: found.update(
                    tokenizer_class="evil.Model", architectures=["evil.Model"], model_type="evil"
                ),
            ),
        )


def _pickles_and_links(folder: Path, canary: Path) -> Iterator[DamagedFolder]:
    files = [file.relative_to(folder) for file in sorted(folder.rglob("*.json"))]
    for pickled in PICKLES:
        for weights in ("kept", "gone"):
            yield _attack(
                f"{pickled} is a pickle, the weights are {weights}",
                canary,
                partial(_pickled, pickled, weights == "kept", canary),
            )
    for target in ("/etc/passwd", "../canary-secret", "/dev/zero"):
        for name in [str(each) for each in files]:
            yield _attack(f"{name} is a link to {target}", canary, partial(_linked, name, target))
    for path in ("../other", "/etc", "document_0_MLMTransformer/../../other"):
        yield _attack(
            f"modules.json leaves the folder by {path}",
            canary,
            partial(_edit, "modules.json", lambda found, path=path: found[0].update(path=path)),
        )


def _attack(name: str, canary: Path, change: Callable[[Path], None]) -> DamagedFolder:
    def make(root: Path) -> None:
        for place in (root, *[each for each in root.iterdir() if each.is_dir()]):
            for file in CODE_FILES:
                (place / file).write_text(
                    f"import pathlib; pathlib.Path({str(canary)!r}).touch()\nclass Router: pass\nclass Model: pass\n"
                )
        change(root)

    return DamagedFolder(name, make)


def _edit(name: str, change: Callable[[Any], None], root: Path) -> None:
    content = json.loads((root / name).read_text())
    change(content)
    (root / name).write_text(json.dumps(content))


def _pickled(name: str, keep: bool, canary: Path, root: Path) -> None:
    folder = root / "document_0_MLMTransformer"
    (folder / name).write_bytes(pickle.dumps(Payload(canary)))
    if not keep:
        (folder / "model.safetensors").unlink()


def _linked(name: str, target: str, root: Path) -> None:
    (root / name).unlink()
    (root / name).symlink_to(target)
