"""What is wrong with a task that an account tells of, in a word and in sentences. Judges nothing anew."""

from collections.abc import Iterator
from typing import Final

from taskspec.diagnostics import Position
from taskspec.events import Effect, ResultNotWritten, ResultUnreadable, RunEnded
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.report.account import TaskTold
from taskspec.report.exiting import ExitCode, foremost, of_effect, of_health, of_verdict
from taskspec.state.model import Attempt, Verdict

GOOD: Final = frozenset({ExitCode.OK, ExitCode.CHANGES})
"""The exit codes of a command with which nothing is wrong."""
WELL: Final = frozenset({None, "", Verdict.ACCEPTED, Verdict.ACTIVE})
"""The verdicts on a task with which nothing is wrong."""


def is_unwell(task: TaskTold) -> bool:
    """Tell whether a person should look at a task."""
    change, finished = task.change, task.finished
    is_stuck = change is not None and finished is None and (change.in_error or change.refused)
    is_cut = finished is not None and finished.effect not in {Effect.DONE, Effect.LEFT}
    is_bad = is_cut or (finished is not None and finished.verdict not in WELL)
    return is_stuck or is_bad or task.health not in {None, Health.HEALTHY} or any(_of_result(task))


def goes_on(task: TaskTold) -> bool:
    """Tell whether the run of a task goes on, and was not waited for."""
    return task.finished is not None and task.finished.verdict == Verdict.ACTIVE


def code_of(task: TaskTold) -> ExitCode:
    """Return the exit code that a task alone stands for."""
    if not is_unwell(task):
        return ExitCode.OK
    change, finished = task.change, task.finished
    codes = {of_health(task.health)} if task.health is not None else set()
    if finished is not None:
        codes |= {of_effect(finished.effect), of_verdict(finished.verdict)}
    elif change is not None and change.refused:
        codes.add(ExitCode.REFUSED)
    if any(_of_result(task)) or (finished is None and change is not None and change.in_error):
        codes.add(ExitCode.ERROR)
    code = foremost(codes)
    return code if code is not ExitCode.OK else ExitCode.UNKNOWN


def word_of(task: TaskTold) -> str:
    """Return in a word what is wrong with a task."""
    change, finished = task.change, task.finished
    if finished is not None and finished.verdict not in WELL:
        return finished.verdict or ""
    if finished is not None and finished.effect not in {Effect.DONE, Effect.LEFT}:
        return "not finished" if finished.effect is Effect.CUT else finished.effect
    if any(_of_result(task)):
        return "result"
    if change is not None and change.refused:
        return "refused"
    if change is not None and change.action is Action.BLOCKED:
        return "blocked"
    attempt = _last_attempt(task) if change is None else None
    before = (
        attempt.verdict if attempt is not None else change.verdict if change is not None and finished is None else None
    )
    return before if before is not None and before not in WELL else task.health or "unknown"


def reasons_of(task: TaskTold) -> Iterator[str]:
    """Yield why: what was told at its end, or else of its runs, and then the reasons of its change."""
    yield from _of_result(task)
    if task.finished is not None and task.finished.detail:
        yield task.finished.detail
    else:
        yield from (one.event.detail for one in task.heard if isinstance(one.event, RunEnded) and one.event.detail)
    yield from (reason.text for reason in (task.change.reasons if task.change is not None else ()))
    attempt = _last_attempt(task)
    if task.change is None and attempt is not None and attempt.detail:
        yield attempt.detail


def place_in(task: TaskTold) -> Position | None:
    """Return where a task is declared; None where it no longer is, or nobody knows."""
    declared = task.change.task if task.change is not None else None
    return declared.source.document.position(("metadata", "name")) if declared is not None else None


def _last_attempt(task: TaskTold) -> Attempt | None:
    """Return the newest attempt, where somebody has asked for the history."""
    attempts = task.generations[0].attempts if task.generations else ()
    return attempts[-1] if attempts else None


def _of_result(task: TaskTold) -> Iterator[str]:
    """Yield why the file of its result is not there."""
    yield from (one.event.detail for one in task.heard if isinstance(one.event, ResultNotWritten | ResultUnreadable))
