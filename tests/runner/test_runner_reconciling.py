"""The loop of a watch, in virtual time: what follows what, who is told, and how it ends."""

import asyncio
import gc
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from taskspec.diagnostics import Diagnostic, ManifestError, Position
from taskspec.errors import (
    AuthenticationError,
    LimitError,
    LockHeldError,
    RunInterruptedError,
    StateError,
    UnreachableError,
    UsageError,
)
from taskspec.events import ChangeFinished, Effect, FilesChanged, Interrupted, RoundFinished, RunCreated
from taskspec.events import RoundOutcome as Outcome
from taskspec.health import Health
from taskspec.report.exiting import ExitCode
from taskspec.runner.reconciling import Audience, Reconciler, Timing
from taskspec.runner.scheduling import CAP, Pace

DOWN = UnreachableError("the remote does not answer")


def finished(effect=Effect.DONE, health=Health.HEALTHY, action="create", verdict="accepted"):
    return ChangeFinished(address="a", action=action, effect=effect, health=health, verdict=verdict)


def created():
    return RunCreated(address="a", agent="x", generation=1, attempt=1, run="r")


def wrong(detail):
    return ManifestError([Diagnostic(summary="Wrong", detail=detail, position=Position(file="a.yaml"))])


@dataclass
class Story:
    """A watch whose rounds do what a script says, its clock, and all that was heard of it.

    A round is a list of events, an error that is raised (or what makes it), or a number of seconds that it waits unless
    it is cut.
    """

    script: list
    interval: float = 300.0
    dice: float = 1.0
    edits: dict = field(default_factory=dict)
    """Time → the file that changes then."""
    stop_at: float | None = None
    look_costs: float = 0.0
    """Seconds of the processor that a look takes."""
    worked: float = 0.0
    looks: int = 0
    time: float = 0.0
    begun: list = field(default_factory=list)
    heard: list = field(default_factory=list)
    told: list = field(default_factory=list)
    cuts: int = 0
    last: bool = False

    async def make(self, emit):
        self.begun.append(self.time)
        self._read_until = self.time
        step = self.script.pop(0) if self.script else self._end()
        if callable(step):
            step = step()
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, float):
            self._waiting = asyncio.Event()
            until = self.time + step
            while self.time < until and not self._waiting.is_set():  # noqa: ASYNC110  # the time is no event
                await asyncio.sleep(0)
            cut = self.time < until
            emit(finished(Effect.CUT if cut else Effect.DONE, verdict="active" if cut else "accepted"))
            return True
        for event in step:
            emit(event)
        return True

    def _end(self):
        self.reconciler.stop()
        return [finished(Effect.LEFT, action="none")]

    def cut(self):
        self.cuts += 1
        if getattr(self, "_waiting", None):
            self._waiting.set()

    def stopping(self):
        self.last = True

    async def changes(self):
        self.looks += 1
        self.worked += self.look_costs
        return {name: at for at, name in self.edits.items() if self._read_until < at <= self.time}

    async def sleep(self, seconds):
        for _ in range(4):  # whoever is to end this sleep is heard before the time goes on
            await asyncio.sleep(0)
        self.time += seconds
        if self.stop_at is not None and self.time >= self.stop_at and not self.last:
            self.reconciler.stop(15)

    def watch(self):
        async def run():
            self.reconciler = Reconciler(
                self,
                Pace(interval=self.interval),
                Timing(now=lambda: self.time, sleep=self.sleep, worked=lambda: self.worked, dice=lambda: self.dice),
                Audience(emit=self.heard.append, tell=self.told.append, code=lambda error: ExitCode.ERROR),
            )
            await self.reconciler.run()
            return self.reconciler.exit_code

        self.code = asyncio.run(asyncio.wait_for(run(), 60))
        return self

    @property
    def rounds(self):
        return [event for event in self.heard if isinstance(event, RoundFinished)]

    @property
    def outcomes(self):
        return [event.outcome for event in self.rounds]


DONE = [finished()]
SAME = [finished(Effect.LEFT, action="none")]


