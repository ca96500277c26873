from __future__ import annotations

from pathlib import Path

import pytest

from opensearch_neural_sparse import list_models
from tests.cli.conftest import MODEL, Run

FACTS = {"id", "name", "mode", "activation", "revision", "path", "tokenizer", "vocabulary_size", "max_length"}
FACTS |= {"parameters", "backbone", "languages", "licence", "gated", "server_name", "server_version"}
FACTS |= {"family", "pooling", "recommended_prune", "note", "beir", "beir_average", "miracl", "miracl_average", "flops"}
FACTS |= {
    "max_active_dims",
    "query_max_active_dims",
    "in_domain",
    "msmarco",
    "document_tokens",
    "query_tokens",
    "pruned",
}


def test_the_list_has_a_line_for_each_model_that_fits_a_terminal(run: Run) -> None:
    lines = run("models", "list").out.splitlines()
    assert lines[0].split() == ["NAME", "MODE", "SIZE", "TOKENS", "LANG", "BEIR", "MIRACL", "FLOPS"]
    licences = [line for line in lines if line.startswith("[")]
    names = [line.split()[0] for line in lines[1:] if line not in licences]
    assert sorted(names) == sorted(spec.name for spec in list_models())
    assert licences == ["[Apache-2.0]", "[MIT]", "[CC-BY-NC-SA-4.0, non-commercial]", "[no licence stated]"]
    assert "multilingual-v1                    doc   167M  512     15    .500  .629    -" in lines
    assert max(map(len, lines)) <= 80


def test_the_list_is_narrowed_down(run: Run) -> None:
    found = run("models", "list", "--mode", "doc-only", "--language", "fr", "--commercial", "--json").json
    assert [spec["name"] for spec in found["models"]] == ["multilingual-v1"]
    assert found["models"][0]["pruned"][0]["average"] == 0.626
    assert run("models", "list", "--min-context", "8192", "--json").json["models"][0]["name"] == "doc-v3-gte"


def test_the_facts_of_a_model_have_stable_names(run: Run) -> None:
    facts = run("models", "show", "doc-v3-distill", "--json").json
    assert set(facts) == FACTS
    assert facts["beir_average"] == 0.517
    assert "0.517" in run("models", "show", "doc-v3-distill").out
    assert "pruned             MIRACL max_ratio:0.1 0.626" in run("models", "show", "multilingual-v1").out


def test_a_folder_is_a_model_too(run: Run) -> None:
    assert run("models", "show", MODEL, "--json").json["path"] == MODEL


def test_an_unknown_model_is_one_line_with_close_matches(run: Run) -> None:
    done = run("models", "show", "doc-v3-distil")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: Unknown model 'doc-v3-distil'. Did you mean 'doc-v3-distill'")
    assert done.err.endswith("A folder with a model's files does as well.\n")
    assert len(done.err.splitlines()) == 1


def test_a_recommendation_gives_reasons(run: Run) -> None:
    done = run("models", "recommend", "--max-params", "30000000", "--mode", "doc-only", "--json")
    assert done.json["choice"] == "doc-v2-mini"
    assert set(done.json) == {"choice", "runners_up", "reasons", "left_out"}
    out = run("models", "recommend", "--priority", "speed").out
    assert out.startswith("doc-v2-mini\n")
    assert "Left out, not above BM25 (0.445): splade-mini, splade-tiny." in out
    assert max(map(len, out.splitlines())) <= 80
    floor = run("models", "recommend", "--min-relevance", "0", "--max-params", "5000000")
    assert floor.out.startswith("splade-tiny\n")


def test_a_wish_that_no_model_fulfils_is_a_wrong_call(run: Run) -> None:
    done = run("models", "recommend", "--max-params", "1")
    assert (done.status, done.out) == (2, "")
    assert "No known model with published relevance" in done.words


def test_the_folder_of_a_models_files_is_printed(run: Run) -> None:
    assert run("models", "download", MODEL).out == f"{MODEL}\n"
    assert run("models", "download", MODEL, "--side", "query", "--json").json == {
        "model": "small-en",
        "revision": None,
        "side": "query",
        "folder": MODEL,
    }


def test_files_that_are_out_of_reach_are_one_line_with_the_way_out(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = run("models", "download", "doc-v3-distill", "--cache-dir", str(tmp_path))
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
    assert "run: hf download opensearch-project/opensearch-neural-sparse-encoding-doc-v3-distill" in done.err
