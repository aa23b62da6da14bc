"""The exact words of a plan and of an apply, as snapshots: reviewed like code."""

import dataclasses
import json

import pytest

from taskspec import events
from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.events import ChangeFinished, Effect
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action, Change, FieldDiff, Missing, Plan, Risk, RiskCategory
from taskspec.report.counting import Tally
from taskspec.report.jsonlines import JsonLines
from taskspec.report.narrating import Narrator
from taskspec.report.plans import lines, quiet_lines
from taskspec.report.quieting import QuietNarrator
from taskspec.report.text import VOICES, Paint, voice
from taskspec.report.whys import Why, why_lines

A = Address("report")
EVIL = "\x1b[2J\u202eevil"
MISSING = Missing.MISSING


def change(action, health=Health.HEALTHY, **more):
    at = Position(file="tasks.yaml", line=7, column=3)
    reasons = (Reason(code="some", text=f"why it is {action}", position=at), Reason(code="other", text="and one more"))
    return Change(**{"address": A, "action": action, "reasons": reasons, "health": health, "agent": "writer", **more})


def plan(*changes, unselected=0):
    return Plan(
        id="p",
        project="sales",
        environment="default",
        lineage="l",
        serial=1,
        created_at=0.0,
        changes=changes,
        unselected=unselected,
    )


