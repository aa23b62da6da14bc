"""The story of a stop by hand: it ends runs, says why, and starts nothing."""

from runner_ports import HOLDER

from taskspec.health import Health
from taskspec.state.model import StopCause
from taskspec.state.sqlite import SqliteState


def test_a_stop_by_hand_is_recorded_with_its_cause_and_stands(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    assert ports.stop("a")
    last = ports.records()["a"].generation.last
    assert (last.stop, last.status, last.verdict) == (StopCause.USER, "stopped", "stopped")
    ports.apply()
    assert ports.finished()["a"].health is Health.UNHEALTHY
    assert len(ports.remote.runs) == 1


def test_a_stop_by_hand_of_a_run_that_had_completed_keeps_its_result(ports):
    ports.remote.scripts["Write."], ports.remote.stops = [["executing"]], ["completed"]
    ports.task()
    ports.apply(wait=False)
    ports.stop()
    ports.apply()
    assert ports.finished()["a"].verdict == "accepted"


def test_a_stop_that_is_not_approved_stops_nothing(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    assert not ports.stop(approve=lambda addresses: False)
    assert ports.remote.asked["DELETE"] == 0


def test_a_stop_while_another_command_holds_the_lock_stops_all_the_same(ports):
    ports.remote.scripts["Write."] = [["executing"]]
    ports.task()
    ports.apply(wait=False)
    other = SqliteState(ports.folder / ".taskspec", "sales", "default", read_only=False)
    other.acquire(HOLDER)
    try:
        assert ports.stop()
    finally:
        other.close()
    assert ports.remote.runs["run-1"].steps == ["stopped"]


def test_nothing_that_runs_is_nothing_to_stop(ports):
    ports.task()
    ports.apply()
    assert ports.stop()
    assert ports.remote.asked["DELETE"] == 0
