"""adopt, forget, retry, orphans: a person decides what nobody can know, and is told what that means."""

import asyncio
import json
from dataclasses import replace

import pytest
from kept_state import reading
from runner_ports import HOLDER
from scripted_remote import Run

from taskspec.address import Address
from taskspec.errors import LockHeldError, NotFoundError, UsageError
from taskspec.events import AddressForgotten, RunAdopted
from taskspec.health import Health
from taskspec.markers import Marker
from taskspec.plan.adopting import Bearing, doubts
from taskspec.plan.model import Action
from taskspec.runner import adopting, forgetting, tracing
from taskspec.runner.planning import plan
from taskspec.state.model import Sending, Verdict
from taskspec.state.sqlite import SqliteState


def adopt(ports, address, run, *, foreign=False, answer=True):
    """Adopt by hand; return what was shown, or None where nothing was asked."""
    ports.events, shown = [], []

    def approve(candidate):
        shown.append(candidate)
        return answer

    wish = adopting.Wish(run=run, foreign=foreign, approve=approve, emit=ports.events.append)
    assert asyncio.run(adopting.adopt(ports.invocation(address), ports, wish)) is answer
    return shown[0]


def refused(ports, address, run, **more):
    before = ports.records()
    with pytest.raises(UsageError) as trouble:
        adopt(ports, address, run, **more)
    assert ports.records() == before
    return f"{trouble.value.message} {trouble.value.hint}"


def forget(ports, *words, answer=True):
    ports.events, shown = [], []

    def approve(farewells):
        shown.extend(farewells)
        return answer

    assert asyncio.run(forgetting.forget(ports.invocation(*words), ports, approve, ports.events.append)) is answer
    return shown


def orphans(ports):
    return asyncio.run(tracing.orphans(ports.invocation(), ports))


def history(ports, address="a"):
    with reading(ports.folder) as store:
        return [(entry.note.what, entry.note.data) for entry in store.history(address)]


def lineage(ports):
    with reading(ports.folder) as store:
        return store.read().lineage


def by_somebody(ports, run, title="By hand", *, prompt="Write.", agent="writer", steps=("completed",)):
    """Let the remote have a run that taskspec did not start."""
    body = {"title": title, "input": {"text": prompt}}
    ports.remote.runs[run] = Run(
        id=run, agent=agent, body=body, key=None, applies_at=0.0, listed_at=0.0, steps=list(steps), headers={}
    )


def unsettled(ports, send="drop"):
    ports.task()
    ports.remote.sends = [send]
    ports.apply(hold_unknown=True)


def lost(ports):
    """Let a run vanish while it is followed."""
    ports.task()
    ports.remote.scripts["Write."] = [["executing", 404]]
    ports.apply()
    assert ports.finished()["a"].verdict is Verdict.LOST
    return next(iter(ports.remote.runs.values()))


def test_an_intent_takes_the_run_that_bears_its_marker(ports):
    unsettled(ports)
    shown = adopt(ports, "a", "run-1")
    assert (shown.bearing, list(doubts(shown))) == (Bearing.EXACT, [])
    assert ports.told(RunAdopted) == [RunAdopted(address="a", run="run-1")]
    (attempt,) = ports.records()["a"].generation.attempts
    assert (attempt.sending, attempt.run, attempt.verdict) == (Sending.BOUND, "run-1", None)
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"
    assert ports.remote.asked["POST"] == 1


def test_an_intent_takes_a_run_without_a_marker_and_says_what_cannot_be_known(ports):
    ports.remote.keeps_titles = False
    unsettled(ports, "lose")
    by_somebody(ports, "mine")
    shown = adopt(ports, "a", "mine")
    assert shown.bearing is Bearing.NONE
    assert "no marker" in " ".join(doubts(shown))
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"
    assert ports.remote.asked["POST"] == 1


def test_a_declared_task_takes_a_run_that_nobody_recorded_and_no_run_is_started(ports):
    ports.task()
    by_somebody(ports, "mine", steps=["executing", "completed"])
    shown = adopt(ports, "a", "mine")
    assert (shown.bearing, len(list(doubts(shown)))) == (Bearing.NONE, 1)
    record = ports.records()["a"]
    assert (record.generation.number, len(record.generation.attempts), record.accepted) == (1, 1, None)
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"
    assert ports.remote.asked["POST"] == 0
    assert plan(ports.invocation(), ports).pending == ()
    assert ports.remote.asked["PATCH"] == 0, "its title is left as it is"


def test_a_run_with_another_prompt_is_doubted(ports):
    ports.task()
    by_somebody(ports, "mine", prompt="Something else.")
    assert any("prompt" in doubt for doubt in doubts(adopt(ports, "a", "mine")))