CHANGES = {
    "none": change(Action.NONE),
    "none, unhealthy": change(Action.NONE, Health.UNHEALTHY, verdict="failed", generation=2, attempt=3),
    "create": change(
        Action.CREATE,
        paid=True,
        generation=1,
        attempt=1,
        diffs=(
            FieldDiff(path=("agent",), before=MISSING, after="writer"),
            FieldDiff(path=("prompt",), before=MISSING, after="one\ntwo\n"),
        ),
    ),
    "create again": change(Action.CREATE, Health.UNHEALTHY, paid=True, generation=1, attempt=2, run="r1"),
    "create perhaps": change(
        Action.CREATE,
        paid=True,
        conditional=True,
        after=(Address("extract"),),
        generation=1,
        attempt=1,
        diffs=(FieldDiff(path=("prompt",), before=MISSING, after="Sum up (known after extract)."),),
    ),
    "update": change(Action.UPDATE, diffs=(FieldDiff(path=("title",), before="Old", after="New"),)),
    "replace": change(
        Action.REPLACE,
        paid=True,
        destructive=True,
        generation=2,
        attempt=1,
        diffs=(
            FieldDiff(path=("prompt",), before="one\ntwo\nthree\n", after="one\n2\nthree\n"),
            FieldDiff(path=("additionalContext",), before="one", after="one\ntwo"),
            FieldDiff(path=("llm", "name"), before="gpt-5", after=MISSING),
            FieldDiff(path=("files", 0), before={"path": "a"}, after=None),
        ),
    ),
    "stop": change(Action.STOP, destructive=True, generation=1),
    "forget": change(Action.FORGET, generation=1),
    "adopt": change(Action.ADOPT, generation=1),
    "wait": change(Action.WAIT, generation=1),
    "wait for a person": change(Action.WAIT, Health.NEEDS_INPUT, generation=1),
    "settle": change(Action.SETTLE, Health.UNKNOWN, paid=True, generation=1),
    "rejudge": change(Action.REJUDGE, generation=1),
    "move": change(Action.MOVE, generation=1),
    "hold": change(Action.HOLD, Health.UNKNOWN, generation=1, in_error=True),
    "blocked": change(Action.BLOCKED, Health.UNHEALTHY),
    "hostile": change(
        Action.CREATE,
        agent=EVIL,
        reasons=(Reason(code="c", text=EVIL),),
        diffs=(FieldDiff(path=(EVIL,), before=EVIL, after=f"{EVIL}\n{EVIL}"),),
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_plan_says_what_is_to_be_done_and_why(case, snapshot):
    text = "\n".join(lines(plan(CHANGES[case]), Paint(False)))
    assert snapshot == text
    assert "\x1b" not in text


def test_a_plan_of_everything_counts_each(snapshot):
    assert snapshot == "\n".join(lines(plan(*CHANGES.values(), unselected=2), Paint(False))).splitlines()[-1]


def test_a_plan_of_nothing(snapshot):
    assert snapshot == "\n".join(lines(plan(), Paint(False)))


def test_every_action_has_its_case():
    assert {case.action for case in CHANGES.values()} == set(Action)


@pytest.mark.parametrize(
    ("case", "word"), [("none", "up to date"), ("none, unhealthy", "failed"), ("create", "create"), ("hold", "hold")]
)
def test_why_begins_with_the_words_of_the_plan(case, word):
    head, *_ = why_lines(Why(change=CHANGES[case], plan=plan(CHANGES[case])), Paint(False))
    assert head == f"report  {word}  writer"


def finished(effect, health=Health.HEALTHY, **more):
    return ChangeFinished(address=A, action="create", effect=effect, health=health, **more)


TOLD = {
    "ApplyStarted": events.ApplyStarted(plan="p", changes=2, paid=1),
    "AddressMoved": events.AddressMoved(address=A, before=Address("old")),
    "RunCreated": events.RunCreated(address=A, agent="writer", generation=2, attempt=1, run="r1"),
    "RunCreated again": events.RunCreated(address=A, agent="writer", generation=2, attempt=3, run=EVIL),
    "RunAbsent": events.RunAbsent(address=A, detail="proven not to be on the remote"),
    "RunAdopted": events.RunAdopted(address=A, run="r1"),
    "ResultAccepted": events.ResultAccepted(address=A, generation=3, source=2, run="r1"),
    "ResultAccepted as it was asked": events.ResultAccepted(address=A, generation=2, source=2, run="r1"),
    "RunStatusChanged": events.RunStatusChanged(address=A, run="r1", status="executing"),
    "RunEnded": events.RunEnded(address=A, run="r1", status="completed", verdict="accepted", seconds=61.0),
    "RunEnded failed": events.RunEnded(
        address=A, run="r1", status="failed", verdict="failed", detail=f"exit code 1\n{EVIL}\n\nlast"
    ),
    "RunEnded at length": events.RunEnded(
        address=A, run="r1", status="failed", verdict="failed", detail="\n".join(f"line {n}" for n in range(20))
    ),
    "RunSaid": events.RunSaid(address=A, run="r1", kind="answer", text=f"::error::x {EVIL}\rback"),
    "RunSaid thought": events.RunSaid(address=A, run="r1", kind="think", text="stderr: hm"),
    "ListeningEnded": events.ListeningEnded(address=A, run="r1", detail=f"cut {EVIL}"),
    "ResultWritten": events.ResultWritten(address=A, path="results/report.md"),
    "ResultsRemoved": events.ResultsRemoved(address=A, generations=(3, 2), results=2),
    "ResultWithdrawn": events.ResultWithdrawn(address=A, path="results/report.md"),
    "FormerResultRemoved": events.FormerResultRemoved(address=A, path="results/old.md"),
    "ResultUnreadable": events.ResultUnreadable(address=A, detail="the result is damaged"),
    "ResultNotWritten": events.ResultNotWritten(address=A, detail="report.md is not a file of taskspec"),
    "RunStopped": events.RunStopped(address=A, run="r1", cause="replace"),
    "TitleUpdated": events.TitleUpdated(address=A, run="r1", kept=True),
    "TitleUpdated not": events.TitleUpdated(address=A, run="r1", kept=False),
    "AddressForgotten": events.AddressForgotten(address=A),
    "DriftAcknowledged": events.DriftAcknowledged(address=A, run="r1", status="gone"),
    "RetryScheduled": events.RetryScheduled(address=A, attempt=2, seconds=30.0),
    "OutcomeUnknown": events.OutcomeUnknown(address=A, seconds=5.0, detail="the connection was cut"),
    "WaitedTooLong": events.WaitedTooLong(addresses=(A, Address("b"))),
    "Interrupted": events.Interrupted(signum=2),
    "ChangeDecided": events.ChangeDecided(address=A, action="create", detail="`prompt` changed since g1"),
    "ChangeDecided none": events.ChangeDecided(address=A, action="none", detail="the result of g1 is accepted"),
    "DuplicatesFound": events.DuplicatesFound(address=A, kept="r1", others=("r2", "r3"), detail="run r2 is executing"),
    "DuplicatesFound ended": events.DuplicatesFound(address=A, kept=EVIL, others=("r2",)),
    "SweepFailed": events.SweepFailed(agent="writer", detail=f"no lists today {EVIL}"),
    "ChangeFinished done": finished(Effect.DONE, verdict="accepted"),
    "ChangeFinished left": finished(Effect.LEFT, detail="run r1 goes on"),
    "ChangeFinished left ill": finished(Effect.LEFT, Health.UNHEALTHY, verdict="failed", detail="exit code 1"),
    "ChangeFinished failed": finished(Effect.FAILED, Health.UNHEALTHY, detail=f"no connection {EVIL}"),
    "ChangeFinished unknown": finished(Effect.UNKNOWN, Health.UNKNOWN, detail="not known yet"),
    "ChangeFinished cut": finished(Effect.CUT, detail="the run is executing"),
    "ChangeFinished cut early": finished(Effect.CUT),
    "ApplyFinished": events.ApplyFinished(seconds=3.2),
    "FilesChanged": events.FilesChanged(files=("tasks.yaml",)),
    "RoundFinished": events.RoundFinished(
        round=7,
        outcome=events.RoundOutcome.SETTLED,
        started=2,
        accepted=2,
        unchanged=41,
        unhealthy=0,
        needing=0,
        unknown=0,
        seconds=8.2,
        pause=300.0,
    ),
}


def narrated(*heard, kind=Narrator):
    written, tally = [], Tally()
    narrator = kind(written.append, Paint(False), tally)
    for event in heard:
        tally.on(event)
        narrator.on(event)
    narrator.close()
    return "\n".join(written)


@pytest.mark.parametrize("case", TOLD)
def test_an_apply_says_what_happens(case, snapshot):
    told = narrated(TOLD[case])
    assert snapshot == told
    assert "\x1b" not in told


def test_the_last_line_sums_up(snapshot):
    heard = [*TOLD.values(), finished(Effect.LEFT, Health.NEEDS_INPUT), TOLD["ApplyFinished"]]
    assert snapshot == "\n".join(narrated(*heard).splitlines()[-2:])


ENDED = {
    "failed": finished(Effect.DONE, Health.UNHEALTHY, verdict="failed"),
    "blocked": dataclasses.replace(finished(Effect.LEFT, Health.UNHEALTHY), action="blocked"),
    "held": dataclasses.replace(finished(Effect.LEFT, Health.UNKNOWN), action="hold"),
    "refused": dataclasses.replace(finished(Effect.REFUSED, Health.UNKNOWN), action="hold"),
    "left as it is": finished(Effect.LEFT, Health.UNHEALTHY),
    "not finished": finished(Effect.CUT, Health.NEEDS_INPUT, verdict="active"),
    "unknown": finished(Effect.UNKNOWN, Health.UNKNOWN),
}


@pytest.mark.parametrize("word", ENDED)
def test_below_the_last_line_stands_which_tasks_are_not_well(word):
    well = dataclasses.replace(finished(Effect.DONE, verdict="accepted"), address=Address("fine"))
    told = narrated(well, ENDED[word], TOLD["ApplyFinished"]).splitlines()
    assert told[-1] == f"  report ({word}): `taskspec status` tells more"
    assert not any("taskspec status" in line for line in narrated(well, well, TOLD["ApplyFinished"]).splitlines())
    assert "taskspec status" not in narrated(ENDED[word], TOLD["ApplyFinished"])


def test_the_first_five_of_them_are_named():
    many = [dataclasses.replace(ENDED["failed"], address=Address(f"t{n}")) for n in range(7)]
    told = narrated(*many, TOLD["ApplyFinished"]).splitlines()[-1]
    assert told.startswith("  t0 (failed), t1 (failed)")
    assert told.endswith("t4 (failed) and 2 more: `taskspec status` tells more")


def test_who_wants_few_words_hears_what_is_wrong_and_the_last_line(snapshot):
    assert snapshot == narrated(*TOLD.values(), kind=QuietNarrator)
    well = ["RunCreated", "RunStatusChanged", "RunEnded", "ResultWritten", "ChangeFinished done", "ApplyFinished"]
    (line,) = narrated(*(TOLD[case] for case in well), kind=QuietNarrator).splitlines()
    assert line.startswith("Apply finished in 3.2s: 1 run started, 1 accepted.")


def test_a_quiet_plan_says_what_is_wrong_and_what_it_comes_to(snapshot):
    assert snapshot == "\n".join(quiet_lines(plan(*CHANGES.values()), Paint(False)))
    assert list(quiet_lines(plan(CHANGES["create"], CHANGES["none"]), Paint(False))) == [
        "sales: 1 to create, 1 up to date."
    ]


def test_the_voice_of_a_task_is_the_same_each_time_and_only_a_colour():
    colours = {name: Paint(True)(name, voice(name)) for name in (f"task-{n}" for n in range(50))}
    assert colours == {name: Paint(True)(name, voice(name)) for name in colours}
    assert len({text.replace(name, "") for name, text in colours.items()}) == VOICES


def test_a_number_that_json_has_no_word_for_is_null():
    written = []
    view = JsonLines(written.append, lambda: "now")
    for seconds in (float("inf"), float("-inf"), float("nan")):
        view.on(events.ApplyFinished(seconds=seconds))
    rows = [json.loads(line, parse_constant=pytest.fail) for line in written]
    assert [row["seconds"] for row in rows] == [None, None, None]


def test_every_event_has_its_case_and_is_a_line_of_json():
    kinds = {kind.__name__ for kind in events.Event.__subclasses__()}
    assert {type(event).__name__ for event in TOLD.values()} == kinds
    written = []
    view = JsonLines(written.append, lambda: "2026-01-01T00:00:00.000+00:00")
    for event in TOLD.values():
        view.on(event)
    rows = [json.loads(line) for line in written]
    assert [row["event"] for row in rows] == [type(event).__name__ for event in TOLD.values()]
    assert all(line.isascii() and "\n" not in line for line in written)
    for row, event in zip(rows, TOLD.values(), strict=True):
        assert row.keys() == {"format", "event", "time", *(field.name for field in dataclasses.fields(event))}


AGAIN = Risk(category=RiskCategory.RERUN_OF_ACCEPTED, text="it is paid for once more")


def told_of_risks(having, others):
    changes = [
        change(Action.REPLACE, paid=True, generation=2, address=Address(f"task-{number}"), risks=risks)
        for number, risks in enumerate([(AGAIN,)] * having + [()] * others)
    ]
    text = list(lines(plan(*changes), Paint(color=False)))
    return sum("risk rerun_of_accepted" in line for line in text), text[-1]


@pytest.mark.parametrize(("having", "others"), [(2, 0), (4, 1), (8, 3)])
def test_a_risk_that_many_changes_have_is_told_once_with_how_many(having, others):
    said = f"Risks: {having} rerun_of_accepted (what has an accepted result is paid for once more)."
    assert told_of_risks(having, others) == (0, said)


@pytest.mark.parametrize(("having", "others"), [(1, 0), (1, 1), (3, 1)])
def test_a_risk_that_few_changes_have_is_told_of_each(having, others):
    assert told_of_risks(having, others) == (having, f"Risks: {having} rerun_of_accepted.")
