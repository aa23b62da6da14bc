"""The story of an apply: lock, plan, approve, carry out, record; wherever it is cut, the state says how to go on."""

import asyncio
import os
import signal

import pytest
from runner_ports import HOLDER

from taskspec.diagnostics import ManifestError
from taskspec.errors import LockHeldError, StateError, UsageError
from taskspec.events import (
    ApplyFinished,
    ApplyStarted,
    Effect,
    Interrupted,
    ResultWritten,
    RunCreated,
    WaitedTooLong,
)
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.runner.model import Need
from taskspec.state.sqlite import SqliteState


def test_what_was_shown_is_what_is_carried_out(ports):
    ports.task()
    shown = []
    plan = ports.apply(approve=lambda plan: shown.append(plan) or True)
    assert shown == [plan]
    assert {event.generation for event in ports.told(RunCreated)} == {change.generation for change in plan.pending}
    assert ports.finished()["a"].verdict == "accepted"


def test_an_apply_begins_and_ends_with_its_own_events(ports):
    ports.task()
    plan = ports.apply()
    assert ports.events[0] == ApplyStarted(plan=plan.id, changes=1, paid=1)
    assert isinstance(ports.events[-1], ApplyFinished)


def test_what_is_not_approved_starts_nothing_and_makes_no_folder(ports):
    ports.task()
    assert ports.apply(approve=lambda plan: False) is None
    assert ports.remote.asked["POST"] == 0
    assert ports.events == []
    assert not (ports.folder / "results").exists()


def test_nothing_to_do_connects_to_nothing_and_finishes_every_address(ports):
    ports.task()
    ports.apply()
    ports.needs.clear()
    ports.apply()
    assert ports.needs == []
    assert ports.finished()["a"].effect is Effect.LEFT


def test_a_plan_never_asks_for_a_remote_that_may_start_runs(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    ports.needs.clear()
    ports.apply(approve=lambda plan: False)
    assert Need.RUN not in ports.needs


def test_another_command_s_lock_is_respected(ports):
    ports.task()
    other = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    other.acquire(HOLDER)
    try:
        with pytest.raises(LockHeldError, match="alice on laptop"):
            ports.apply()
    finally:
        other.close()
    assert ports.remote.asked["POST"] == 0


def test_the_lock_is_free_after_every_end(ports):
    ports.task()
    (ports.folder / "results").write_text("in the way")
    with pytest.raises(StateError):
        ports.apply()
    (ports.folder / "results").unlink()
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"


def test_wrong_documents_take_no_lock_and_make_no_state(ports):
    ports.write("apiVersion: taskspec/v1\nkind: Task\nmetadata: {name: a}\nspec: {agent: x, promt: y}\n")
    with pytest.raises(ManifestError):
        ports.apply()
    assert not (ports.folder / ".taskspec").exists()


@pytest.fixture
def time_is_over(monkeypatch):
    """Return a function: let the time that an apply waits be over as soon as something holds."""
    wait = asyncio.wait

    def once(holds):
        async def waited(works, *, timeout=None, **more):  # noqa: ASYNC109 - as asyncio.wait has it
            while timeout is not None and not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            return await wait(works, timeout=None if timeout is None else 0, **more)

        monkeypatch.setattr(asyncio, "wait", waited)

    return once


def test_waiting_too_long_leaves_the_runs_and_says_which(ports, time_is_over):
    time_is_over(lambda: len(ports.told(RunCreated)) == 2 and "b" in ports.finished())
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.task("b", "Quick.")
    ports.apply(wait_timeout=60)
    assert ports.told(WaitedTooLong) == [WaitedTooLong(addresses=("a",))]
    finished = ports.finished()
    assert (finished["a"].effect, finished["a"].verdict) == (Effect.CUT, "active")
    assert finished["b"].verdict == "accepted"
    ports.remote.runs["run-1"].steps = ["completed"]
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"
    assert len(ports.remote.runs) == 2


def test_runs_that_cannot_outlive_the_command_are_ended_and_recorded(ports, time_is_over):
    time_is_over(lambda: ports.told(RunCreated))
    ports.owned = True
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait_timeout=60)
    finished = ports.finished()["a"]
    assert (finished.health, finished.verdict) == (Health.UNHEALTHY, "error")
    assert ports.records()["a"].generation.last.verdict == "error"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_apply_in_order(ports, number):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    before = signal.getsignal(number)

    async def interrupt(request):
        os.kill(os.getpid(), number)

    ports.remote.before_answering = interrupt
    ports.apply()
    assert ports.told(Interrupted) == [Interrupted(signum=number)]
    assert ports.finished()["a"].effect is Effect.CUT
    assert ports.records()["a"].generation.last.run == "run-1"
    assert signal.getsignal(number) is before


