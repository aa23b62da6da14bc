"""A text that was asked for before takes its kept result again, without a run."""

import json
from dataclasses import replace

import pytest
from kept_state import reading
from test_runner_accepting import accept

from taskspec.events import ResultAccepted, ResultWritten, RunCreated
from taskspec.plan.encoding import to_json
from taskspec.plan.model import Action
from taskspec.runner import recalling
from taskspec.runner.planning import plan
from taskspec.runner.recalling import FormerResults, life_of
from taskspec.selecting.parsing import parse
from taskspec.state.model import HistoryEntry, Note


def plan_of(ports, **more):
    return plan(replace(ports.invocation(), **more), ports)


def change_of(ports, address="a", **more):
    return next(change for change in plan_of(ports, **more).changes if change.address == address)


def codes(change):
    return [reason.code for reason in change.reasons]


def told(change, code):
    return next(reason.text for reason in change.reasons if reason.code == code)


def result(ports, name="a.txt"):
    return (ports.folder / "results" / name).read_text()


def provenance(ports, address="a"):
    return json.loads((ports.folder / f"results/{address}.provenance.json").read_text())


def one_then_two(ports, **said):
    """Have two texts accepted, one behind the other, and declare the first again."""
    for prompt in ("One.", "Two."):
        ports.task(prompt=prompt, **said)
        ports.apply()
    ports.task(prompt="One.", **said)


def test_a_text_that_returns_takes_its_result_of_before_and_the_next_plan_does_nothing(ports):
    one_then_two(ports)
    made = ports.remote.asked["POST"]
    planned = plan_of(ports)
    (change,) = planned.changes
    assert (change.action, change.paid, change.generation, change.health) == (Action.ADOPT, False, 3, "healthy")
    assert codes(change) == ["asked_before", "spec_changed"]
    assert "asked for before as g1: the result of run run-1, of " in told(change, "asked_before")
    assert told(change, "asked_before").endswith("is kept, and is accepted again without a run")
    assert [(one.before, one.after) for one in change.diffs] == [("Two.", "One.")]
    assert (planned.paid_runs, planned.retries, change.estimate) == (0, 0, None)
    ports.needs.clear()
    ports.apply()
    assert ports.needs == [], "no remote is asked"
    assert ports.remote.asked["POST"] == made
    assert ports.told(ResultAccepted) == [
        ResultAccepted(address="a", generation=3, source=1, run="run-1", by="plan"),
    ]
    assert ports.told(ResultWritten) == [ResultWritten(address="a", path="results/a.txt")]
    assert (ports.finished()["a"].effect, ports.finished()["a"].verdict) == ("done", "accepted")
    record = ports.records()["a"]
    assert (record.accepted.generation, record.accepted.again, record.accepted.by_hand) == (3, 1, None)
    assert (record.generation.inputs, record.file) == ({}, "a.yaml")
    assert result(ports) == "answer to One."
    kept = provenance(ports)
    assert (kept["acceptedAgainFrom"], kept["acceptedByHandFrom"], kept["run"]) == ("g1", None, "run-1")
    assert (change_of(ports).action, codes(change_of(ports))) == (Action.NONE, ["accepted"])
    assert change_of(ports).diffs == ()


def test_its_age_and_all_that_its_run_took_are_those_of_then(ports):
    one_then_two(ports)
    with reading(ports.folder) as store:
        ended = [entry.note for entry in store.history("a") if entry.note.what == "ended"][-1]
    ports.apply()
    accepted = ports.records()["a"].accepted
    assert accepted.at == ended.at
    assert accepted.attempt.run == "run-1"
    assert accepted.attempt.marker == ports.remote.runs["run-1"].marker
    assert accepted.attempt.seconds == ended.data["seconds"]


def test_the_history_says_that_a_plan_wanted_it(ports):
    one_then_two(ports)
    ports.apply()
    with reading(ports.folder) as store:
        newest = next(entry.note for entry in store.history("a"))
    assert (newest.what, newest.data["from"], newest.data["generation"]) == ("accepted", 1, 3)
    assert newest.data["plan"]
    assert "by" not in newest.data
    assert newest.data["fingerprint"] == ports.records()["a"].generation.fingerprint


def test_it_goes_back_and_forth_without_a_run(ports):
    one_then_two(ports)
    for prompt in ("One.", "Two.", "One.", "Two."):
        ports.task(prompt=prompt)
        ports.apply()
        assert result(ports) == f"answer to {prompt}"
        assert change_of(ports).action is Action.NONE
    assert ports.remote.asked["POST"] == 2
    assert ports.records()["a"].generation.number == 6