def test_the_first_round_begins_at_once_and_the_others_on_the_interval():
    story = Story([SAME, SAME, SAME]).watch()
    assert story.begun[0] == 0.0
    assert [round(later - before) for before, later in zip(story.begun, story.begun[1:], strict=False)] == [300] * 3


def test_a_round_says_what_came_of_it_and_when_the_next_begins():
    story = Story([[created(), finished(), finished(Effect.LEFT, action="none")]]).watch()
    first = story.rounds[0]
    assert (first.round, first.outcome, first.pause) == (1, Outcome.SETTLED, 300.0)
    assert (first.started, first.accepted, first.unchanged) == (1, 1, 1)


def test_a_remote_that_is_down_is_asked_again_ever_more_seldom_and_at_the_usual_pace_when_it_is_back():
    story = Story([DOWN] * 12 + [SAME, SAME], interval=60.0).watch()
    pauses = [event.pause for event in story.rounds]
    assert pauses[:4] == [2.0, 4.0, 8.0, 16.0]
    assert pauses[11] == CAP
    assert pauses[12:14] == [60.0, 60.0]
    assert story.outcomes[:13] == [Outcome.HINDERED] * 12 + [Outcome.SETTLED]


@pytest.mark.parametrize(
    "error", [DOWN, AuthenticationError("no such key"), StateError("read only"), OSError(28, "full")]
)
def test_the_same_hindrance_is_told_once(error):
    story = Story([error, error, error, SAME]).watch()
    assert len(story.told) == 1
    assert story.outcomes[:4] == [Outcome.HINDERED] * 3 + [Outcome.SETTLED]


def test_a_hindrance_that_comes_back_is_told_again():
    assert len(Story([DOWN, SAME, DOWN]).watch().told) == 2


def test_wrong_manifests_are_told_once_until_they_are_wrong_otherwise():
    story = Story([wrong("x"), wrong("x"), wrong("y"), wrong("y"), SAME]).watch()
    assert [error.diagnostics[0].detail for error in story.told] == ["x", "y"]
    assert story.outcomes[:4] == [Outcome.WRONG] * 4


def test_a_held_lock_is_tried_again_within_the_interval():
    story = Story([LockHeldError("alice has it")] * 12, interval=20.0).watch()
    assert story.outcomes[:12] == [Outcome.HELD] * 12
    assert max(event.pause for event in story.rounds) == 20.0


def test_a_plan_beyond_a_limit_is_refused_and_the_watch_goes_on():
    story = Story([LimitError("beyond maxCreate"), SAME]).watch()
    assert story.outcomes[:2] == [Outcome.REFUSED, Outcome.SETTLED]


def test_changes_that_failed_are_tried_again_soon():
    story = Story([[finished(Effect.FAILED, Health.UNHEALTHY, verdict=None)], SAME]).watch()
    assert story.outcomes[:2] == [Outcome.FALTERED, Outcome.SETTLED]
    assert story.rounds[0].pause == 2.0


def test_a_task_that_has_failed_is_not_tried_again_by_the_watch():
    story = Story([[finished(Effect.DONE, Health.UNHEALTHY, verdict="failed")]]).watch()
    assert story.rounds[0].pause == 300.0


def test_a_mistake_in_the_command_line_ends_the_watch_in_its_first_round():
    with pytest.raises(UsageError):
        Story([UsageError("no such task")]).watch()


def test_the_same_later_waits_for_the_files():
    assert Story([SAME, UsageError("no such task"), SAME]).watch().outcomes[1] is Outcome.REFUSED


@pytest.mark.parametrize("error", [RuntimeError("a bug"), RunInterruptedError(15)])
def test_what_no_round_can_mend_ends_it(error):
    with pytest.raises(type(error)):
        Story([SAME, error]).watch()


def test_an_edit_begins_a_round_and_takes_the_pauses_back():
    story = Story([DOWN] * 8 + [SAME], edits={130.0: "a.yaml"}).watch()
    assert [event.files for event in story.heard if isinstance(event, FilesChanged)] == [("a.yaml",)]
    (after,) = [later for before, later in zip(story.begun, story.begun[1:], strict=False) if before < 130.0 < later]
    assert after - 130.0 < 2.0
    assert story.rounds[len([begun for begun in story.begun if begun < 130.0])].pause == 2.0


