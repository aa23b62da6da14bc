"""apply --rerun: an accepted result is made anew, once, because a person asks for that."""

import asyncio
from dataclasses import replace

import pytest
from test_runner_saved import PROJECT, Desk

from taskspec.apply.model import Options
from taskspec.errors import UsageError
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.runner.applying import Job, apply
from taskspec.runner.planning import plan
from taskspec.selecting.parsing import parse


def apply_anew(ports, *anew, only=()):
    ports.events = []
    job = Job(options=Options(), approve=lambda _: True, emit=ports.events.append)
    return asyncio.run(apply(asking(ports, *anew, only=only), ports, job))


def asking(ports, *anew, only=()):
    return replace(ports.invocation(*only), rerun=parse(anew))


def test_a_result_is_made_anew_once_and_the_next_apply_keeps_it(ports):
    ports.task()
    ports.apply()
    apply_anew(ports, "a")
    record = ports.records()["a"]
    assert (record.generation.number, record.accepted.generation, record.accepted.run) == (2, 2, "run-2")
    ports.apply()
    assert ports.remote.asked["POST"] == 2


def test_only_what_is_named_runs_again(ports):
    ports.task("a", "One.")
    ports.task("b", "Two.")
    ports.apply()
    apply_anew(ports, "b")
    assert (len(ports.remote.started("One.")), len(ports.remote.started("Two."))) == (1, 2)


def test_a_selector_names_several(ports):
    ports.task("a", "One.")
    ports.task("b", "Two.")
    ports.apply()
    apply_anew(ports, "*")
    assert (len(ports.remote.started("One.")), len(ports.remote.started("Two."))) == (2, 2)


def test_the_old_result_stays_where_the_new_run_fails_and_it_can_be_asked_for_again(ports):
    ports.task()
    ports.remote.scripts["Write."] = [["completed"], ["failed"]]
    ports.apply()
    apply_anew(ports, "a")
    assert ports.records()["a"].accepted.run == "run-1"
    assert ports.finished()["a"].health is Health.UNHEALTHY
    apply_anew(ports, "a")
    assert ports.records()["a"].accepted.run == "run-3"


def test_a_run_that_is_made_anew_is_tried_as_often_as_the_policy_says_and_no_more(ports):
    ports.task(retry="{maxAttempts: 2, statuses: [failed]}")
    ports.remote.scripts["Write."] = [["completed"], ["failed"], ["failed"]]
    ports.apply()
    apply_anew(ports, "a")
    generation = ports.records()["a"].generation
    assert (generation.number, len(generation.attempts), ports.remote.asked["POST"]) == (2, 2, 3)


def test_what_uses_the_result_runs_when_the_new_one_differs(ports):
    ports.task("a", "One.")
    ports.task("b", '"Sum up: {{ tasks.a.result }}"')
    ports.remote.scripts["One."] = [["completed"], [{"status": "completed", "result": "another answer"}]]
    ports.apply()
    apply_anew(ports, "a")
    assert len(ports.remote.started("Sum up: answer to One.")) == 1
    assert len(ports.remote.started("Sum up: another answer")) == 1


def test_what_uses_the_result_costs_nothing_when_the_new_one_is_the_same(ports):
    ports.task("a", "One.")
    ports.task("b", '"Sum up: {{ tasks.a.result }}"')
    ports.apply()
    made = apply_anew(ports, "a")
    assert (made.paid_runs, made.conditional_runs) == (2, 1)
    assert ports.remote.asked["POST"] == 3


def test_a_task_that_uses_what_is_made_anew_can_be_asked_for_too(ports):
    ports.task("a", "One.")
    ports.task("b", '"Sum up: {{ tasks.a.result }}"')
    ports.apply()
    apply_anew(ports, "a", "b")
    assert len(ports.remote.started("Sum up: answer to One.")) == 2


def test_nothing_is_started_beside_an_active_run(ports):
    ports.task()
    ports.remote.scripts["Write."] = [["executing", "executing", "completed"]]
    ports.apply(wait=False)
    apply_anew(ports, "a")
    assert ports.remote.asked["POST"] == 1


def test_a_plan_shows_it_and_changes_nothing(ports):
    ports.task()
    ports.apply()
    (change,) = plan(asking(ports, "a"), ports).changes
    assert (change.action, change.paid, change.reasons[0].code) == (Action.CREATE, True, "rerun_requested")
    assert plan(ports.invocation(), ports).pending == ()


def test_what_is_not_selected_cannot_be_asked_for(ports):
    ports.task("a", "One.")
    ports.task("b", "Two.")
    ports.apply()
    with pytest.raises(UsageError, match="`b` is to run again"):
        plan(asking(ports, "b", only=("a",)), ports)


def test_an_address_that_is_not_there_is_refused(ports):
    ports.task()
    with pytest.raises(UsageError, match="`c` is neither declared nor recorded"):
        apply_anew(ports, "c")
    assert ports.remote.asked["POST"] == 0


class Anew(Desk):
    """Somebody who saves plans in which results are made anew."""

    anew = ()

    def invocation(self, *addresses):
        return replace(super().invocation(*addresses), rerun=parse(self.anew) if self.anew else None)


@pytest.fixture
def saving(tmp_path):
    made = Anew(tmp_path / "saved")
    made.folder.mkdir()
    made.write(PROJECT, "taskspec.yaml")
    made.task("a", "One.")
    made.task("b", '"Sum up: {{ tasks.a.result }}"')
    made.apply()
    made.anew = ("a", "b")
    path = made.save()
    made.anew = ()
    return made, path


def test_a_saved_plan_makes_anew_what_it_was_asked_for_and_only_once(saving):
    desk, path = saving
    desk.carry_out(path)
    assert desk.remote.asked["POST"] == 4
    assert [desk.records()[name].generation.number for name in ("a", "b")] == [2, 2]
    assert plan(desk.invocation(), desk).pending == ()


def test_a_saved_plan_that_was_cut_makes_anew_nothing_twice(saving):
    desk, path = saving
    desk.remote.scripts["One."] = [["executing", "executing", "completed"]]
    desk.carry_out(path, wait=False)
    desk.carry_out(path)
    assert desk.remote.asked["POST"] == 4


def test_a_result_that_stays_as_its_new_run_never_arrived_is_held_against_the_assertions_of_today(ports):
    ports.task()
    ports.apply()
    ports.remote.sends = ["drop"]
    ports.events = []
    job = Job(options=Options(hold_unknown=True), approve=lambda _: True, emit=ports.events.append)
    asyncio.run(apply(asking(ports, "a"), ports, job))
    ports.remote.runs = {"run-1": ports.remote.runs["run-1"]}
    ports.task("a", assertions="[{regex: nosuch}]")
    ports.apply()
    assert ports.finished()["a"].health is Health.UNKNOWN, "nobody has judged it by them yet"
    (change,) = plan(ports.invocation(), ports).changes
    assert (change.action, change.health, change.paid) == (Action.REJUDGE, Health.UNHEALTHY, False)
    ports.apply()
    assert ports.finished()["a"].health is Health.UNHEALTHY
    assert ports.records()["a"].accepted is None
    assert ports.remote.asked["POST"] == 2
