"""apply of a task with another name: its record and its result go on, nothing is paid again, and no cut hurts."""

import json

import pytest
from runner_ports import HOLDER

from taskspec.errors import StateError, UsageError
from taskspec.events import (
    AddressForgotten,
    AddressMoved,
    FormerResultRemoved,
    ResultNotWritten,
    ResultWritten,
    RunCreated,
    RunStopped,
    TitleUpdated,
)
from taskspec.plan.model import Action
from taskspec.runner import applying
from taskspec.state.model import PutRecord
from taskspec.state.sqlite import SqliteState


def renamed(ports, before="a", after="new", prompt="Write.", **policies):
    """Declare a task under another name."""
    (ports.folder / f"{before}.yaml").unlink()
    ports.task(after, prompt, **policies)


def titled_once(ports, name="a", prompt="Write."):
    """Apply one task whose title does not change with its name."""
    ports.task(name, prompt, title="Title")
    ports.apply()
    ports.needs.clear()
    return ports.records()[name]


def results(ports):
    return sorted(path.name for path in (ports.folder / "results").iterdir())


def history(ports, address):
    store = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=True)
    try:
        return [entry.note for entry in store.history(address)]
    finally:
        store.close()


def test_another_name_starts_no_run_asks_nobody_and_takes_record_and_result_along(ports):
    before = titled_once(ports)
    renamed(ports, title="Title")
    plan = ports.apply()
    assert [(change.address, change.action, change.moved_from) for change in plan.changes] == [
        ("new", Action.MOVE, "a")
    ]
    assert ports.needs == []
    assert ports.told(AddressMoved) == [AddressMoved(address="new", before="a")]
    assert results(ports) == ["new.provenance.json", "new.txt"]
    assert json.loads((ports.folder / "results/new.provenance.json").read_text())["address"] == "new"
    records = ports.records()
    assert list(records) == ["new"]
    assert records["new"].accepted == before.accepted
    assert records["new"].generation == before.generation
    assert (ports.finished()["new"].effect, ports.finished()["new"].verdict) == ("done", "accepted")
    assert ports.apply().pending == ()
    assert not ports.told(AddressMoved)


def test_the_history_of_either_name_leads_to_the_other(ports):
    titled_once(ports)
    renamed(ports, title="Title")
    plan = ports.apply().id
    came = {"generation": 1, "from": "a", "plan": plan}
    assert [(note.what, note.data) for note in history(ports, "new")] == [("moved", came)]
    newest, *older = history(ports, "a")
    assert (newest.what, newest.data) == ("moved", {"generation": 1, "to": "new", "spent": 1, "plan": plan})
    assert older


def test_a_title_that_is_the_address_changes_with_it_and_keeps_its_marker(ports):
    ports.task()
    ports.apply()
    (run,) = ports.remote.runs.values()
    marker = ports.records()["a"].generation.last.marker
    renamed(ports)
    ports.apply()
    (event,) = ports.told(TitleUpdated)
    assert (event.address, event.kept) == ("new", True)
    assert run.body["title"] == f"new {marker}"
    assert ports.records()["new"].generation.last.title == "new"
    assert ports.apply().pending == ()


def test_another_name_and_another_text_are_a_new_generation_where_the_task_says_what_it_was(ports):
    titled_once(ports)
    renamed(ports, prompt="Write more.", moved="{from: a}")
    plan = ports.apply()
    assert [(change.action, change.generation, change.moved_from) for change in plan.changes] == [
        (Action.CREATE, 2, "a")
    ]
    assert len(ports.told(RunCreated)) == 1
    assert not ports.told(AddressForgotten)
    assert ports.records()["new"].accepted.generation == 2
    assert results(ports) == ["new.provenance.json", "new.txt"]


def test_a_run_that_goes_on_is_followed_under_the_new_name(ports):
    ports.remote.scripts["Write."] = [["executing", "executing", "completed"]]
    ports.task()
    ports.apply(wait=False)
    renamed(ports)
    plan = ports.apply()
    assert [change.action for change in plan.changes] == [Action.WAIT]
    assert not ports.told(RunCreated)
    assert not ports.told(RunStopped)
    assert ports.records()["new"].accepted
    assert ports.remote.asked["POST"] == 1