def test_a_file_that_is_still_being_written_is_waited_for():
    edits = {10.0: "a", 10.1: "b", 10.3: "c"}
    story = Story([SAME, SAME], edits=edits).watch()
    assert [event.files for event in story.heard if isinstance(event, FilesChanged)] == [("a", "b", "c")]


def test_looking_at_very_many_files_is_done_more_seldom():
    assert Story([SAME], look_costs=0.001, stop_at=250.0).watch().looks == 249
    story = Story([SAME], look_costs=0.1, stop_at=250.0).watch()
    assert story.worked <= 250.0 / 80


def test_an_edit_cuts_a_round_that_waits_and_the_next_begins_at_once():
    story = Story([7200.0, SAME], edits={100.0: "a.yaml"}).watch()
    assert story.outcomes[:2] == [Outcome.CUT, Outcome.SETTLED]
    assert story.begun[1] - 100.0 < 2.0


def test_edits_that_follow_each_other_without_end_and_cost_money_are_slowed_down():
    edits = {at + 0.5: f"file {at}" for at in range(3600)}
    script = [[created(), finished()] for _ in range(2000)]
    story = Story(script, interval=600.0, edits=edits, stop_at=3600.0).watch()
    assert len(story.begun) < 20


def test_a_signal_at_rest_ends_it_with_what_the_last_round_has_left():
    story = Story([SAME], stop_at=20.0).watch()
    assert [event for event in story.heard if isinstance(event, Interrupted)] == [Interrupted(signum=15)]
    assert (story.code, len(story.rounds)) == (ExitCode.OK, 1)
    story = Story([[finished(Effect.DONE, Health.UNHEALTHY, verdict="failed")]], stop_at=20.0).watch()
    assert story.code == ExitCode.UNHEALTHY
    assert Story([DOWN] * 9, stop_at=20.0).watch().code == ExitCode.ERROR


def test_a_signal_in_a_round_ends_it_in_order():
    story = Story([7200.0, SAME], stop_at=50.0).watch()
    assert story.outcomes == [Outcome.STOPPED]
    assert story.cuts == 1
    assert story.last
    assert story.code == ExitCode.WAITED


def test_a_watch_that_is_stopped_before_a_round_was_carried_out_is_an_interruption():
    story = Story([], stop_at=0.5)

    async def slow(emit):
        story.task = asyncio.current_task()
        await asyncio.sleep(3600)

    story.make = slow
    story.cut = lambda: story.task.cancel()  # noqa: PLW0108  # there is none yet
    assert story.watch().code == ExitCode.TERMINATED
    assert story.outcomes == [Outcome.STOPPED]


def test_a_thousand_rounds_keep_nothing():
    steps = [
        lambda: UnreachableError("down"),
        lambda: wrong("x"),
        [created(), finished()],
        SAME,
        lambda: OSError(28, "full"),
    ]
    story = Story([steps[number % len(steps)] for number in range(1300)], interval=2.0)
    marks = []

    def hear(event):
        if isinstance(event, RoundFinished) and event.round in {300, 1300}:
            gc.collect()
            marks.append(
                (
                    tracemalloc.get_traced_memory()[0],
                    len(list(Path("/proc/self/fd").iterdir())),
                    len(asyncio.all_tasks()),
                )
            )

    class Deaf(list):
        append = staticmethod(hear)

    story.heard = Deaf()
    story.told = type("Mute", (), {"append": staticmethod(lambda error: None)})()
    story.begun = type("Mute", (), {"append": staticmethod(lambda at: None)})()
    gc.freeze()
    tracemalloc.start()
    try:
        story.watch()
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    (memory, files, tasks), (later, more_files, more_tasks) = marks
    assert later - memory < 50_000
    assert (more_files, more_tasks) == (files, tasks)