def test_what_a_person_has_accepted_for_a_text_counts_for_it_again(ports):
    ports.task(prompt="Wirte.")
    ports.apply()
    ports.task(prompt="Write.")
    accept(ports)
    ports.task(prompt="Another.")
    ports.apply()
    ports.task(prompt="Write.")
    assert change_of(ports).action is Action.ADOPT
    ports.apply()
    assert result(ports) == "answer to Wirte."
    assert ports.remote.asked["POST"] == 2


def test_what_was_rejected_of_that_text_is_not_taken(ports):
    ports.task(prompt="One.", assertions='[{regex: "nosuch"}]')
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    ports.task(prompt="One.")
    assert (change_of(ports).action, change_of(ports).paid) == (Action.CREATE, True)


def test_what_judging_again_has_taken_back_is_not_taken(ports):
    ports.task(prompt="One.")
    ports.apply()
    ports.task(prompt="One.", assertions='[{regex: "nosuch"}]')
    ports.apply()
    ports.task(prompt="Two.")
    ports.apply()
    ports.task(prompt="One.")
    assert change_of(ports).action is Action.CREATE


def test_the_assertions_of_today_say_what_the_answer_of_then_is(ports):
    one_then_two(ports)
    ports.task(prompt="One.", assertions='[{regex: "nosuch"}]')
    change = change_of(ports)
    assert (change.action, change.paid) == (Action.CREATE, True)
    assert "`taskspec accept a@g1` takes it all the same" in told(change, "kept_not_taken")
    assert "text_kept" not in codes(change)
    ports.task(prompt="One.", assertions='[{regex: "answer"}]')
    assert change_of(ports).action is Action.ADOPT
    ports.apply()
    assert change_of(ports).action is Action.NONE


def test_a_result_that_cannot_be_read_any_more_is_made_anew(ports, monkeypatch):
    one_then_two(ports)
    monkeypatch.setattr(recalling.Answers, "__call__", lambda answers, ref: None)
    change = change_of(ports)
    assert (change.action, change.paid) == (Action.CREATE, True)
    assert "cannot be read from the state any more" in told(change, "kept_not_taken")


@pytest.mark.parametrize("rerun", ["always", "{after: 1s}"])
def test_where_rerun_asks_for_a_newer_one_it_runs(ports, rerun):
    one_then_two(ports)
    ports.remote.clock.time += 10
    ports.task(prompt="One.", rerun=rerun)
    change = change_of(ports)
    assert (change.action, change.paid) == (Action.CREATE, True)
    assert "`rerun` asks for a newer one" in told(change, "kept_not_taken")


def test_a_result_that_has_not_grown_old_is_taken(ports):
    one_then_two(ports)
    ports.task(prompt="One.", rerun="{after: 7d}")
    assert change_of(ports).action is Action.ADOPT


def test_who_asks_for_a_new_answer_gets_one(ports):
    one_then_two(ports)
    change = change_of(ports, rerun=parse(["a"]))
    assert (change.action, change.paid) == (Action.CREATE, True)


def test_a_further_attempt_by_hand_is_needless(ports):
    one_then_two(ports)
    ports.apply("a", requested=True)
    assert ports.remote.asked["POST"] == 2
    assert result(ports) == "answer to One."


def test_triggers_that_are_as_they_were_count_as_the_text_of_then(ports):
    for day in ("monday", "tuesday", "monday"):
        ports.task(rerun=f"{{triggers: {{day: {day}}}}}")
        ports.apply()
    assert ports.remote.asked["POST"] == 2


def test_side_effects_are_not_repeated_and_protection_is_in_the_way_of_nothing(ports):
    one_then_two(ports, sideEffects="true")
    ports.task(prompt="One.", sideEffects="true", protect="true")
    assert change_of(ports).action is Action.ADOPT
    assert change_of(ports).destructive is False
    ports.apply()
    assert ports.remote.asked["POST"] == 2


def test_a_task_that_never_runs_again_is_left_as_it_is(ports):
    one_then_two(ports, rerun="never")
    assert change_of(ports).action is Action.NONE
    assert ports.remote.asked["POST"] == 1


