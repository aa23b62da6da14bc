"""No report is better than the command was: each outcome that there is, in each format, says the same and says why."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_accounts import applied, change, failed, finished, hostile_accounts, plan, planned, told
from told_pages import Read

from taskspec import events
from taskspec.address import Address
from taskspec.diagnostics import Diagnostic, Position, Severity
from taskspec.events import ApplyStarted, Effect
from taskspec.health import Health
from taskspec.observed.model import Duplicate, Observed
from taskspec.plan.model import Action, Basis, Circumstances
from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.report import annotations, junit, markdown
from taskspec.report.account import Account, Heard, Kind, Trouble
from taskspec.report.exiting import ExitCode
from taskspec.report.html import page as html_page
from taskspec.report.outputs import outputs
from taskspec.report.verdicts import Grade, verdict
from taskspec.taskapi.remotes import RemoteIdentity

GREEN, AMBER = "✅", "📝"
TONES = {"good": Grade.GOOD, "notice": Grade.NOTICE}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a reader sees at first of an account, in every format."""

    sign: str
    tone: str
    failed: int
    outcome: str
    code: int
    annotated: tuple[str, ...]
    everything: str

    @property
    def is_green(self):
        """Tell whether any of them is good."""
        return self.sign in {GREEN, AMBER} or self.tone in TONES or not self.failed or not self.annotated


def shown(account):
    text = markdown.page(account)
    page = "".join(html_page(account))
    suites = junit.page(account)
    found = ET.fromstring(suites)
    told = outputs(account)
    annotated = tuple(annotations.of_account(account, Path("/w"), Path("/w")))
    return Shown(
        sign=re.match(r"### (\S+) ", text)[1],
        tone=re.search(r'class="verdict (\w+)"', page)[1],
        failed=int(found.get("failures")) + int(found.get("errors")),
        outcome=told["outcome"],
        code=int(told["exit-code"]),
        annotated=tuple(line for line in annotated if line.startswith("::error")),
        everything="\n".join((text, suites, *annotated)),
    )


def _ended(verdict, health=None, effect=Effect.DONE, action=Action.CREATE, detail="the very reason"):
    made = change(action=action)
    return applied(told(made, finished(made, verdict, health, effect, detail)))


def _stuck(action, health, **more):
    return planned(told(change(action=action, health=health, text="the very reason", **more)))


def _heard(*more):
    made = change()
    return applied(told(made, finished(made)), heard=[Heard(at=3.0, event=one) for one in more])


def _file_lost(kind):
    made = change()
    task = told(made, finished(made))
    lost = Heard(at=1.0, event=kind(address=Address("a"), detail="the very reason"))
    return applied(replace(task, heard=(*task.heard, lost)))


def _standing(health):
    task = replace(told(change()), change=None, health=health)
    code = {Health.UNHEALTHY: 3, Health.NEEDS_INPUT: 5, Health.UNKNOWN: 9}[health]
    return Account(kind=Kind.STANDING, code=ExitCode(code), began=0.0, ended=1.0, project="demo", tasks=[task])


def _wrong():
    found = Diagnostic(summary="the very reason", detail="", position=Position(file="t.yaml", line=4))
    return Account(kind=Kind.VALIDATE, code=ExitCode.ERROR, began=0.0, ended=1.0, diagnostics=(found,))


