"""The story of plan: the remote is asked where, and only where, the answer depends on it."""

import json
from dataclasses import replace

from taskspec.address import Address
from taskspec.desired.model import DeferredTask
from taskspec.errors import StateError
from taskspec.plan.encoding import printed
from taskspec.plan.model import Action
from taskspec.runner import applying, planning
from taskspec.runner.answering import used_results
from taskspec.runner.model import Refresh
from taskspec.runner.planning import plan
from taskspec.runner.preparing import prepare
from taskspec.state.model import Snapshot


def _planned(ports, refresh):
    return plan(replace(ports.invocation(), refresh=refresh), ports)


def test_a_full_refresh_finds_the_run_of_an_intent_by_its_marker(ports):
    ports.task()
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    found = _planned(ports, Refresh.FULL).changes[0]
    assert found.action is Action.SETTLE
    assert [reason.code for reason in found.reasons] == ["outcome_unknown", "run_found"]
    assert found.run == "run-1"


def test_without_a_full_refresh_an_intent_alone_asks_the_remote_nothing(ports):
    ports.task()
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    ports.needs.clear()
    found = _planned(ports, Refresh.ACTIVE).changes[0]
    assert found.action is Action.SETTLE
    assert [reason.code for reason in found.reasons] == ["outcome_unknown"]
    assert ports.needs == []


def test_the_same_plan_is_the_same_text_a_moment_later(ports):
    ports.task("old", rerun="{after: 1h}")
    ports.task("lost", "Never heard of.")
    ports.remote.sends = ["drop"]
    ports.apply(hold_unknown=True)
    ports.remote.clock.time += 7200.0
    first = printed(_planned(ports, Refresh.ACTIVE))
    ports.remote.clock.time += 1.5
    assert json.dumps(printed(_planned(ports, Refresh.ACTIVE))) == json.dumps(first)
    assert {change["reasons"][0]["code"] for change in first["changes"]} == {"rerun_after", "outcome_unknown"}


def _with_a_dependent(ports, *uses):
    """Return what is declared, and beside it a task that uses results of others."""
    desired = prepare(ports.invocation(), ports).desired
    known = next(iter(desired.tasks.values()))
    using = DeferredTask(
        address=Address("z"),
        agent=known.agent,
        title="Z",
        spec={},
        source=known.source,
        upstream=uses,
        uses=frozenset(uses),
        finish=lambda results: _finished(known, results),
    )
    return replace(desired, tasks={**desired.tasks, using.address: using})


def _finished(known, results):
    prompt = f"Sum up: {' '.join(results.values())}"
    request = {**known.request, "prompt": prompt}
    return replace(known, address=Address("z"), title="Z", spec=request, request=request, fingerprint=f"1:{prompt}")


def test_a_plan_and_an_apply_have_the_results_that_are_used(ports, monkeypatch):
    ports.task("a", "One.")
    ports.apply()
    prepared = prepare(ports.invocation(), ports)
    using = replace(prepared, desired=_with_a_dependent(ports, Address("a")))
    for story in (planning, applying):
        monkeypatch.setattr(story, "prepare", lambda *_, **__: using)
    (_, planned) = _planned(ports, Refresh.ACTIVE).changes
    assert (planned.action, planned.conditional) == (Action.CREATE, False)
    assert planned.task.request["prompt"] == "Sum up: answer to One."
    ports.apply()
    assert ports.finished()["z"].verdict == "accepted"
    assert _planned(ports, Refresh.ACTIVE).pending == ()


class Reader:
    """Gives results by their digest, and remembers for which it was asked."""

    def __init__(self, trouble=None):
        self.asked = []
        self._trouble = trouble

    def result(self, ref):
        self.asked.append(ref.digest)
        if self._trouble is not None:
            raise self._trouble
        return "the answer"


def _accepted(ports, address):
    return ports.records()[address].accepted.result.digest


def test_of_the_recorded_results_only_those_that_are_used_are_read(ports):
    ports.task("a", "One.")
    ports.task("b", "Two.")
    ports.apply()
    reader = Reader()
    desired = _with_a_dependent(ports, Address("a"))
    found = used_results(desired, Snapshot(lineage="l", serial=1, records=ports.records()), reader)
    assert found == {_accepted(ports, "a"): "the answer"}
    assert reader.asked == [_accepted(ports, "a")]


def test_the_result_of_an_older_text_is_not_read(ports):
    ports.task("a", "One.")
    ports.apply()
    ports.task("a", "Another.")
    desired = _with_a_dependent(ports, Address("a"))
    assert used_results(desired, Snapshot(lineage="l", serial=1, records=ports.records()), Reader()) == {}


def test_a_result_that_cannot_be_read_is_left_out(ports):
    ports.task("a", "One.")
    ports.apply()
    desired = _with_a_dependent(ports, Address("a"))
    reader = Reader(StateError("the result is damaged"))
    assert used_results(desired, Snapshot(lineage="l", serial=1, records=ports.records()), reader) == {}


def test_of_settled_tasks_the_remote_is_asked_nothing(ports):
    for number in range(5):
        ports.task(f"t{number}", prompt=f"Write {number}.")
    ports.apply()
    ports.remote.asked.clear()
    ports.needs.clear()
    assert {change.action for change in _planned(ports, Refresh.ACTIVE).changes} == {Action.NONE}
    ports.apply()
    assert (ports.needs, ports.remote.asked) == ([], {})


def test_of_active_tasks_the_remote_is_asked_for_one_list_that_the_settled_ones_do_not_lengthen(ports):
    ports.remote.scripts = {f"Write {number}.": [["executing"] * 1000] for number in range(5)}
    for number in range(10):
        ports.task(f"t{number}", prompt=f"Write {number}.")
    ports.apply(wait=False)
    ports.apply(wait=False)
    ports.remote.asked.clear()
    actions = [change.action for change in _planned(ports, Refresh.ACTIVE).changes]
    assert (actions.count(Action.WAIT), actions.count(Action.NONE)) == (5, 5)
    assert ports.remote.asked == {"GET": 1}
