"""Damaged model folders: what is wrong in each of them, made from one that is whole.

    python -m tests.campaigns.damaged_models FOLDER [SEED] [MOST]

Each damaged copy is opened as a model, encodes a query and a document with the ONNX engine, and must either work or
raise ModelFilesError. The last line counts the outcomes.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from opensearch_neural_sparse import ModelFilesError, get_model, load_document_encoder, load_query_encoder

Damage = Callable[[Path], None]
WRONG: tuple[Any, ...] = (None, "", "x", [], [1], {}, {"a": 1}, -1, 0, 1.5, True, 10**400, float("nan"), [[]] * 3, [{}])
"""Values of which few are right in any field."""
LARGEST_JSON = 100_000
"""Bytes up to which every field of a file is damaged in turn; of a larger one, those at the top."""


@dataclass(frozen=True)
class DamagedFolder:
    """A way to damage a model folder."""

    name: str
    damage: Damage


def damages(folder: Path) -> Iterator[DamagedFolder]:
    """Yield the ways to damage a model's folder."""
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = file.relative_to(folder).as_posix()
        for kind, damage in _WHOLE_FILES.items():
            yield DamagedFolder(f"{name}: {kind}", lambda root, name=name, damage=damage: damage(root / name))
        if file.suffix == ".json":
            yield from _fields(name, json.loads(file.read_bytes()), file.stat().st_size)
        if file.suffix == ".safetensors":
            yield from _headers(name, _header(file.read_bytes()))


def outcome(folder: Path) -> str:
    """Return what happens to a folder that is opened as a model: `works`, `refused`, or the raw error."""
    try:
        model = get_model(folder)
        load_query_encoder(model).encode_query("A stone in a river.")
        encoder = load_document_encoder(model, engine="onnx", threads=1)
        encoder.encode_documents(["A stone in a river."])
        encoder.close()
    except ModelFilesError:
        return "refused"
    except BaseException as error:  # noqa: BLE001  a panic of native code is one, too
        (*_, frame) = traceback.extract_tb(error.__traceback__)
        return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {str(error)[:100]}"
    return "works"


def run(folder: Path, chosen: list[DamagedFolder]) -> dict[str, str]:
    """Damage a copy of a folder in each way in turn; return name -> outcome."""
    found = {}
    with tempfile.TemporaryDirectory() as place:
        for each in chosen:
            copy = Path(place) / "model"
            shutil.copytree(folder, copy)
            each.damage(copy)
            found[each.name] = outcome(copy)
            shutil.rmtree(copy)
    return found


def _fields(name: str, content: Any, size: int) -> Iterator[DamagedFolder]:
    for path in _paths(content) if size <= LARGEST_JSON else [(key,) for key in content]:
        for kind, change in _changes(path, WRONG):
            yield DamagedFolder(f"{name}: {kind}", partial(_edit, name=name, change=change))


def _headers(name: str, header: dict[str, Any]) -> Iterator[DamagedFolder]:
    tensors = [key for key in header if key != "__metadata__"]
    for key in (tensors[0], tensors[-1]):
        for path in [(key,), (key, "dtype"), (key, "shape"), (key, "data_offsets"), (key, "data_offsets", 0)]:
            for kind, change in _changes(path, (*WRONG, "F64", [10**9], [0, 10**12])):
                yield DamagedFolder(f"{name}: {kind}", partial(_edit_header, name=name, change=change))


def _changes(path: tuple[Any, ...], values: Iterable[Any]) -> Iterator[tuple[str, Callable[[Any], None]]]:
    place = ".".join(map(str, path))
    yield f"{place} is missing", partial(_remove, path=path)
    for value in values:
        yield f"{place} = {str(value)[:20]!r}", partial(_set, path=path, value=value)


def _paths(content: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        yield (*before, key)
        yield from _paths(value, (*before, key))


def _remove(content: Any, path: tuple[Any, ...]) -> None:
    for key in path[:-1]:
        content = content[key]
    del content[path[-1]]


def _set(content: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = value


def _edit(root: Path, name: str, change: Callable[[Any], None]) -> None:
    content = json.loads((root / name).read_bytes())
    change(content)
    (root / name).write_text(json.dumps(content))


def _header(raw: bytes) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    return header


def _edit_header(root: Path, name: str, change: Callable[[Any], None]) -> None:
    raw = (root / name).read_bytes()
    header, start = _header(raw), 8 + int.from_bytes(raw[:8], "little")
    change(header)
    made = json.dumps(header).encode()
    (root / name).write_bytes(len(made).to_bytes(8, "little") + made + raw[start:])


def _cut(part: float, path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * part)])


def _replace(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _become(make: Callable[[Path], object], path: Path) -> None:
    path.unlink()
    make(path)


_WHOLE_FILES: dict[str, Damage] = {
    "missing": Path.unlink,
    "empty": partial(_replace, b""),
    "half of it": partial(_cut, 0.5),
    "nine tenths of it": partial(_cut, 0.9),
    "seven bytes": partial(_cut, 0.0),
    "a list": partial(_replace, b"[]"),
    "an object": partial(_replace, b"{}"),
    "null": partial(_replace, b"null"),
    "a number": partial(_replace, b"7"),
    "text": partial(_replace, b'"text"'),
    "no UTF-8": partial(_replace, b'{"a": "\xff\xfe"}'),
    "nested too deeply": partial(_replace, b"[" * 100_000),
    "nested objects": partial(_replace, b'{"a":' * 100_000),
    "a huge header": partial(_replace, (2**63 - 1).to_bytes(8, "little") + b"{}"),
    "a folder": partial(_become, Path.mkdir),
    "a link to nothing": partial(_become, lambda path: path.symlink_to("nothing")),
    "a link to itself": partial(_become, lambda path: path.symlink_to(path)),
    "a pipe": partial(_become, os.mkfifo),
}


def main(folder: str, seed: int = 0, most: int = 10_000) -> None:
    """Run the campaign and print what gave way."""
    every = list(damages(Path(folder)))
    chosen = random.Random(seed).sample(every, min(most, len(every)))
    found = run(Path(folder), chosen)
    for name, each in sorted(found.items()):
        if each not in ("works", "refused"):
            print(f"{name} -> {each}")  # noqa: T201
    counts = Counter(each.partition(" ")[0] for each in found.values())
    print(json.dumps({"seed": seed, "damages": len(chosen), "of": len(every), **counts}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