REFUSAL = Refusal(
    limit="maxCreate", allowed=1, found=2, addresses=(Address("a"),), message="the very reason", kind=RefusalKind.POLICY
)
MADE = told(change(), finished(change()))
TWINS = Basis(
    observed=Observed(
        duplicates=(
            Duplicate(address=None, runs=tuple(SimpleNamespace(id=name, status="completed") for name in ("r1", "r2"))),
        )
    ),
    circumstances=Circumstances(now=0.0, plan="p", remote=RemoteIdentity(type="local", instance="one")),
)
OUTCOMES = {
    "failed": (_ended("failed"), 3),
    "rejected": (_ended("rejected"), 3),
    "an error of the platform": (_ended("error"), 3),
    "stopped": (_ended("stopped"), 3),
    "waits for a person": (_ended("waiting", Health.NEEDS_INPUT), 5),
    "lost": (_ended("lost", Health.UNKNOWN, Effect.LEFT, Action.HOLD), 9),
    "unknown": (_ended("unknown", Health.UNKNOWN), 9),
    "a verdict nobody knows": (_ended("splendid"), 9),
    "accepted, and yet not healthy": (_ended("accepted", Health.UNHEALTHY), 3),
    "healthy, and yet rejected": (_ended("rejected", Health.HEALTHY), 3),
    "an outcome nobody knows": (_ended(None, Health.UNKNOWN, Effect.UNKNOWN), 9),
    "could not be carried out": (_ended(None, Health.HEALTHY, Effect.FAILED), 1),
    "not waited for": (_ended(None, Health.HEALTHY, Effect.CUT), 4),
    "protected": (_ended("accepted", Health.HEALTHY, Effect.REFUSED), 6),
    "held": (_ended("active", Health.HEALTHY, Effect.REFUSED, Action.HOLD), 6),
    "blocked": (_ended(None, Health.UNHEALTHY, Effect.LEFT, Action.BLOCKED), 3),
    "failed before, no attempt left": (_ended("failed", Health.UNHEALTHY, Effect.LEFT, Action.NONE), 3),
    "never heard of again": (applied(told(change())), 1),
    "a result that was not written": (_file_lost(events.ResultNotWritten), 1),
    "a result that cannot be read": (_file_lost(events.ResultUnreadable), 1),
    "two runs of one create": (_heard(events.DuplicatesFound(address=Address("a"), kept="r1", others=("r2",))), 9),
    "Ctrl-C": (_heard(events.Interrupted(signum=2)), 130),
    "SIGTERM": (_heard(events.Interrupted(signum=15)), 143),
    "SIGHUP": (_heard(events.Interrupted(signum=1)), 129),
    "planned: failed before": (_stuck(Action.NONE, Health.UNHEALTHY, verdict="failed"), 3),
    "planned: waits for a person": (_stuck(Action.WAIT, Health.NEEDS_INPUT), 5),
    "planned: lost": (_stuck(Action.HOLD, Health.UNKNOWN), 9),
    "planned: to be settled": (_stuck(Action.SETTLE, Health.UNKNOWN), 9),
    "planned: cannot be read": (_stuck(Action.HOLD, Health.UNKNOWN, in_error=True), 1),
    "planned: protected": (_stuck(Action.HOLD, Health.HEALTHY, refused=True), 6),
    "planned: blocked": (_stuck(Action.BLOCKED, Health.UNHEALTHY), 3),
    "planned: refused by a guard": (planned(told(change()), refusals=(REFUSAL,)), 6),
    "planned: two runs of one create": (planned(MADE, basis=TWINS), 9),
    "standing: failed": (_standing(Health.UNHEALTHY), 3),
    "standing: waits for a person": (_standing(Health.NEEDS_INPUT), 5),
    "standing: unknown": (_standing(Health.UNKNOWN), 9),
    "wrong manifests": (_wrong(), 1),
    "no connection": (failed("the very reason", ExitCode.ERROR), 1),
    "refused before the apply": (failed("the very reason", ExitCode.REFUSED), 6),
    "a stale plan, or a missing key": (failed("the very reason", ExitCode.STALE), 7),
    "a lock that is held": (failed("the very reason", ExitCode.LOCKED), 8),
    "a command line that cannot be": (failed("the very reason", ExitCode.USAGE), 64),
    "done, and then something broke": (
        replace(applied(MADE), code=ExitCode.ERROR, trouble=Trouble(message="the very reason")),
        1,
    ),
    "done, and the merged manifests ask for more": (
        replace(applied(MADE), code=ExitCode.STALE, trouble=Trouble(message="the very reason")),
        7,
    ),
}
REASONLESS = {
    "never heard of again",
    "two runs of one create",
    "Ctrl-C",
    "SIGTERM",
    "SIGHUP",
    "planned: two runs of one create",
    "standing: failed",
    "standing: waits for a person",
    "standing: unknown",
}
"""Those of which nobody has told more than that it is so."""


@pytest.mark.parametrize("name", OUTCOMES)
def test_whatever_goes_wrong_is_red_in_every_report_and_its_reason_is_told(name):
    account, code = OUTCOMES[name]
    found = shown(account)
    assert account.code == code
    assert found.code == code
    assert not found.is_green, found
    assert found.outcome not in {"done", "nothing-to-do", "to-be-done", "valid", "all-is-well"}
    assert ("the very reason" in found.everything) is (name not in REASONLESS)


@pytest.mark.parametrize("name", [name for name, (_, code) in OUTCOMES.items() if code != 64])
def test_an_exit_code_that_tells_another_story_than_the_tasks_is_not_believed(name):
    """A code of 0 or 2 beside a red task is a bug; no report hides it."""
    account, code = OUTCOMES[name]
    if not account.tasks and account.trouble is None and not account.diagnostics:
        return
    for good in (ExitCode.OK, ExitCode.CHANGES):
        found = shown(replace(account, code=good))
        assert not found.is_green, (good, found)
        assert verdict(replace(account, code=good)).code not in {ExitCode.OK, ExitCode.CHANGES}
    assert verdict(account).code == code


@pytest.mark.parametrize("code", [*ExitCode])
@pytest.mark.parametrize("kind", [*Kind])
def test_a_code_that_nothing_explains_is_red_all_the_same(code, kind):
    same = change(action=Action.NONE)
    begun = Heard(at=0.0, event=ApplyStarted(plan="p", changes=1, paid=0))
    end = told(same, finished(same, effect=Effect.LEFT))
    account = replace(planned(end), kind=kind, code=code, heard=(begun, *end.heard) if kind is Kind.APPLY else ())
    found = shown(account)
    if code in {ExitCode.OK, ExitCode.CHANGES}:
        assert (found.sign, found.tone) == ((GREEN, "good") if code is ExitCode.OK else (AMBER, "notice"))
        assert (found.failed, found.annotated) == (0, ())
    else:
        assert not found.is_green, found