def at_work(ports, steps=("executing",), **said):
    """Leave a run of a third text at work, and declare the first again."""
    one_then_two(ports, **said)
    ports.remote.scripts["Three."] = [list(steps)]
    ports.task(prompt="Three.", **said)
    ports.apply(wait=False)
    ports.task(prompt="One.", **said)


def test_a_run_of_the_text_between_is_stopped_first(ports):
    at_work(ports)
    change = change_of(ports)
    assert (change.action, change.paid, change.destructive, change.run) == (Action.ADOPT, False, True, "run-3")
    ports.apply()
    assert ports.remote.runs["run-3"].steps[0] == "stopped"
    assert ports.remote.asked["POST"] == 3
    assert [type(event) for event in ports.events if isinstance(event, ResultAccepted)] == [ResultAccepted]
    assert (ports.finished()["a"].verdict, ports.finished()["a"].health) == ("accepted", "healthy")
    assert result(ports) == "answer to One."
    assert change_of(ports).action is Action.NONE


def test_a_run_that_is_let_end_comes_before_it(ports):
    at_work(ports, [*["executing"] * 6, "completed"], onChangeActive="queue")
    change = change_of(ports)
    assert (change.action, change.paid, change.destructive) == (Action.WAIT, False, False)
    ports.apply()
    assert ports.remote.asked["POST"] == 3
    assert result(ports) == "answer to One."
    assert change_of(ports).action is Action.NONE


def test_a_run_that_holds_the_change_holds_this_too(ports):
    at_work(ports, onChangeActive="hold")
    change = change_of(ports)
    assert (change.action, change.refused, change.kept) == (Action.HOLD, True, None)


def test_a_protected_run_at_work_is_not_stopped_for_it(ports):
    at_work(ports, protect="true")
    change = change_of(ports)
    assert (change.action, change.refused, change.kept) == (Action.HOLD, True, None)


def test_another_name_takes_the_result_of_the_name_before(ports):
    one_then_two(ports)
    (ports.folder / "a.yaml").unlink()
    ports.task("b", "One.", moved="{from: a}")
    change = change_of(ports, "b")
    assert (change.action, change.moved_from, change.kept.generation) == (Action.ADOPT, "a", 1)
    ports.apply()
    assert (ports.remote.asked["POST"], result(ports, "b.txt")) == (2, "answer to One.")
    assert not (ports.folder / "results/a.txt").exists()
    (ports.folder / "b.yaml").unlink()
    for prompt, made in (("Two.", 2), ("Three.", 3), ("One.", 3)):
        ports.task("b", prompt)
        ports.apply()
        assert (ports.remote.asked["POST"], result(ports, "b.txt")) == (made, f"answer to {prompt}")


def test_what_was_forgotten_in_between_was_given_up(ports):
    ports.task(prompt="One.")
    ports.task("other", "Else.")
    ports.apply()
    (ports.folder / "a.yaml").unlink()
    ports.apply()
    for prompt in ("Two.", "One."):
        ports.task(prompt=prompt)
        ports.apply()
    assert ports.remote.asked["POST"] == 4


def test_a_chain_returns_as_a_whole(ports):
    ports.task("extract", "One.")
    ports.task("report", '"Of {{ tasks.extract.result }}"')
    ports.apply()
    ports.task("extract", "Two.")
    ports.apply()
    assert ports.remote.asked["POST"] == 4
    ports.task("extract", "One.")
    planned = plan_of(ports)
    assert [(change.address, change.action) for change in planned.changes] == [
        ("extract", Action.ADOPT),
        ("report", Action.ADOPT),
    ]
    assert planned.paid_runs == 0
    ports.needs.clear()
    ports.apply()
    assert (ports.needs, ports.remote.asked["POST"]) == ([], 4)
    assert result(ports, "report.txt") == "answer to Of answer to One."
    assert {change.action for change in plan_of(ports).changes} == {Action.NONE}


def test_what_waits_for_a_run_takes_its_result_of_before_where_that_answers_as_before(ports):
    ports.task("extract", "One.")
    ports.task("report", '"Of {{ tasks.extract.result }}"')
    ports.apply()
    ports.task("extract", "Two.")
    ports.apply()
    ports.remote.scripts["Three."] = [[{"status": "completed", "result": "answer to One."}]]
    ports.task("extract", "Three.")
    assert change_of(ports, "report").conditional
    ports.apply()
    assert [event.address for event in ports.told(RunCreated)] == ["extract"]
    assert [event.address for event in ports.told(ResultAccepted)] == ["report"]
    assert result(ports, "report.txt") == "answer to Of answer to One."
    assert {change.action for change in plan_of(ports).changes} == {Action.NONE}