def test_an_adopted_run_that_failed_is_judged_as_any_other(ports):
    ports.task()
    by_somebody(ports, "mine", steps=["failed"])
    adopt(ports, "a", "mine")
    ports.apply()
    assert (ports.finished()["a"].verdict, ports.finished()["a"].health) == ("failed", Health.UNHEALTHY)
    assert ports.remote.asked["POST"] == 0


def test_what_is_not_approved_is_not_adopted(ports):
    ports.task()
    by_somebody(ports, "mine")
    adopt(ports, "a", "mine", answer=False)
    assert ports.records() == {}
    assert ports.events == []


def test_a_lost_run_that_is_there_again_is_taken_back(ports):
    run = lost(ports)
    run.steps = ["completed"]
    adopt(ports, "a", run.id)
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"
    assert len(ports.records()["a"].generation.attempts) == 1


@pytest.mark.parametrize("steps", [["completed"], ["executing", "completed"]])
def test_a_retry_of_a_lost_run_that_is_there_again_goes_on_with_it_and_pays_for_no_other(ports, steps):
    lost(ports).steps = steps
    ports.apply("a", requested=True)
    assert ports.finished()["a"].verdict == "accepted"
    assert len(ports.remote.runs) == 1


def test_a_lost_run_that_goes_on_again_can_be_stopped(ports):
    lost(ports).steps = ["executing"]
    ports.apply("a", requested=True, wait_timeout=0.3)
    assert ports.finished()["a"].verdict == "active"
    assert ports.stop("a")
    assert ports.remote.asked["DELETE"] == 1


def test_a_retry_of_a_lost_run_that_is_still_gone_starts_another(ports):
    lost(ports)
    ports.apply("a", requested=True)
    assert ports.finished()["a"].verdict == "accepted"
    assert len(ports.remote.runs) == 2


def test_another_run_takes_the_place_of_a_lost_one_as_a_further_attempt(ports):
    lost(ports)
    by_somebody(ports, "mine")
    adopt(ports, "a", "mine")
    assert [attempt.run for attempt in ports.records()["a"].generation.attempts] == ["run-1", "mine"]
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"


def test_a_restored_state_takes_what_it_does_not_know_as_a_new_generation(ports):
    ports.restore_an_older_state()
    shown = adopt(ports, "a", "run-2")
    assert shown.bearing is Bearing.SAME_TEXT
    ports.apply()
    record = ports.records()["a"]
    assert (record.generation.number, record.accepted.generation, record.accepted.run) == (2, 2, "run-2")
    assert ports.remote.asked["POST"] == 2


def test_a_run_that_the_remote_does_not_know_is_not_adopted(ports):
    ports.task()
    with pytest.raises(NotFoundError, match="does not know the run nosuch"):
        adopt(ports, "a", "nosuch")


def test_a_run_of_another_agent_is_refused(ports):
    ports.task()
    by_somebody(ports, "mine", agent="editor")
    assert "`editor`" in refused(ports, "a", "mine")


@pytest.mark.parametrize("foreign", [False, True])
def test_a_run_of_another_project_is_taken_only_when_that_is_said(ports, foreign):
    ports.task()
    mark = Marker.of("ffffffff", Address("a"), "1:x", 1, "0" * 16).text
    by_somebody(ports, "theirs", f"Theirs {mark}")
    if not foreign:
        assert "--foreign" in refused(ports, "a", "theirs")
        return
    shown = adopt(ports, "a", "theirs", foreign=True)
    assert shown.bearing is Bearing.FOREIGN
    assert list(doubts(shown))


def test_a_run_that_another_address_has_is_refused(ports):
    ports.task()
    ports.apply()
    ports.task("b")
    assert "taskspec forget a" in refused(ports, "b", "run-1")


def test_a_task_with_its_accepted_result_needs_no_other_run(ports):
    ports.task()
    ports.apply()
    by_somebody(ports, "mine")
    assert "accepted result" in refused(ports, "a", "mine")
    assert "already" in refused(ports, "a", "run-1")


