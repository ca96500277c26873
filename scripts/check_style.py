"""Check pages, notebooks and messages against scripts/style.toml: banned words, and sentences that are too long.

python scripts/check_style.py [FILE ...]
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STYLE = tomllib.loads((ROOT / "scripts" / "style.toml").read_text(encoding="utf-8"))

FENCE = re.compile(r"^[ ]*```.*?^[ ]*```[ ]*$|<!--.*?-->", re.DOTALL | re.MULTILINE)
NOT_PROSE = re.compile(
    r"!\[[^\]]*\]\([^)]*\)"  # pictures
    r"|\]\([^)]*\)"  # targets of links
    r"|^\[[^\]]+\]:[^\n]*$",  # definitions of links
    re.MULTILINE,
)
INLINE_CODE = re.compile(r"`[^`]+`(,?\s+`[^`]+`)*")
NEW_BLOCK = re.compile(r"\s*([-*] |\d+\. |[|#>]|$)")
SENTENCE = re.compile(r"\S.*?([.!?:](?=[)*\"]*\s)|\Z)", re.DOTALL)
RELATIVE_CLAUSE = re.compile(r"(what|which|who|how|where|when|why)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Banned:
    """Words that are not used, and the way out."""

    pattern: re.Pattern[str]
    instead: str
    where: str

    @classmethod
    def of(cls, row: dict[str, str]) -> Banned:
        """Return the rule of a row of style.toml."""
        words = re.compile(rf"\b({row['words']})\b".replace(" ", r"\s+"), re.IGNORECASE)
        return cls(words, row["instead"], row.get("where", "pages and messages"))


BANNED = tuple(Banned.of(row) for row in STYLE["banned"])


@dataclass(frozen=True, order=True)
class Fault:
    """A problem of style: its place and the way out."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


def page_faults(text: str, path: str) -> list[Fault]:
    """Return the banned words and the long sentences of a Markdown text, outside code."""
    prose = INLINE_CODE.sub(_as_one_word, NOT_PROSE.sub(_lines_alone, FENCE.sub(_lines_alone, text)))
    faults = [*_banned(prose, "pages", path)]
    if path not in STYLE["unmeasured"]:
        longest = STYLE["longest_sentence"]
        for line, sentence in _sentences(prose):
            words = re.findall(r"\S*\w\S*", sentence)
            if len(words) > longest:
                start = " ".join(words[:6])
                remedy = f"split it or shorten it to {longest}"
                faults.append(Fault(path, line, f"a sentence of {len(words)} words, {start!r} ...: {remedy}"))
    return sorted(faults)


def source_faults(source: str, path: str) -> list[Fault]:
    """Return the banned words of messages and of the first lines of docstrings, and first lines that are a clause."""
    tree = ast.parse(source)
    first_lines = {id(text): str(text.value).strip().partition("\n")[0] for text in _docstrings(tree)}
    faults: list[Fault] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        first_line = first_lines.get(id(node))
        text = node.value if first_line is None else first_line
        faults += [Fault(path, node.lineno, fault.problem) for fault in _banned(text, "messages", path)]
        if first_line is not None and RELATIVE_CLAUSE.match(first_line):
            faults.append(Fault(path, node.lineno, f"{first_line!r} is a clause: begin with a noun or a verb"))
    return sorted(faults)


def notebook_faults(text: str, path: str) -> list[Fault]:
    """Return the faults of the Markdown cells of a notebook."""
    cells = json.loads(text)["cells"]
    texts = {number: "".join(cell["source"]) for number, cell in enumerate(cells) if cell["cell_type"] == "markdown"}
    return [fault for number, cell in texts.items() for fault in page_faults(cell, f"{path}, cell {number}")]


CHECKS = {".md": page_faults, ".py": source_faults, ".ipynb": notebook_faults}


def file_faults(path: Path) -> list[Fault]:
    """Return the faults of a page, a notebook or a Python source."""
    return CHECKS[path.suffix](path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())


def checked_files(root: Path = ROOT) -> list[Path]:
    """Return every page, notebook and source with messages."""
    folders = (root / name for name in ("docs", "examples"))
    pages = [*root.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))]
    notebooks = (root / "examples" / "notebooks").glob("*.ipynb")
    return sorted({*pages, *notebooks, *(root / "integrations").rglob("*.py")})


def _banned(text: str, where: str, path: str) -> Iterator[Fault]:
    for rule in BANNED:
        if where in rule.where:
            for match in rule.pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                yield Fault(path, line, f"{' '.join(match[0].split())!r}: write {rule.instead}")


def _sentences(prose: str) -> Iterator[tuple[int, str]]:
    """Yield each sentence with its line; a cell of a table is a text of its own, and a heading is none."""
    block: list[str] = []
    for number, line in enumerate([*prose.splitlines(), ""], 1):
        if NEW_BLOCK.match(line) and block:
            yield from _split("\n".join(block), number - len(block))
            block = []
        if line.lstrip().startswith("|"):
            for cell in re.split(r"[|;]", line):
                yield from _split(cell, number)
        elif line.strip() and not line.startswith("#"):
            block.append(line)


def _split(text: str, line: int) -> Iterator[tuple[int, str]]:
    for match in SENTENCE.finditer(text):
        yield line + text.count("\n", 0, match.start()), match[0]


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _lines_alone(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def _as_one_word(match: re.Match[str]) -> str:
    return "_" + _lines_alone(match)


def main() -> None:
    files = [Path(name).resolve() for name in sys.argv[1:]] or checked_files()
    faults = [fault for path in files for fault in file_faults(path)]
    print(*faults, sep="\n", end="\n" if faults else "")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