@pytest.mark.parametrize(("send", "honours_keys"), [("drop", True), ("drop", False), ("lose", True)])
def test_a_create_of_unknown_outcome_is_settled_under_the_new_name_and_is_one_run(ports, send, honours_keys):
    ports.remote.honours_keys = honours_keys
    ports.remote.sends = [send]
    ports.task()
    ports.apply(hold_unknown=True)
    assert ports.finished()["a"].effect == "unknown"
    renamed(ports)
    plan = ports.apply()
    assert [(change.action, change.moved_from) for change in plan.changes] == [(Action.SETTLE, "a")]
    assert ports.records()["new"].accepted
    assert len(ports.remote.runs) == 1
    assert {change.action for change in ports.apply().changes} <= {Action.NONE, Action.UPDATE}
    assert ports.apply().pending == ()


def test_what_uses_the_result_of_a_task_with_another_name_is_left_as_it_is(ports):
    ports.task("a", "One.")
    ports.task("b", '"{{ tasks.a.result }}"')
    ports.apply()
    renamed(ports, prompt="One.")
    ports.task("b", '"{{ tasks.new.result }}"')
    plan = ports.apply()
    assert {change.address: change.action for change in plan.changes} == {"new": Action.MOVE, "b": Action.NONE}
    assert not ports.told(RunCreated)


def test_a_chain_whose_tasks_all_have_other_names_is_found(ports):
    ports.task("a", "One.")
    ports.task("b", '"Sum up: {{ tasks.a.result }}"')
    ports.task("c", '"Tell: {{ tasks.b.result }}"')
    ports.apply()
    for name in "abc":
        (ports.folder / f"{name}.yaml").unlink()
    ports.task("first", "One.")
    ports.task("second", '"Sum up: {{ tasks.first.result }}"')
    ports.task("third", '"Tell: {{ tasks.second.result }}"')
    plan = ports.apply()
    assert {c.address: (c.action, c.moved_from) for c in plan.changes} == {
        "first": (Action.MOVE, "a"),
        "second": (Action.MOVE, "b"),
        "third": (Action.MOVE, "c"),
    }
    assert not ports.told(RunCreated)
    assert ports.apply().pending == ()


def test_changed_assertions_go_with_a_move(ports):
    titled_once(ports)
    renamed(ports, title="Title", assertions="[{minLength: 1}]")
    plan = ports.apply()
    assert [(change.action, change.moved_from) for change in plan.changes] == [(Action.MOVE, "a")]
    assert ports.apply().pending == ()
    assert ports.records()["new"].accepted.attempt.assertions is not None


def test_assertions_that_reject_the_result_leave_no_file_of_it_under_either_name(ports):
    titled_once(ports)
    renamed(ports, title="Title", assertions="[{regex: nosuch}]")
    plan = ports.apply()
    assert [(change.action, change.moved_from) for change in plan.changes] == [(Action.REJUDGE, "a")]
    assert ports.records()["new"].accepted is None
    assert not ports.told(RunCreated)


@pytest.mark.parametrize("selected", ["a", "new"])
def test_either_name_selects_the_task(ports, selected):
    titled_once(ports)
    ports.task("b", "Other.")
    renamed(ports, title="Title")
    plan = ports.apply(selected)
    assert [(change.address, change.action) for change in plan.changes] == [("new", Action.MOVE)]
    assert list(ports.records()) == ["new"]
    assert not ports.told(RunCreated)


def test_what_selects_neither_name_leaves_the_record_where_it_is(ports):
    titled_once(ports)
    ports.task("b", "Other.")
    renamed(ports, title="Title")
    ports.apply("b")
    assert sorted(ports.records()) == ["a", "b"]


@pytest.mark.parametrize("selected", ["a", "new"])
def test_an_attempt_by_hand_is_one_of_the_task_under_either_name(ports, selected):
    ports.remote.scripts["Write."] = [["failed"], ["completed"]]
    titled_once(ports)
    renamed(ports, title="Title")
    plan = ports.apply(selected, requested=True)
    assert [(change.address, change.action, change.attempt) for change in plan.changes] == [("new", Action.CREATE, 2)]
    assert ports.records()["new"].accepted