def test_a_task_whose_run_is_active_takes_no_second_one(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    by_somebody(ports, "mine")
    assert "taskspec stop a" in refused(ports, "a", "mine")


def test_a_task_that_nothing_declares_takes_no_run(ports):
    ports.remote.scripts["Write."] = [["failed"]]
    ports.task()
    ports.apply()
    ports.task("other", "Other.")
    (ports.folder / "a.yaml").unlink()
    by_somebody(ports, "mine")
    assert "not declared" in refused(ports, "a", "mine")


def test_a_task_whose_text_is_not_known_yet_takes_no_run(ports):
    ports.task("a", "One.")
    ports.task("b", '"Sum up {{ tasks.a.result }}"')
    by_somebody(ports, "mine")
    assert "only when its upstream is accepted" in refused(ports, "b", "mine")
    ports.apply("a")
    assert adopt(ports, "b", "mine").fingerprint


def test_a_task_that_is_recorded_under_its_former_name_takes_no_other_run(ports):
    ports.task()
    ports.apply()
    (ports.folder / "a.yaml").unlink()
    ports.task("renamed")
    by_somebody(ports, "run-9")
    assert "`taskspec apply` moves it" in refused(ports, "renamed", "run-9")
    ports.apply()
    assert ports.records()["renamed"].accepted.run == "run-1"


def test_one_address_is_named_and_it_exists(ports):
    ports.task("a")
    ports.task("b")
    for word in ("nosuch", "*"):
        with pytest.raises(UsageError):
            adopt(ports, word, "run-1")


def test_nothing_is_adopted_or_forgotten_while_another_command_works(ports):
    ports.task()
    ports.apply()
    other = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    other.acquire(HOLDER)
    try:
        with pytest.raises(LockHeldError):
            adopt(ports, "a", "run-1")
        with pytest.raises(LockHeldError):
            forget(ports, "a")
    finally:
        other.close()


def test_a_forgotten_task_runs_again_and_its_result_is_in_the_history(ports):
    ports.task()
    ports.apply()
    (farewell,) = forget(ports, "a")
    assert (farewell.declared, farewell.may_be_at_work) == (True, None)
    assert ports.told(AddressForgotten)
    what, data = history(ports)[0]
    assert (what, data["by"], data["run"]) == ("forgotten", "hand", "run-1")
    ports.apply()
    assert len(ports.remote.runs) == 2
    assert ports.records()["a"].accepted.generation == 2


@pytest.mark.parametrize("by", ["hand", "apply"])
def test_no_generation_of_an_address_has_a_number_twice_whoever_forgot_it(ports, by):
    ports.task()
    ports.apply()
    ports.task(prompt="Write anew.")
    ports.remote.scripts["Write anew."] = [["failed"]]
    ports.apply()
    if by == "hand":
        forget(ports, "a")
    else:
        (ports.folder / "a.yaml").unlink()
        ports.task("b")
        ports.apply()
        ports.task(prompt="Write anew.")
    ports.apply("a")
    assert [run.marker.split(".")[-2] for run in ports.remote.started("Write anew.")] == ["g2", "g3"]
    assert ports.records()["a"].generation.number == 3


@pytest.mark.parametrize("again", [(), ("forgotten",), ("moved away", "forgotten")])
def test_no_generation_has_a_number_twice_where_another_record_takes_the_name_of_a_forgotten_one(ports, again):
    ports.task()
    ports.apply()
    ports.task(prompt="Write anew.")
    ports.apply()
    forget(ports, "a")
    named(ports, "a", "b", "Else.")
    ports.apply()
    named(ports, "b", "a", "Else.")
    ports.apply()
    assert ports.records()["a"].generation.number == 1
    if "moved away" in again:
        named(ports, "a", "c", "Else.")
        ports.apply()
        named(ports, "c", "a", "Something else.")
    if "forgotten" in again:
        forget(ports, "c" if "moved away" in again else "a")
    ports.task(prompt="Something else.")
    ports.apply()
    assert ports.records()["a"].generation.number == 3


def named(ports, before, now, prompt):
    """Declare a task under another name, with its prompt."""
    (ports.folder / f"{before}.yaml").unlink()
    ports.task(now, prompt)


def test_an_unknown_outcome_is_forgotten_and_the_history_keeps_its_marker(ports):
    unsettled(ports, "lose")
    (farewell,) = forget(ports, "a")
    assert farewell.may_be_at_work.sending is Sending.INTENDED
    assert history(ports)[0][1]["last"]["marker"].startswith("[ts1.")
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"


def test_what_is_forgotten_needs_no_remote_and_no_sound_manifests(ports):
    lost(ports)
    ports.write("kind: Task\n", "broken.yaml")
    ports.remote.asked.clear()
    (farewell,) = forget(ports, "a")
    assert farewell.may_be_at_work.verdict is Verdict.LOST
    assert not ports.remote.asked
    assert ports.records() == {}


def test_what_is_not_approved_is_not_forgotten(ports):
    ports.task()
    ports.apply()
    forget(ports, "a", answer=False)
    assert "a" in ports.records()


def test_what_was_never_applied_cannot_be_forgotten(ports):
    ports.task()
    with pytest.raises(UsageError, match="never been applied"):
        forget(ports, "a")


def test_a_forgotten_run_that_goes_on_is_an_orphan_and_can_be_taken_back(ports):
    ports.remote.scripts["Write."] = [["executing", "executing", "executing", "completed"]]
    ports.task()
    ports.apply(wait=False)
    forget(ports, "a")
    (orphan,) = orphans(ports).found
    assert (orphan.address, orphan.run.id, orphan.text, orphan.may_be_at_work) == ("a", "run-1", "declared", True)
    assert adopt(ports, "a", "run-1").bearing is Bearing.SAME_TEXT
    assert orphans(ports).found == ()
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"
    assert ports.remote.asked["POST"] == 1


def test_the_run_of_a_forgotten_task_that_is_declared_is_an_orphan_though_it_has_ended(ports):
    ports.task()
    ports.apply()
    forget(ports, "a")
    assert [(one.run.id, one.address) for one in orphans(ports).found] == [("run-1", "a")]
    assert adopt(ports, "a", "run-1").bearing is Bearing.SAME_TEXT
    ports.apply()
    assert (ports.finished()["a"].verdict, ports.remote.asked["POST"]) == ("accepted", 1)


def test_orphans_are_the_runs_of_this_state_that_are_not_recorded(ports):
    ports.task()
    ports.apply()
    ports.task("a", "Two.")
    ports.apply()
    line = lineage(ports)
    by_somebody(ports, "plain")
    by_somebody(ports, "theirs", f"T {Marker.of('ffffffff', Address('a'), '1:x', 1, '0').text}")
    by_somebody(ports, "gone", f"G {Marker.of(line, Address('gone'), '1:x', 1, '0').text}")
    first = ports.remote.runs["run-2"]
    ports.remote.runs["twin"] = replace(first, id="twin", steps=["executing"])
    found = orphans(ports)
    assert {one.run.id: (one.address, one.text, one.duplicate_of) for one in found.found} == {
        "gone": (None, "", None),
        "twin": ("a", "declared", "run-2"),
    }
    assert (found.past, found.foreign, found.exit_code) == (1, 1, 9)


def test_an_orphan_that_has_ended_is_shown_and_is_no_trouble(ports):
    ports.task()
    ports.apply()
    by_somebody(ports, "gone", f"G {Marker.of(lineage(ports), Address('gone'), '1:x', 1, '0').text}")
    found = orphans(ports)
    assert ([one.run.id for one in found.found], found.exit_code) == (["gone"], 0)


def test_where_an_agent_cannot_be_listed_the_orphans_are_not_known(ports):
    ports.task()
    ports.apply()
    ports.remote.lists = False
    found = orphans(ports)
    assert (list(found.unlisted), found.exit_code) == (["writer"], 1)


def test_orphans_are_found_though_manifests_are_wrong_and_without_a_state(ports):
    ports.task()
    ports.write("apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: b}\nspec: {agent: writer}\n", "b.yaml")
    by_somebody(ports, "theirs", f"T {Marker.of('ffffffff', Address('a'), '1:x', 1, '0').text}")
    found = orphans(ports)
    assert (found.found, found.foreign, found.exit_code) == ((), 1, 0)


def test_a_retry_starts_another_run_where_no_marker_can_prove_that_there_is_none(ports):
    ports.remote.keeps_titles = False
    strip_titles(ports)
    unsettled(ports, "lose")
    ports.apply()
    assert ports.finished()["a"].health is Health.UNKNOWN
    assert "taskspec retry a" in ports.finished()["a"].detail
    ports.apply("a", requested=True)
    assert ports.finished()["a"].verdict == "accepted"
    assert [attempt.sending for attempt in ports.records()["a"].generation.attempts] == [Sending.ABSENT, Sending.BOUND]


def strip_titles(ports):
    """Let the remote show no titles at all."""
    listed = Run.row
    ports.remote.listed = listed

    def _list(agent, status, writer):
        from fault_server import http

        rows = [listed(run, run.look()) | {"title": None} for run in ports.remote.runs.values() if run.agent == agent]
        writer.write(http(200, [row for row in rows if status in (None, row["status"])]))

    ports.remote._list = _list


def test_a_retry_waits_for_the_quiet_period_all_the_same(ports):
    strip_titles(ports)
    unsettled(ports, "lose")
    began = ports.remote.clock.time
    ports.apply("a", requested=True)
    assert ports.remote.clock.time - began >= 180


def test_a_retry_of_what_nothing_declares_says_why_nothing_is_started(ports):
    ports.remote.scripts["Write."] = [["failed"]]
    ports.task()
    ports.apply()
    ports.task("other", "Other.")
    (ports.folder / "a.yaml").unlink()
    shown = []
    ports.apply("a", requested=True, approve=shown.append)
    (change,) = shown[0].changes
    assert (change.action, change.reasons[-1].code) == (Action.FORGET, "request_undeclared")


def test_everything_that_is_told_by_machine_is_json(ports):
    from taskspec.report.orphans import orphans_json

    ports.task()
    ports.apply()
    by_somebody(ports, "gone", f"G\x1b[31m {Marker.of(lineage(ports), Address('gone'), '1:x', 1, '0').text}")
    assert json.loads(json.dumps(orphans_json(orphans(ports))))["orphans"][0]["run"] == "gone"
