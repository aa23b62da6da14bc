"""Assertions: each check over the whole answer and over what a path selects, and what is said where it fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import little_work

from taskspec.judging.asserting import digest_of
from taskspec.judging.judging import DETAIL_LIMIT, SHOWN_VIOLATIONS, Expectation, judge
from taskspec.state.model import Verdict

JSON = '{"total": 5, "items": [{"price": 1}, {"price": -2}], "name": "Ada", "none": null}'


def judged(answer, *assertions, output_format=None):
    return judge("completed", answer, Expectation(output_format=output_format, assertions=assertions), None)


@pytest.mark.parametrize(
    ("answer", "assertion", "output_format"),
    [
        ("# Title", {"regex": "^# "}, None),
        ("four", {"minLength": 4, "maxLength": 4}, None),
        ("a b c", {"expr": "len(words(value)) == 3 and value == result"}, None),
        ("text", {"schema": {"type": "string", "maxLength": 4}}, None),
        (JSON, {"path": "$.total", "expr": "value > 0"}, "json"),
        (JSON, {"path": "$.total", "expr": "value > 0"}, None),
        (JSON, {"expr": "value.total == json.total and startswith(result, '{')"}, "json"),
        (JSON, {"expr": "json.total == 5 and type(value) == 'string'"}, "text"),
        (JSON, {"path": "$.items", "minLength": 2}, "json"),
        (JSON, {"path": "$.name", "regex": "^A"}, "json"),
        (JSON, {"path": "$.none", "expr": "value is null"}, "json"),
        (JSON, {"schema": {"required": ["total"]}}, "json"),
        (JSON, {"regex": '"total"'}, "json"),
        (JSON, {"minLength": 50}, "json"),
    ],
)
def test_an_assertion_that_holds_lets_the_answer_pass(answer, assertion, output_format):
    assert judged(answer, assertion, output_format=output_format).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("assertion", "says"),
    [
        ({"path": "$.total", "expr": "value > 9"}, "at $['total']: `value > 9` is false, found 5"),
        (
            {"path": "$.total", "expr": "value > 9", "message": "too little"},
            "assertion 1 does not hold: too little (at $['total']: `value > 9` is false, found 5)",
        ),
        ({"path": "$.items[*].price", "expr": "value > 0"}, "['items'][1]['price']: `value > 0` is false, found -2"),
        ({"path": "$.totl", "expr": "value > 0"}, "`$.totl` selects nothing in the answer"),
        ({"path": "$.total", "expr": "value > 'a'"}, "`>` cannot compare a number (5) with a string"),
        ({"expr": "json.totl > 0"}, "There is no field `totl`. Did you mean `total`?"),
        ({"expr": "json.total"}, "It must give true or false, and gives a number (5)."),
        ({"path": "$.total", "regex": "5"}, "a text was expected for `5`, found 5"),
        ({"path": "$.name", "regex": "^B"}, '`^B` does not match, found "Ada"'),
        ({"regex": "nosuch"}, "`nosuch` does not match"),
        ({"path": "$.total", "schema": {"type": "string"}}, "`value` must be a string, found a number"),
        ({"path": "$.items[1]", "schema": {"properties": {"price": {"minimum": 0}}}}, "`value.price` must be"),
        ({"path": "$.items", "minLength": 3}, "at least 3 items are needed, found 2"),
        ({"path": "$.name", "maxLength": 2}, "at most 2 characters are allowed, found 3"),
        ({"path": "$.total", "minLength": 1}, "only a text, a list or a map has a length, found 5"),
    ],
)  # fmt: skip
def test_an_assertion_that_does_not_hold_says_what_was_found(assertion, says):
    judgement = judged(JSON, assertion, output_format="json")
    assert judgement.verdict is Verdict.REJECTED
    assert says in judgement.detail


def test_a_path_wants_an_answer_in_json():
    for assertion in ({"path": "$.a", "minLength": 1}, {"expr": "json.a"}):
        judgement = judged("plain words", assertion)
        assert judgement.verdict is Verdict.REJECTED
        assert "the answer is not JSON: line 1, column 1" in judgement.detail


def test_all_that_do_not_hold_are_told_up_to_a_limit():
    wrong = [{"regex": f"nosuch{i}"} for i in range(SHOWN_VIOLATIONS + 3)]
    detail = judged("an answer", {"minLength": 1}, *wrong).detail
    assert [f"assertion {i + 2} does" in detail for i in range(SHOWN_VIOLATIONS + 1)] == [True] * SHOWN_VIOLATIONS + [
        False
    ]
    assert detail.endswith("; and 3 more")


def test_format_and_schema_are_weighed_before_the_assertions():
    assert "not the JSON" in judged("words", {"expr": "value.total > 0"}, output_format="json").detail


def test_the_detail_is_bounded_whatever_the_answer_holds():
    answer = '{"a": [' + ",".join(['"' + "x" * 10_000 + '"'] * 50) + "]}"
    for assertion in (
        {"path": "$.a[*]", "maxLength": 1},
        {"path": "$.a[*]", "regex": "y"},
        {"path": "$", "expr": "false"},
    ):
        detail = judged(answer, assertion, output_format="json").detail
        assert len(detail) < 1_000 < DETAIL_LIMIT


def test_a_hundred_heavy_assertions_are_bounded_together():
    answer = f"[{', '.join(['1'] * 2_000)}]"
    heavy = [{"expr": "all(x + y > 0 for x in value for y in value)"}, {"path": "$..*..*", "expr": "true"}] * 50
    with little_work():
        assert judged(answer, *heavy, output_format="json").verdict is Verdict.REJECTED


def test_regular_expressions_over_a_long_text_are_bounded_together():
    answer = "abc " * 1_000_000
    with little_work():
        detail = judged(answer, *[{"regex": "(?:[ab][a-h]{0,200}){0,2}c[a-h]{300}[0-9]"}] * 100).detail
        assert "does not match" in detail
        assert "it takes too much work" in judged(answer, *[{"regex": "a"}] * 100).detail


def test_no_assertions_and_an_empty_list_are_known_as_the_same():
    assert digest_of(()) is None
    assert digest_of([]) is None


def test_the_order_of_fields_does_not_count_and_everything_else_does():
    one = ({"regex": "a", "message": "b"},)
    assert digest_of(one) == digest_of(({"message": "b", "regex": "a"},))
    assert len({digest_of(one), digest_of(({"regex": "a"},)), digest_of(one * 2), None}) == 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text(max_size=20),
    st.fixed_dictionaries(
        {},
        optional={
            "path": st.sampled_from(["$", "$.a", "$..*", "$[0]", "$.b[?@.a == 1]"]),
            "expr": st.sampled_from(["value == 1", "value > 0", "len(value) > 1", "value", "json.a is null"]),
            "regex": st.sampled_from(["a", "^$", r"\d"]),
            "schema": st.sampled_from([{"type": "string"}, {"required": ["a"]}]),
            "minLength": st.integers(0, 3),
            "message": st.text(min_size=1, max_size=5),
        },
    ),
    json_values,
)
def test_an_answer_is_accepted_or_rejected_with_a_reason_whatever_it_is(text, assertion, value):
    import json

    for answer in (text, json.dumps(value)):
        judgement = judged(answer, assertion)
        assert judgement.verdict in {Verdict.ACCEPTED, Verdict.REJECTED}
        assert (judgement.verdict is Verdict.ACCEPTED) == (judgement.detail == "")
