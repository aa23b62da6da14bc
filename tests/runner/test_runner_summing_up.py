"""The account of a command: old and new answers, and never better than what happened."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from taskspec.address import Address
from taskspec.apply.model import Options
from taskspec.ci import Cause, ChangeRequest, CiJob, Platform
from taskspec.diagnostics import ManifestError
from taskspec.errors import LockHeldError, StateError, TaskspecError
from taskspec.events import ApplyStarted, ChangeFinished
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.report import verdicts
from taskspec.report.account import Kind, Trouble
from taskspec.report.exiting import ExitCode
from taskspec.report.gathering import Gathering
from taskspec.runner import showing_answers
from taskspec.runner.applying import Job, apply
from taskspec.runner.locating import project_of
from taskspec.runner.planning import plan
from taskspec.runner.summing_up import Course, account, graver, standing
from taskspec.settings import Settings


def _course(kind=Kind.APPLY, code=ExitCode.OK, **more):
    return Course(kind=kind, code=code, began=1.0, ended=2.0, **more)


def _summed(ports, course, **more):
    return account(course, lambda: project_of(ports.invocation()), ports, **more)


def _applied(ports, code=ExitCode.OK, options=None, **more):
    gathering, plans = Gathering(ports.chance.now), []
    job = Job(options=options or Options(), approve=lambda made: plans.append(made) or True, emit=gathering.on)
    asyncio.run(apply(ports.invocation(), ports, job))
    return _summed(ports, _course(code=code, plan=plans[0], heard=gathering.heard), **more)


def _planned(ports):
    return _summed(ports, _course(Kind.PLAN, plan=plan(ports.invocation(), ports)))


def test_a_new_answer_stands_beside_the_one_that_it_replaced(ports):
    ports.task("a", "One.")
    first = _applied(ports).tasks[0]
    assert (first.before, first.after.content) == (None, "answer to One.")
    ports.task("a", "Two.")
    (task,) = _applied(ports).tasks
    assert (task.before.content, task.after.content) == ("answer to One.", "answer to Two.")
    assert (task.before.generation, task.after.generation) == (1, 2)
    assert (task.health, task.finished.verdict) == (Health.HEALTHY, "accepted")
    assert task.spec["prompt"] == "Two."
    assert [type(one.event).__name__ for one in task.heard][-1] == "ChangeFinished"


def test_that_another_command_has_changed_the_state_since_is_said(ports):
    ports.task("a", "One.")
    gathering, plans = Gathering(ports.chance.now), []
    job = Job(options=Options(), approve=lambda made: plans.append(made) or True, emit=gathering.on)
    asyncio.run(apply(ports.invocation(), ports, job))
    course = _course(plan=plans[0], heard=gathering.heard)
    assert not _summed(ports, course).notes
    ports.task("a", "Two.")
    ports.apply()
    (note,) = _summed(ports, course).notes
    assert note.startswith("The state has changed since this ended")


def test_an_answer_that_stayed_is_the_very_same_value_and_is_not_read(ports):
    ports.task("a", "One.")
    ports.apply()
    (task,) = _applied(ports).tasks
    assert task.after is task.before
    assert task.after.content is None
    assert task.after.digest


def test_a_failed_run_leaves_the_old_answer_as_the_accepted_one(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Two.")
    ports.remote.scripts["Two."] = [["executing", "failed"]]
    (task,) = _applied(ports, ExitCode.UNHEALTHY).tasks
    assert task.health is Health.UNHEALTHY
    assert task.after is task.before
    assert task.after.content == "answer to One."


def test_a_plan_shows_the_answer_that_it_would_replace(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Two.")
    told = _planned(ports)
    assert told.tasks[0].before.content == "answer to One."
    assert told.tasks[0].after is told.tasks[0].before
    assert (told.project, told.environment, told.revision) == ("sales", "default", None)


def test_a_plan_shows_the_kept_answer_that_comes_back(ports):
    for prompt in ("One.", "Two."):
        ports.task("a", prompt)
        ports.apply()
    ports.task("a", "One.")
    (task,) = _planned(ports).tasks
    assert (task.returning.generation, task.returning.content) == (1, "answer to One.")
    assert task.before.content == "answer to Two."
    (task,) = _applied(ports).tasks
    assert (task.returning, task.after.content) == (None, "answer to One.")


def test_a_project_that_cannot_be_read_has_the_name_that_is_known_and_the_job_tells_who_asks(ports):
    ports.write("kind: [\n", "taskspec.yaml")
    job = CiJob(platform=Platform.GITHUB, cause=Cause.PUSH, commit="a" * 40, author="ada")
    told = _summed(ports, _course(Kind.VALIDATE, ExitCode.ERROR, name="sales", settings=Settings(environ={}, ci=job)))
    assert (told.project, told.revision.commit, told.revision.author) == ("sales", "a" * 40, "ada")


def test_a_task_that_was_never_applied_has_no_health(ports):
    ports.task("a", "One.")
    assert _planned(ports).tasks[0].health is None


def test_a_change_that_an_apply_did_not_finish_is_unknown(ports):
    ports.task("a", "One.")
    made = plan(ports.invocation(), ports)
    gathering = Gathering(ports.chance.now)
    gathering.on(ApplyStarted(plan=made.id, changes=1, paid=1))
    told = _summed(ports, _course(code=ExitCode.ERROR, plan=made, heard=gathering.heard))
    assert told.tasks[0].health is Health.UNKNOWN


@pytest.mark.parametrize(
    ("verdict", "health"),
    [
        (None, Health.HEALTHY),
        ("accepted", Health.HEALTHY),
        ("waiting", Health.NEEDS_INPUT),
        ("rejected", Health.UNHEALTHY),
        ("dreaming", Health.UNKNOWN),
    ],
)
def test_a_health_is_never_better_than_its_verdict(verdict, health):
    assert graver(Health.HEALTHY, verdict) is health
    assert graver(Health.UNKNOWN, verdict) is Health.UNKNOWN


def test_without_a_plan_there_is_the_trouble_alone(ports):
    ports.task("a", "One.")
    trouble = Trouble(message="the lock is held")
    told = _summed(ports, _course(code=ExitCode.LOCKED, trouble=trouble))
    assert (told.project, told.tasks, told.trouble, told.code) == ("sales", (), trouble, ExitCode.LOCKED)


def test_where_even_the_project_cannot_be_read_there_is_an_account(ports):
    def project():
        raise ManifestError([])

    told = account(_course(code=ExitCode.ERROR, environment="prod"), project, ports)
    assert (told.project, told.environment, told.code) == ("", "prod", ExitCode.ERROR)


@pytest.mark.parametrize("error", [StateError("it is damaged"), LockHeldError("it is held"), TaskspecError("gone")])
def test_where_the_state_cannot_be_read_the_answers_are_missing_and_a_note_says_so(ports, monkeypatch, error):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Two.")
    made = plan(ports.invocation(), ports)

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(ports, "open_state", refuse)
    told = _summed(ports, _course(Kind.PLAN, plan=made))
    assert told.tasks[0].before is None
    assert told.notes == [f"The answers are not shown: {error.message}."]


def test_a_content_that_cannot_be_read_is_noted_and_the_rest_is_told(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Two.")
    made = plan(ports.invocation(), ports)
    record = made.changes[0].record
    gone = replace(record.accepted, result=replace(record.accepted.result, digest="0" * 64))
    broken = replace(made, changes=(replace(made.changes[0], record=replace(record, accepted=gone)),))
    told = _summed(ports, _course(Kind.PLAN, plan=broken))
    assert told.tasks[0].before.content is None
    assert told.notes == ["1 answer cannot be read from the state any more."]


def test_answers_that_are_too_large_together_are_left_out_with_a_note(ports, monkeypatch):
    monkeypatch.setattr(showing_answers, "MOST", 20)
    for name in ("a", "b"):
        ports.task(name, "One.")
    told = _applied(ports)
    assert [task.after.content for task in told.tasks] == ["answer to One.", None]
    assert told.notes == ["1 answer left out: all together they are too large for a report."]


def test_what_tasks_use_is_filled_in_within_what_is_left(ports, monkeypatch):
    ports.task("a", "One.")
    ports.task("b", "On {{ tasks.a.result }}")
    ports.apply()
    told = standing(ports.invocation(), ports).tasks
    assert told[1].spec["prompt"] == "On answer to One."
    monkeypatch.setattr(showing_answers, "MOST", len("answer to One."))
    told = standing(ports.invocation(), ports).tasks
    assert told[0].after.content == "answer to One."
    assert "answer to One." not in told[1].spec["prompt"]


def test_generations_are_told_by_whoever_reads_the_history(ports):
    ports.task("a", "One.")
    asked = []

    def generations(store, address, record):
        asked.append((address, record.generation.number))
        raise StateError("it is damaged")

    told = _applied(ports, generations=generations)
    assert asked == [(Address("a"), 1)]
    assert told.notes == ["The history of `a` cannot be read: it is damaged."]


def test_the_standing_tells_what_is_recorded_and_what_waits(ports):
    ports.task("a", "One.")
    ports.task("b", "Bad.")
    ports.remote.scripts["Bad."] = [["executing", "failed"]]
    ports.apply()
    ports.task("c", "New.")
    ports.needs.clear()
    told = standing(ports.invocation(), ports)
    healths = {task.address: task.health for task in told.tasks}
    assert healths == {"a": Health.HEALTHY, "b": Health.UNHEALTHY, "c": None}
    assert told.tasks[0].after.content == "answer to One."
    assert (told.kind, told.code, told.head != "") == (Kind.STANDING, ExitCode.UNHEALTHY, True)
    assert ports.needs == []


def test_the_standing_is_told_of_what_is_recorded_where_the_manifests_are_wrong(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.write("kind: Task\napiVersion: taskspec/v1\nmetadata: {name: b}\nspec: {}\n", "b.yaml")
    told = standing(ports.invocation(), ports)
    assert [task.address for task in told.tasks] == ["a"]
    assert "shows what is recorded" in told.notes[0]
    assert (told.code, told.trouble.message) == (ExitCode.ERROR, "the manifests are wrong")
    assert {Path(one.position.file).name for one in told.diagnostics} == {"b.yaml"}
    assert verdicts.verdict(told).text == "The manifests are wrong."


def test_a_run_that_nobody_looked_at_is_not_healthy(ports):
    ports.begin(1)
    assert standing(ports.invocation(), ports).code is ExitCode.UNKNOWN


def test_an_account_tells_which_commit_and_job_asked(ports):
    request = ChangeRequest(number=7, base=None, target="main", is_foreign=False)
    job = CiJob(platform=Platform.GITHUB, cause=Cause.REQUEST, commit="0" * 40, author="ada", request=request)
    ports.task("a", "One.")
    found = _summed(ports, _course(settings=Settings(environ={}, ci=job))).revision
    assert (found.commit, found.author, found.request) == ("0" * 40, "ada", 7)


def test_a_health_that_was_heard_is_that_of_the_last_word(ports):
    ports.task("a", "One.")
    made = plan(ports.invocation(), ports)
    gathering = Gathering(ports.chance.now)
    gathering.on(ApplyStarted(plan=made.id, changes=1, paid=1))
    for verdict in ("accepted", "rejected"):
        gathering.on(
            ChangeFinished(address=Address("a"), action="create", effect="done", health=Health.HEALTHY, verdict=verdict)
        )
    told = _summed(ports, _course(plan=made, heard=gathering.heard))
    assert told.tasks[0].health is Health.UNHEALTHY


def test_what_was_rejected_is_not_healthy_in_the_plan_that_replaces_it(ports):
    ports.task("a", "Bad.")
    ports.remote.scripts["Bad."] = [["executing", "failed"]]
    ports.apply()
    assert _planned(ports).tasks[0].health is Health.UNHEALTHY
    ports.task("a", "Good.")
    assert _planned(ports).tasks[0].health is None


def test_what_is_accepted_is_healthy_in_the_plan_that_replaces_it(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Two.")
    assert _planned(ports).tasks[0].health is Health.HEALTHY


def test_what_was_left_open_is_told_as_it_was_asked_for_once_it_is_over(ports):
    ports.task("a", "One.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    planned = _planned(ports).tasks[1]
    assert "known after a" in planned.change.diffs[-1].after
    told = _applied(ports).tasks[1].change
    assert (told.conditional, told.generation) == (False, 1)
    assert {diff.path: diff.after for diff in told.diffs}["prompt",] == "Sum up: answer to One."
    ports.task("a", "Two.")
    again = _applied(ports).tasks[1].change
    assert [(diff.before, diff.after) for diff in again.diffs] == [("Sum up: answer to One.", "Sum up: answer to Two.")]


def test_what_turned_out_to_need_no_run_is_up_to_date(ports):
    ports.task("a", "One.")
    ports.task("b", prompt='"Of {{ tasks.a.result | length }} characters."')
    ports.apply()
    ports.task("a", "Two.")
    told = _applied(ports).tasks[1]
    assert (told.change.action, told.change.diffs, told.change.risks) == (Action.NONE, (), ())
    assert (told.health, told.after) == (Health.HEALTHY, told.before)


def test_what_an_upstream_has_stopped_is_blocked(ports):
    ports.task("a", "Bad.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    ports.remote.scripts["Bad."] = [["executing", "failed"]]
    told = _applied(ports, code=ExitCode.UNHEALTHY).tasks[1]
    assert (told.change.action, told.change.conditional, told.change.generation) == (Action.BLOCKED, False, 0)
    assert told.health is Health.UNHEALTHY


def test_what_was_not_waited_for_stays_open(ports):
    ports.task("a", "One.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    ports.remote.scripts["One."] = [["executing"]]
    told = _applied(ports, options=Options(wait=False)).tasks[1]
    assert told.change.conditional
    assert "known after a" in told.change.diffs[-1].after


def test_the_standing_shows_what_is_asked_with_the_results_that_are_kept(ports):
    ports.task("a", "One.")
    ports.task("b", prompt='"Sum up: {{ tasks.a.result }}"')
    assert standing(ports.invocation(), ports).tasks[1].spec["prompt"] == "Sum up: (known after a)"
    ports.apply()
    assert standing(ports.invocation(), ports).tasks[1].spec["prompt"] == "Sum up: answer to One."
