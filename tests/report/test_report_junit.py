"""JUnit XML: whoever reads it sees red wherever the command ended red, whatever anybody wrote."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from sample_accounts import applied, change, failed, finished, hostile_accounts, plan, planned, told

from taskspec import events
from taskspec.address import Address
from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.events import Effect
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.plan.refusals import Refusal
from taskspec.report.account import Account, Heard, Kind
from taskspec.report.exiting import ExitCode
from taskspec.report.junit import page

CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase"],
    "properties": ["property"],
    "property": [],
    "testcase": ["skipped", "error", "failure", "system-out"],
    "skipped": [],
    "error": [],
    "failure": [],
    "system-out": [],
}
"""The elements that the readers of Jenkins, GitLab and GitHub's reporters know, with what stands in each."""
NEEDED = {
    "testsuites": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "error": {"message", "type"},
    "failure": {"message", "type"},
    "skipped": {"message"},
    "property": {"name", "value"},
}
OPTIONAL = {"testcase": {"file", "line"}}


def _read(account):
    root = ET.fromstring(page(account))
    _check(root)
    return root


def _check(element):
    assert [child.tag for child in element if child.tag not in CHILDREN[element.tag]] == []
    attributes = set(element.attrib) - OPTIONAL.get(element.tag, set())
    assert attributes == NEEDED.get(element.tag, set())
    for child in element:
        _check(child)


def _outcomes(account):
    return {
        case.get("name"): [c.tag for c in case if c.tag != "system-out"] for case in _read(account).iter("testcase")
    }


@settings(max_examples=30, deadline=None)
@given(hostile_accounts())
def test_something_failed_in_it_exactly_where_the_exit_code_says_so(account):
    root = _read(account)
    counted = int(root.get("failures")) + int(root.get("errors"))
    assert (counted > 0) is (account.code not in {ExitCode.OK, ExitCode.CHANGES})
    assert counted == len([*root.iter("failure"), *root.iter("error")])
    assert int(root.get("tests")) == len([*root.iter("testcase")])
    assert int(root.get("skipped")) == len([*root.iter("skipped")])


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        ("accepted", []),
        ("failed", ["failure"]),
        ("rejected", ["failure"]),
        ("stopped", ["failure"]),
        ("waiting", ["failure"]),
        ("error", ["error"]),
        ("unknown", ["error"]),
        ("lost", ["error"]),
        ("dreaming", ["error"]),
    ],
)
def test_what_came_of_a_task_is_what_its_case_says(verdict, element):
    made = change()
    health = Health.HEALTHY if verdict == "accepted" else Health.UNKNOWN if element == ["error"] else Health.UNHEALTHY
    assert _outcomes(applied(told(made, finished(made, verdict, health))))["a"] == element


def test_a_task_that_was_not_waited_for_has_failed_and_one_that_is_unknown_is_in_error():
    cut, lost, gone = change("cut"), change("lost"), change("gone")
    outcomes = _outcomes(
        applied(
            told(cut, finished(cut, None, effect=Effect.CUT)),
            told(lost, finished(lost, None, effect=Effect.UNKNOWN, health=Health.UNKNOWN)),
            told(gone, health=Health.UNKNOWN),
        )
    )
    assert outcomes == {"cut": ["failure"], "lost": ["error"], "gone": ["error"]}


def test_what_is_blocked_or_refused_has_failed_and_what_is_only_planned_is_skipped():
    blocked = change("blocked", Action.BLOCKED, Health.UNHEALTHY)
    held = change("held", Action.HOLD, refused=True)
    outcomes = _outcomes(planned(told(blocked), told(held), told(change("new"))))
    assert outcomes == {"blocked": ["failure"], "held": ["failure"], "new": ["skipped"]}


def test_a_result_that_could_not_be_written_is_an_error_of_its_task():
    made = change()
    event = events.ResultNotWritten(address=Address("a"), detail="the disk is full")
    task = told(made, finished(made))
    task = replace(task, heard=(*task.heard, Heard(at=1.0, event=event)))
    assert _outcomes(applied(task))["a"] == ["error"]


def test_a_refused_plan_has_a_case_for_each_limit():
    refusal = Refusal(limit="maxCreate", allowed=1, found=2, addresses=(Address("a"),))
    found = _outcomes(planned(told(change()), refusals=(refusal,)))
    assert found == {"plan: maxCreate": ["failure"], "a": ["skipped"]}


def test_wrong_manifests_are_errors_at_their_places():
    wrong = Diagnostic(summary="Unknown field", detail="No.", hint="Yes.", position=Position(file="t.yaml", line=4))
    warning = replace(wrong, severity=Severity.WARNING, summary="Odd")
    account = Account(kind=Kind.VALIDATE, code=ExitCode.ERROR, began=0.0, ended=1.0, diagnostics=(wrong, warning))
    (first, second) = _read(account).iter("testcase")
    assert (first.get("file"), first.get("line"), first[0].tag) == ("t.yaml", "4", "error")
    assert "Yes." in first[0].text
    assert second[0].tag == "skipped"


def test_a_command_that_failed_before_there_was_a_plan_is_one_error():
    assert _outcomes(failed()) == {"taskspec": ["error"]}


def test_an_exit_code_that_nothing_explains_is_an_error():
    made = change()
    account = replace(applied(told(made, finished(made))), code=ExitCode.INTERRUPTED)
    assert _outcomes(account) == {"a": [], "taskspec": ["error"]}


def test_manifests_that_are_right_are_one_case():
    account = Account(kind=Kind.VALIDATE, code=ExitCode.OK, began=0.0, ended=1.0)
    assert _outcomes(account) == {"manifests": []}


def test_a_text_of_five_megabytes_is_cut():
    made = change()
    assert len(page(applied(told(made, finished(made, "failed", detail="x" * 5_000_000))))) < 100_000


def test_the_changes_of_a_plan_alone_fail_nothing():
    account = replace(planned(told(change())), code=ExitCode.CHANGES, plan=plan(change()))
    assert _outcomes(account) == {"a": ["skipped"]}