SAME = told(change(action=Action.NONE), health=Health.HEALTHY)
GOOD = {
    "accepted": (applied(MADE), "done"),
    "nothing to do": (planned(SAME), "nothing-to-do"),
    "changes": (planned(told(change())), "to-be-done"),
    "changes, and asked for them": (replace(planned(told(change())), code=ExitCode.CHANGES), "to-be-done"),
    "drift": (replace(planned(SAME), drifted=1), "drifted"),
    "drift, and asked for it": (replace(planned(SAME), drifted=1, code=ExitCode.CHANGES), "drifted"),
    "changes and drift": (replace(planned(told(change())), drifted=1, code=ExitCode.CHANGES), "to-be-done"),
    "not waited for, as asked": (_ended("active", Health.HEALTHY, Effect.LEFT), "begun"),
    "up to date": (_ended("accepted", Health.HEALTHY, Effect.LEFT, Action.NONE), "done"),
    "moved": (_ended("accepted", Health.HEALTHY, Effect.DONE, Action.MOVE), "done"),
    "its kept result is accepted again": (_ended("accepted", Health.HEALTHY, Effect.DONE, Action.REJUDGE), "done"),
    "forgotten": (_ended(None, Health.HEALTHY, Effect.DONE, Action.FORGET), "done"),
    "duplicates that an apply has stopped": (
        replace(applied(MADE), plan=replace(plan(MADE.change), basis=TWINS)),
        "done",
    ),
    "nothing is selected": (planned(unselected=3), "nothing-to-do"),
    "a warning": (
        Account(
            kind=Kind.VALIDATE,
            code=ExitCode.OK,
            began=0.0,
            ended=1.0,
            diagnostics=(Diagnostic(summary="Odd", detail="", position=Position(file="t"), severity=Severity.WARNING),),
        ),
        "valid",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_well_is_red_nowhere(name):
    account, outcome = GOOD[name]
    found = shown(account)
    assert (found.outcome, found.failed, found.annotated) == (outcome, 0, ())
    assert found.sign in {GREEN, AMBER}
    assert found.tone in TONES


@pytest.mark.parametrize("name", ["drift, and asked for it", "changes and drift"])
def test_drift_is_told_beside_what_a_plan_would_do(name):
    account, _ = GOOD[name]
    assert "1 task has drifted." in verdict(account).text
    assert "0 changes" not in verdict(account).text
    graver = verdict(replace(account, code=ExitCode.UNKNOWN, drifted=2))
    assert (graver.code, graver.word) == (ExitCode.UNKNOWN, "Unknown")
    assert graver.text.endswith("2 tasks have drifted.")


def test_a_plan_that_was_begun_and_is_not_told_to_its_end_is_no_success():
    assert verdict(replace(applied(told(change())), code=ExitCode.OK)).grade is Grade.BAD
    unheard = replace(planned(told(change())), kind=Kind.APPLY)
    assert verdict(unheard).code is ExitCode.UNKNOWN
    assert verdict(replace(unheard, kind=Kind.PLAN, plan=None)).code is ExitCode.UNKNOWN


def test_what_was_never_applied_is_no_good_news():
    account = replace(_standing(Health.UNKNOWN), code=ExitCode.OK)
    new = replace(account.tasks[0], health=None)
    assert verdict(replace(account, tasks=[new])).grade is Grade.NOTICE
    assert verdict(replace(account, tasks=[])).grade is Grade.NOTICE


@settings(max_examples=60, deadline=None)
@given(hostile_accounts(), st.sampled_from([None, ExitCode.OK, ExitCode.CHANGES]))
def test_all_reports_of_whatever_account_agree(account, pretended):
    account = account if pretended is None else replace(account, code=pretended)
    found, come = shown(account), verdict(account)
    is_bad = come.code not in {ExitCode.OK, ExitCode.CHANGES}
    assert is_bad or account.code in {ExitCode.OK, ExitCode.CHANGES}
    assert found.tone == come.grade
    assert found.outcome == come.word.lower().replace(" ", "-")
    assert (found.sign not in {GREEN, AMBER}) is is_bad
    assert (found.failed > 0) is is_bad
    assert bool(found.annotated) is is_bad


def test_what_was_never_applied_is_counted_apart_from_what_failed():
    account = replace(_standing(Health.UNHEALTHY), code=ExitCode.UNHEALTHY)
    (ill,) = account.tasks
    more = [replace(ill, address=Address(name), health=None) for name in ("b", "c")]
    said = "1 task has no accepted result. 2 tasks were not applied yet."
    assert verdict(replace(account, tasks=[ill, *more])).text == said


def test_runs_that_depend_on_others_are_told_as_what_may_be():
    later = change("b", conditional=True, after=(Address("a"),), retries=2)
    account = planned(told(change("a")), told(later))
    assert verdict(account).text == "2 changes would be made, with 1 to 2 paid runs, and up to 2 by retry."
    assert "1 to 2 paid runs, and up to 2 by retry" in Read("".join(html_page(account))).text
    assert "| **Paid runs** | **1 to 2, and up to 2 by retry** |" in markdown.page(account)
