"""The Python language reference as passages: the topics of `help()`, which every CPython carries."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from opensearch_neural_sparse import SparseDocument

LONGEST = 500
"""Sentences and paragraphs are joined until a passage would exceed this many characters; code is never cut."""
SHORTEST = 60
"""Passages below this many characters say too little to be found by."""
_BLOCKS = re.compile(r"\n{2,}")
_HEADING = re.compile(r"(\S.*)\n([*=\-~^])\2+")
_DEFINITION = re.compile(r"(?:(?:async|class|classmethod|static|exception) )?([A-Za-z_][\w.]*)(?:\(.*)?", re.DOTALL)
_SKIPPED = re.compile(
    r"\+[-=]|\[\d+\] |-\[ |(?:Changed|New|Added) in version|Deprecated since|See also|\*\*PEP|\w+ *::= |Note:$"
)
"""Tables, footnotes, histories, references and grammars."""
_SENTENCE_END = re.compile(r"(?<=[.;:]) +")
_NOTE = 2
"""Notes are indented by as many spaces; code by more."""
_EMPHASIS = re.compile(r"(?<![\w*])(\*\*?)(\w[^*\n]*?)\1(?![\w*])")


class Section(NamedTuple):
    """The paragraphs under one heading, or of one definition.

    Attributes:
        heading: The heading, or the definition's signature.
        name: What is defined; empty under a heading.
        paragraphs: The text, in order.
    """

    heading: str
    name: str
    paragraphs: list[str]


def language_reference() -> list[SparseDocument]:
    """Return the passages of the running Python's language reference."""
    from pydoc_data.topics import topics

    return passage_documents(topics)


def passage_documents(topics: Mapping[str, str]) -> list[SparseDocument]:
    """Return one document a passage; a text that several topics hold belongs to the shortest of them."""
    documents: list[SparseDocument] = []
    seen: set[str] = set()
    count_of: Counter[str] = Counter()
    for topic in sorted(topics, key=lambda topic: (len(topics[topic]), topic)):
        for section in sections(topics[topic]):
            name = _passage_name(topic, section)
            for text in passages(section.paragraphs):
                if len(text) >= SHORTEST and text not in seen:
                    seen.add(text)
                    count_of[name] += 1
                    number = "" if count_of[name] == 1 else f" {count_of[name]}"
                    metadata = {"topic": topic, "title": section.heading, "kind": _kind(section, text)}
                    text = f"{section.heading}\n\n{text}"
                    documents.append(SparseDocument(id=name + number, text=text, metadata=metadata))
    return documents


def sections(topic: str) -> Iterator[Section]:
    """Cut a topic's text by its headings and definitions."""
    section, heading, owner, depth = Section("", "", []), "", "", 0
    blocks = _BLOCKS.split(topic.strip("\n"))
    for block, following in pairwise([*blocks, ""]):
        indent = _indent(block)
        if match := _HEADING.fullmatch(block):
            yield section
            heading = match[1].replace('"', "")
            section, owner = Section(heading, "", []), ""
        elif (match := _DEFINITION.fullmatch(block.strip())) and _indent(following) > indent and (owner or not indent):
            yield section
            within = f"{owner}." if indent else ""
            section = Section(within + " ".join(block.split()), within + match[1], [])
            owner, depth = owner or match[1], indent
        else:
            if section.name and indent <= depth:
                yield section
                section, depth = Section(heading if not indent else owner, owner if indent else "", []), 0
                owner = owner if indent else ""
            base = depth + 3 if section.name else 0
            if not _SKIPPED.match(block.strip()):
                section.paragraphs.append(_paragraph(block, base))
    yield section


def passages(paragraphs: list[str]) -> Iterator[str]:
    """Join paragraphs to passages of up to `LONGEST` characters."""
    text = ""
    for piece in (piece for paragraph in paragraphs for piece in _pieces(paragraph)):
        if text and len(text) + len(piece) > LONGEST:
            yield text
            text = ""
        text = f"{text}\n\n{piece}" if text else piece
    if text:
        yield text


def _paragraph(block: str, base: int) -> str:
    """Return prose in one line, without signs of emphasis, and code as it is written."""
    lines = [line[min(base, _indent(line)) :] for line in block.splitlines()]
    if ">>>" in block or any(_indent(line) > _NOTE for line in lines):
        return "\n".join(lines)
    return _EMPHASIS.sub(r"\2", " ".join(line.strip() for line in lines))


def _pieces(paragraph: str) -> list[str]:
    """Return a paragraph whole, unless it is prose of twice the length of a passage: then its sentences."""
    return [paragraph] if len(paragraph) <= 2 * LONGEST or "\n" in paragraph else _SENTENCE_END.split(paragraph)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _passage_name(topic: str, section: Section) -> str:
    """Return what is defined, or the heading; a debugger's command by all its letters, as `break` of `b(reak)`."""
    if topic == "debugger" and section.name and "." not in section.name:
        return f"pdb {section.heading.split(' ')[0].replace('(', '').replace(')', '')}"
    return section.name or section.heading or topic


def _kind(section: Section, text: str) -> str:
    return "definition" if section.name else "example" if ">>>" in text else "prose"
