"""What is kept of what was heard: all that a report tells, in its order, and no more than a memory holds."""

from itertools import count

from taskspec import events
from taskspec.address import Address
from taskspec.health import Health
from taskspec.report.gathering import MOST_STATUSES, Gathering, by_address

A, B = Address("a"), Address("b")


def _gathered(*heard):
    ticks = count(100)
    gathering = Gathering(lambda: float(next(ticks)))
    for event in heard:
        gathering.on(event)
    gathering.close()
    return gathering


def test_every_event_is_kept_with_the_time_at_which_it_was_heard():
    first = events.ApplyStarted(plan="p", changes=1, paid=1)
    second = events.RunAbsent(address=A, detail="")
    heard = _gathered(first, second).heard
    assert [(one.at, one.event) for one in heard] == [(100.0, first), (101.0, second)]


def test_a_status_that_wavers_for_days_does_not_fill_the_memory_and_hides_no_end():
    wavering = [
        events.RunStatusChanged(address=A, run="r", status=status)
        for _ in range(MOST_STATUSES)
        for status in ("executing", "paused")
    ]
    end = events.ChangeFinished(
        address=A, action="create", effect=events.Effect.DONE, health=Health.UNHEALTHY, verdict="failed"
    )
    other = events.RunStatusChanged(address=B, run="s", status="executing")
    gathering = _gathered(*wavering, other, end)
    assert len(gathering.heard) == MOST_STATUSES + 2
    assert gathering.finished == {A: end}
    assert by_address(gathering.heard)[B][0].event == other


def test_what_is_about_no_single_task_is_no_task_s():
    lost = events.DuplicatesFound(address=None, kept="r", others=("s",))
    assert by_address(_gathered(lost, events.SweepFailed(agent="w", detail="")).heard) == {}
