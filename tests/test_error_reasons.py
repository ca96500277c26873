import pytest

from opensearch_neural_sparse.error_reasons import LONGEST_REASON, did_you_mean, first_of, short_reason, without_values


@pytest.mark.parametrize(
    "reason",
    [
        "failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: 'SECRET\nSECRET'",
        'failed to create query: For input string: "SECRET"',
        "Document contains at least one immense term in field [k]. The prefix of the first immense term is: '[SECRET]'",
        "failed to parse date field [SECRET] with format [strict_date]",
    ],
)
def test_quoted_values_are_withheld(reason: str) -> None:
    assert "SECRET" in reason
    assert "SECRET" not in without_values(reason)
    assert reason[:15] == without_values(reason)[:15]


def test_long_reason_is_cut() -> None:
    assert len(without_values("x" * 5000)) == LONGEST_REASON + 3


def test_cause_is_told_where_the_reason_says_nothing() -> None:
    error = {"reason": "failed to parse", "caused_by": {"reason": "field name cannot be an empty string"}}
    assert short_reason(error) == "failed to parse: field name cannot be an empty string"
    assert short_reason({"reason": "plain", "caused_by": {"reason": "more"}}) == "plain"


def test_of_many_things_the_first_are_named_and_the_others_counted() -> None:
    assert first_of("abc", 3) == "a, b, c"
    assert first_of(iter("abcde"), 3, "; ") == "a; b; c and 2 more"


@pytest.mark.parametrize(
    ("reason", "way_out"),
    [
        ("Failed to find model with the provided model id: nope", "GET /_plugins/_ml/models/<id>"),
        ("Model not ready yet. Please deploy the model first.", "POST /_plugins/_ml/models/<id>/_deploy"),
        ("query_text and model_id cannot be null", "ServerQuery(model_id='...')"),
        ("failed to find global analyzer [x]", "OpenSearch 3.1 or later"),
        ("Memory Circuit Breaker is open, please check your resources!", "jvm_heap_memory_threshold"),
    ],
)
def test_reason_about_a_model_in_the_server_has_a_way_out(reason: str, way_out: str) -> None:
    shown = short_reason({"reason": reason})
    assert shown.startswith(reason.rstrip(".!"))
    assert way_out in shown


def test_similar_names_are_a_question_where_there_are_some() -> None:
    assert did_you_mean(["articles", "article"]) == "Did you mean 'articles', 'article'?"
    assert did_you_mean([]) == ""