def test_not_waiting_needs_a_remote_that_outlives_the_command(ports):
    ports.owned = True
    ports.task()
    with pytest.raises(UsageError, match="--no-wait"):
        ports.apply(wait=False)
    assert ports.remote.asked["POST"] == 0


def test_a_result_file_that_was_deleted_comes_back_with_the_next_apply(ports):
    ports.task()
    ports.apply()
    result = ports.folder / "results" / "a.txt"
    result.unlink()
    ports.apply()
    assert result.read_text() == "answer to Write."
    assert [event.path for event in ports.told(ResultWritten)] == ["results/a.txt"]
    assert len(ports.remote.runs) == 1


@pytest.mark.parametrize("damage", ["shortened", "provenance deleted", "folder deleted"])
def test_damaged_result_files_are_made_again(ports, damage):
    ports.task()
    ports.apply()
    folder = ports.folder / "results"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    match damage:
        case "shortened":
            (folder / "a.txt").write_text("answ")
        case "provenance deleted":
            (folder / "a.provenance.json").unlink()
        case _:
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
    ports.apply()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_result_files_that_are_there_are_not_written_again(ports):
    ports.task()
    ports.apply()
    before = (ports.folder / "results" / "a.txt").stat().st_mtime_ns
    ports.apply()
    assert (ports.folder / "results" / "a.txt").stat().st_mtime_ns == before
    assert not ports.told(ResultWritten)


def test_a_changed_policy_is_taken_over_without_a_run(ports):
    ports.task()
    ports.apply()
    ports.task(onRemove="hold")
    ports.apply()
    assert ports.records()["a"].on_remove == "hold"
    assert len(ports.remote.runs) == 1


def test_only_the_addresses_that_are_named_are_carried_out(ports):
    ports.task()
    ports.task("b", "Other.")
    ports.apply("b")
    assert set(ports.finished()) == {"b"}
    assert len(ports.remote.runs) == 1


def test_an_attempt_that_is_asked_for_by_hand_is_made_although_none_is_left(ports):
    ports.remote.scripts["Write."] = [["failed"], ["completed"]]
    ports.task()
    ports.apply()
    ports.apply()
    assert len(ports.remote.runs) == 1
    ports.apply("a", requested=True)
    assert ports.finished()["a"].verdict == "accepted"


def test_a_killed_apply_is_gone_on_with_and_nothing_runs_twice(ports, monkeypatch):
    from taskspec.apply import following

    ports.task()
    ports.task("b", "Other.")

    def die(*_):
        raise MemoryError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(following, "judge", die)
        with pytest.raises(MemoryError):
            ports.apply()
    ports.apply()
    assert {event.verdict for event in ports.finished().values()} == {"accepted"}
    assert [len(ports.remote.started(prompt)) for prompt in ("Write.", "Other.")] == [1, 1]


def test_every_action_of_the_plan_is_finished_once(ports):
    ports.task()
    ports.task("b", "Other.")
    ports.apply()
    (ports.folder / "b.yaml").unlink()
    ports.task("c", "Third.")
    plan = ports.apply()
    assert {change.action for change in plan.changes} == {Action.NONE, Action.CREATE, Action.FORGET}
    assert set(ports.finished()) == {"a", "b", "c"}