def test_each_cell_of_a_matrix_takes_its_own(ports):
    for tone in ("plain", "grand", "plain"):
        ports.write(
            "apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: m}\n"
            f'spec:\n  agent: writer\n  matrix: {{n: [1, 2]}}\n  prompt: "{{{{ matrix.n }}}} {tone}"\n',
            "m.yaml",
        )
        made = plan_of(ports)
        ports.apply()
    assert {change.action for change in made.changes} == {Action.ADOPT}
    assert ports.remote.asked["POST"] == 4
    kept = {address: record.accepted.again for address, record in ports.records().items()}
    assert set(kept.values()) == {1}
    assert len(kept) == 2


def test_limits_do_not_count_it(ports):
    one_then_two(ports)
    ports.write(
        "apiVersion: taskspec/v1\nkind: Project\nmetadata: {name: sales}\n"
        "spec: {remote: xpander, limits: {maxCreate: 0}, budget: {maxRuns: 2}}\n",
        "taskspec.yaml",
    )
    planned = plan_of(ports)
    assert planned.refusals == ()
    ports.apply()
    assert result(ports) == "answer to One."


def test_the_plan_tells_machines_what_is_taken(ports):
    one_then_two(ports)
    (change,) = to_json(plan_of(ports))["changes"]
    assert (change["action"], change["paid"], change["run"]) == ("adopt", False, None)
    assert (change["kept"]["generation"], change["kept"]["run"]) == (1, "run-1")
    assert change["kept"]["result"]["bytes"] == len("answer to One.")


# --- what the history tells


def entry(serial, what, address="a", **data):
    return HistoryEntry(serial=serial, note=Note(address=address, at=float(serial), what=what, data=data))


def lived(address, *entries):
    found = {}
    for one in reversed(entries):
        found.setdefault(one.note.address, []).append(one)
    return [(note.address, note.what, note.at) for note in life_of(address, lambda place: found.get(place, ()))]


def test_a_life_goes_on_under_each_name_and_leaves_out_that_of_others(ports):
    entries = (
        entry(1, "ended", "b"),
        entry(2, "forgotten", "b"),
        entry(3, "ended", "a"),
        entry(4, "moved", "a", to="b"),
        entry(4, "moved", "b", **{"from": "a"}),
        entry(5, "ended", "b"),
        entry(6, "ended", "a"),
    )
    assert lived("b", *entries) == [("b", "ended", 5.0), ("a", "moved", 4.0), ("a", "ended", 3.0)]
    assert lived("a", *entries)[0] == ("a", "ended", 6.0)


def test_a_name_that_a_task_has_once_more_is_looked_at_again(ports):
    entries = (
        entry(1, "ended", "a"),
        entry(2, "moved", "a", to="b"),
        entry(2, "moved", "b", **{"from": "a"}),
        entry(3, "ended", "b"),
        entry(4, "moved", "b", to="a"),
        entry(4, "moved", "a", **{"from": "b"}),
        entry(5, "ended", "a"),
    )
    assert [at for _, what, at in lived("a", *entries) if what == "ended"] == [5.0, 3.0, 1.0]


class Counting:
    """A store of another machine that counts what it is asked."""

    def __init__(self, store):
        self._store = store
        self.capabilities = replace(store.capabilities, shared=True)
        self.asked = []

    def history(self, address=None, *, limit=None):
        self.asked.append(address)
        return self._store.history(address, limit=limit)


def test_a_store_on_another_machine_is_asked_for_a_few_tasks_and_then_for_all_at_once(ports, monkeypatch):
    monkeypatch.setattr(recalling, "SINGLY", 2)
    names = ["t0", "t1", "t2", "t3"]
    for prompt in ("One", "Two"):
        for name in names:
            ports.task(name, f"{prompt} {name}.")
        ports.apply()
    records = ports.records()
    with reading(ports.folder) as store:
        near, far = FormerResults(store), FormerResults(counting := Counting(store))
        for name in names:
            bare = [replace(kept, spec=None) for kept in near(name, records[name])]
            assert [replace(kept, spec=None) for kept in far(name, records[name])] == bare
            assert [kept.generation for kept in far(name, records[name])] == [2, 1]
    assert counting.asked == ["t0", "t1", None]
