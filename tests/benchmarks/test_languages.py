"""The benchmark of languages, on two tiny collections and a real server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import languages
from tests.conftest import RunningServer
from tests.snapshots import vocabulary_files

pytestmark = pytest.mark.newest_server

TEXTS = {
    "de": {"d1": "Die Häuser am Fluss", "d2": "Ein Stein im Bach", "d3": "Das Herz pumpt Blut"},
    "en": {"d1": "Houses by the river", "d2": "A stone in the brook", "d3": "The heart pumps blood"},
}
QUESTIONS = {"de": {"q1": "Haus", "q2": "Stein", "q3": "Herz"}, "en": {"q1": "house", "q2": "stone", "q3": "heart"}}
ROWS = [
    "an index each, standard",
    "an index each, by language",
    "one index, standard",
    "one index, best of all",
    "one index, language given",
    "one index, and filtered",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection for each language, in BEIR's format."""
    for language, texts in TEXTS.items():
        (tmp_path / language / "qrels").mkdir(parents=True)
        for name, rows in (("corpus", texts), ("queries", QUESTIONS[language])):
            lines = (json.dumps({"_id": key, "title": "", "text": text}) for key, text in rows.items())
            (tmp_path / language / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        judged = "".join(f"q{number}\td{number}\t1\n" for number in (1, 2, 3))
        (tmp_path / language / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    return tmp_path


def test_each_way_is_measured_for_each_language(
    folder: Path, server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tokenizer, idf = vocabulary_files("bert")
    tokens = folder.parent / f"{folder.name}-tokens"
    tokens.mkdir()
    for name, file in (("tokenizer.json", tokenizer), ("idf.json", idf)):
        (tokens / name).symlink_to(file)
    arguments = ["languages", str(folder), "--url", server.url, "--step", "1", "--lexical", str(tokens)]
    monkeypatch.setattr(sys, "argv", arguments)
    languages.main()
    printed = capsys.readouterr()
    report = json.loads(printed.out.splitlines()[-1])
    table = report["ndcg@10"]
    assert report["questions"] == {"de": 3, "en": 3}
    assert list(table) == [*ROWS, "one index, sparse stand-in", "one index, sparse stand-in, filtered"]
    assert table["an index each, by language"] == table["one index, and filtered"] == {"de": 1.0, "en": 1.0}
    assert table["an index each, standard"]["de"] == pytest.approx(2 / 3), "'Haus' is another word than 'Häuser'"
    sparse = table["one index, sparse stand-in, filtered"]
    assert sparse["en"] == pytest.approx(2 / 3), "'house' is another token than 'houses'"
    assert "one index, best of all" in printed.err


def test_every_so_many_questions_are_asked(folder: Path) -> None:
    read = languages.read_languages(folder, 2)
    assert {language: list(collection.queries) for language, collection in read.items()} == {
        "de": ["q1", "q3"],
        "en": ["q1", "q3"],
    }


def test_a_folder_without_collections_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="has no collection"):
        languages.read_languages(tmp_path, 1)
