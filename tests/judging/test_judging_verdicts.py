"""What we say of a run: every status with every cause, and every way in which an answer misses its contract."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskspec.judging.judging import DETAIL_LIMIT, SHOWN_VIOLATIONS, Expectation, judge
from taskspec.state.model import StopCause, Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status

CAUSES = [None, *StopCause]
ANYTHING = Expectation()
JSON = Expectation(output_format="json")
TOTAL = Expectation(
    output_format="json",
    output_schema={"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}},
)
VERDICTS = {
    Status.Pending: Verdict.ACTIVE,
    Status.Executing: Verdict.ACTIVE,
    Status.Paused: Verdict.WAITING,
    Status.Error: Verdict.ERROR,
    Status.Failed: Verdict.FAILED,
    Status.Completed: Verdict.ACCEPTED,
    Status.Stopped: Verdict.STOPPED,
}


def rejected(result, expectation=JSON):
    judgement = judge("completed", result, expectation, None)
    assert judgement.verdict is Verdict.REJECTED
    return judgement.detail


@pytest.mark.parametrize(("status", "cause"), list(product(Status, CAUSES)))
def test_every_known_status_has_one_verdict_whatever_the_cause(status, cause):
    expected = VERDICTS[status]
    if (status, cause) == (Status.Stopped, StopCause.TIMEOUT):
        expected = Verdict.FAILED
    assert judge(status, "an answer", ANYTHING, cause).verdict is expected


def test_the_table_names_every_status():
    assert set(VERDICTS) == set(Status)


@given(st.text(), st.none() | st.text(), st.sampled_from(CAUSES))
def test_nothing_but_completed_is_ever_accepted(status, result, cause):
    verdict = judge(status, result, ANYTHING, cause).verdict
    assert verdict is not Verdict.ACCEPTED or status == "completed"


@pytest.mark.parametrize("status", ["", "Completed", "COMPLETED", "completed ", "succeeded", "done"])
def test_a_status_that_we_do_not_know_is_unknown_and_named(status):
    judgement = judge(status, "an answer", ANYTHING, None)
    assert judgement.verdict is Verdict.UNKNOWN
    assert repr(status) in judgement.detail


@pytest.mark.parametrize("result", [None, "", " \n\t", "\u200b", "\ufeff", "\u00a0"])
@pytest.mark.parametrize("expectation", [ANYTHING, JSON, Expectation(output_format="markdown")])
def test_an_answer_without_a_visible_character_is_rejected(result, expectation):
    assert "empty" in rejected(result, expectation)


def test_any_visible_text_is_accepted_where_no_contract_was_asked_for():
    judgement = judge("completed", "```json\n{}\n```", Expectation(output_format="markdown"), None)
    assert (judgement.verdict, judgement.detail) == (Verdict.ACCEPTED, "")


@pytest.mark.parametrize("result", ["{}", " [1, 2.5e3] \n", '"text"', "null", '{"a": {"a": "\\ud83d\\ude00"}}'])
def test_json_is_accepted(result):
    assert judge("completed", result, JSON, None).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ('{"total": 1,}', "line 1, column"),
        ("Here it is:\n{}", "line 1, column 1"),
        ("{} {}", "Extra data"),
        ('{"total": NaN}', "NaN is not a JSON value"),
        ("[-Infinity]", "-Infinity is not a JSON value"),
        ("[1e999]", "1e999 is too large"),
        ("9" * 5000, "is too large"),
        ('{"a": {"total": 1, "total": 2}}', 'the key "total" stands twice'),
        ("```json\n{}\n```", "Markdown code fence"),
        ("\n```\n{}\n```", "Markdown code fence"),
        ("[" * 101 + "]" * 101, "levels deep"),
        ("[" * 100_000, "levels deep"),
        ('["\\ud800"]', "half of a character"),
        ('{"\\udc00": 1}', "half of a character"),
        ("\ufeff{}", "BOM"),
    ],
)
def test_what_is_not_strictly_json_is_rejected_with_its_reason(result, says):
    assert says in rejected(result)


def test_half_of_a_character_is_rejected_in_any_format():
    assert "half of a character" in rejected("a\ud800b", ANYTHING)


def test_json_of_the_greatest_depth_is_accepted():
    assert judge("completed", "[" * 100 + "1" + "]" * 100, JSON, None).verdict is Verdict.ACCEPTED


def test_an_answer_that_fits_its_schema_is_accepted():
    assert judge("completed", '{"total": 3}', TOTAL, None).verdict is Verdict.ACCEPTED


def test_an_answer_that_misses_its_schema_tells_where():
    assert "$.total: must be a number" in rejected('{"total": "3"}', TOTAL)


def test_an_answer_that_lacks_a_field_names_it():
    assert "$: lacks `total`" in rejected("{}", TOTAL)


def test_a_schema_asks_for_json_even_where_the_format_does_not():
    assert "not the JSON" in rejected("three", Expectation(output_schema=TOTAL.output_schema))


def test_the_place_of_a_violation_can_be_copied():
    schema = {"properties": {"a b": {"items": {"type": "integer"}}}}
    assert "$['a b'][1]: " in rejected('{"a b": [1, "x"]}', Expectation(output_schema=schema))


def test_only_the_first_violations_are_told_and_the_others_counted():
    detail = rejected(f"[{', '.join(['true'] * 40)}]", Expectation(output_schema={"items": {"type": "string"}}))
    assert detail.count("must be a string") == SHOWN_VIOLATIONS
    assert detail.endswith(f"and {40 - SHOWN_VIOLATIONS} more")


def test_a_schema_that_is_none_accepts_no_answer():
    assert "not a valid JSON Schema" in rejected("{}", Expectation(output_schema={"type": "nonsense"}))


def test_a_very_large_whole_number_is_judged_and_does_not_crash():
    assert judge("completed", f'{{"total": {"9" * 400}}}', TOTAL, None).verdict in {Verdict.ACCEPTED, Verdict.REJECTED}


@pytest.mark.parametrize(("status", "verdict"), [("failed", Verdict.FAILED), ("error", Verdict.ERROR)])
def test_the_agents_own_words_are_the_detail(status, verdict):
    judgement = judge(status, "  the file is not there\n", ANYTHING, None)
    assert (judgement.verdict, judgement.detail) == (verdict, "the file is not there")


@pytest.mark.parametrize("status", ["failed", "error"])
@pytest.mark.parametrize("result", [None, "", "  "])
def test_a_failure_without_words_still_has_a_detail(status, result):
    assert judge(status, result, ANYTHING, None).detail


def test_long_words_keep_their_beginning_and_their_end():
    detail = judge("failed", f"first{'x' * 100_000}last", ANYTHING, None).detail
    assert detail.startswith("first")
    assert detail.endswith("last")
    assert len(detail) < DETAIL_LIMIT + 100


def test_words_that_are_not_text_can_still_be_written():
    assert judge("failed", "bad \ud800 byte", ANYTHING, None).detail.encode()


def test_a_time_out_of_ours_is_a_failure_that_says_so():
    assert "cause: timeout" in judge("stopped", None, ANYTHING, StopCause.TIMEOUT).detail


def test_a_stop_tells_whose_it_was():
    assert judge("stopped", None, ANYTHING, None).detail == "stopped by someone else"
    assert judge("stopped", None, ANYTHING, StopCause.REPLACE).detail == "stopped by taskspec (cause: replace)"