def test_no_attempt_is_made_by_hand_of_what_was_never_applied(ports):
    titled_once(ports)
    ports.task("b", "Other.")
    with pytest.raises(UsageError, match="`b` has never been applied"):
        ports.apply("b", requested=True)


def test_what_is_not_approved_moves_nothing(ports):
    titled_once(ports)
    renamed(ports, title="Title")
    ports.apply(approve=lambda plan: False)
    assert list(ports.records()) == ["a"]
    assert results(ports) == ["a.provenance.json", "a.txt"]


def test_an_apply_that_is_cut_after_the_move_leaves_files_that_the_next_one_puts_right(ports, monkeypatch):
    titled_once(ports)
    renamed(ports, title="Title")

    def cut(*_):
        raise StateError("cut")

    with monkeypatch.context() as patched:
        patched.setattr(applying, "restore", cut)
        with pytest.raises(StateError, match="cut"):
            ports.apply()
    assert list(ports.records()) == ["new"]
    assert results(ports) == ["a.provenance.json", "a.txt"]
    plan = ports.apply()
    assert plan.pending == ()
    assert results(ports) == ["new.provenance.json", "new.txt"]
    assert [event.path for event in ports.told(FormerResultRemoved)] == ["results/a.txt"]
    assert ports.needs == []


def test_the_former_file_stays_where_the_new_one_cannot_be_written(ports):
    titled_once(ports)
    (ports.folder / "results" / "new.txt").write_text("mine")
    renamed(ports, title="Title")
    ports.apply()
    assert ports.told(ResultNotWritten)
    assert results(ports) == ["a.provenance.json", "a.txt", "new.txt"]
    assert (ports.folder / "results" / "new.txt").read_text() == "mine"
    (ports.folder / "results" / "new.txt").unlink()
    ports.apply()
    assert results(ports) == ["new.provenance.json", "new.txt"]


@pytest.mark.parametrize("text", ["mine", '{"address": "a"}', '{"address": "a", "run": 1, "result": {"sha256": []}}'])
def test_a_file_in_the_place_of_the_former_provenance_stays(ports, text):
    titled_once(ports)
    renamed(ports, title="Title")
    (ports.folder / "results" / "a.provenance.json").write_text(text)
    ports.apply()
    assert results(ports) == ["a.provenance.json", "a.txt", "new.provenance.json", "new.txt"]


def test_the_file_of_a_task_that_was_forgotten_stays(ports):
    titled_once(ports)
    renamed(ports, prompt="Another.")
    ports.apply()
    ports.apply()
    assert results(ports) == ["a.provenance.json", "a.txt", "new.provenance.json", "new.txt"]


def test_a_name_that_comes_back_takes_its_record_back(ports):
    before = titled_once(ports)
    renamed(ports, title="Title")
    ports.apply()
    renamed(ports, "new", "a", title="Title")
    ports.apply()
    assert ports.records() == {"a": before}
    assert results(ports) == ["a.provenance.json", "a.txt"]
    assert ports.remote.asked["POST"] == 1
    assert [event.path for event in ports.told(ResultWritten)] == ["results/a.txt"]


def test_a_move_that_is_declared_for_good_does_nothing_more(ports):
    titled_once(ports)
    renamed(ports, title="Title", moved="{from: a}")
    ports.apply()
    assert ports.apply().pending == ()


def test_a_former_name_that_is_recorded_beside_the_task_is_forgotten_and_says_why(ports):
    before = titled_once(ports)
    renamed(ports, prompt="Another.", moved="{from: a}")
    ports.apply()
    store = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    store.commit(store.acquire(HOLDER), store.read().serial, [PutRecord(record=before)])
    store.close()
    plan = ports.apply()
    (gone,) = [change for change in plan.changes if change.address == "a"]
    assert gone.action is Action.FORGET
    assert [reason.code for reason in gone.reasons] == ["no_longer_declared", "move_too_late"]
