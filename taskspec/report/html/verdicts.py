"""What it has come to, in one sentence: never better than the exit code. Counts what the account holds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from taskspec.health import Health
from taskspec.plan.model import IDLE
from taskspec.report.account import Account, Kind
from taskspec.report.exiting import ExitCode, foremost, of_health
from taskspec.report.html.icons import Tone
from taskspec.report.text import plural

_TONES: Final[dict[ExitCode, Tone]] = {
    ExitCode.OK: Tone.GOOD,
    ExitCode.CHANGES: Tone.NOTICE,
    ExitCode.WAITED: Tone.WAITING,
    ExitCode.NEEDS_INPUT: Tone.WAITING,
    ExitCode.UNKNOWN: Tone.UNKNOWN,
}
_SAID: Final[dict[ExitCode, str]] = {
    ExitCode.ERROR: "It ended in an error.",
    ExitCode.CHANGES: "There are changes to apply.",
    ExitCode.UNHEALTHY: "Not every task has an accepted result.",
    ExitCode.WAITED: "The time to wait was over before everything was finished.",
    ExitCode.NEEDS_INPUT: "A person has to answer.",
    ExitCode.REFUSED: "It was refused: a person has to decide.",
    ExitCode.STALE: "The saved plan does not fit any more.",
    ExitCode.LOCKED: "Another command holds the state.",
    ExitCode.UNKNOWN: "An outcome is not known.",
    ExitCode.USAGE: "The command was used wrongly.",
    ExitCode.HANGUP: "It was cut off.",
    ExitCode.INTERRUPTED: "It was interrupted.",
    ExitCode.TERMINATED: "It was terminated.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Summing:
    """The sentence that stands above everything, and how it is meant."""

    tone: Tone
    text: str
    code: ExitCode


def summed_up(account: Account) -> Summing:
    """Return what an account comes to: its exit code, or what its tasks say where that is worse."""
    healths = (of_health(task.health) for task in account.tasks if task.health is not None)
    code = foremost([account.code, *healths]) if account.code is ExitCode.OK else account.code
    if code is ExitCode.OK and account.trouble is not None:
        code = ExitCode.ERROR
    text = _fine(account) if code is ExitCode.OK else " ".join([_amiss(account, code), *_others(account, code)])
    return Summing(tone=_tone(account, code), text=text, code=account.code)


def _tone(account: Account, code: ExitCode) -> Tone:
    tone = _TONES.get(code, Tone.BAD)
    if tone is Tone.GOOD and (
        _undone(account) or (account.kind is Kind.PLAN and account.plan and account.plan.pending)
    ):
        return Tone.NOTICE
    return tone


def _fine(account: Account) -> str:
    match account.kind:
        case Kind.VALIDATE:
            return "The manifests are right."
        case Kind.PLAN:
            pending = len(account.plan.pending) if account.plan else 0
            if not pending:
                return "Nothing is to be done."
            paid = account.plan.paid_runs if account.plan else 0
            return f"{plural(pending, 'change')} would be made, with {plural(paid, 'paid run')}."
        case Kind.APPLY | Kind.STANDING:
            count = len(account.tasks)
            undone = _undone(account)
            if not count:
                return "No task was selected." if account.kind is Kind.APPLY else "Nothing is recorded yet."
            if undone == count:
                return "No task was applied yet."
            if undone:
                return f"{plural(count - undone, 'task')} healthy, {undone} not applied yet."
            return "The task is healthy." if count == 1 else f"All {count} tasks are healthy."


def _amiss(account: Account, code: ExitCode) -> str:
    counts = Counter(task.health for task in account.tasks)
    match code:
        case ExitCode.UNHEALTHY if count := counts[Health.UNHEALTHY]:
            return f"{plural(count, 'task')} {_has(count)} no accepted result."
        case ExitCode.NEEDS_INPUT if count := counts[Health.NEEDS_INPUT]:
            return f"{plural(count, 'task')} {'waits' if count == 1 else 'wait'} for a person."
        case ExitCode.UNKNOWN if count := counts[Health.UNKNOWN]:
            return f"The outcome of {plural(count, 'task')} is not known."
        case ExitCode.ERROR if account.kind is Kind.VALIDATE or (account.diagnostics and not account.tasks):
            return "The manifests are wrong."
        case ExitCode.CHANGES if account.plan is not None:
            pending, paid = len(account.plan.pending), account.plan.paid_runs
            return f"{plural(pending, 'change')} would be made, with {plural(paid, 'paid run')}."
        case _:
            return _SAID.get(code, "It did not end well.")


def _others(account: Account, code: ExitCode) -> Iterator[str]:
    """Yield what else is amiss, where the sentence is about another thing."""
    counts = Counter(task.health for task in account.tasks)
    for health in (Health.UNHEALTHY, Health.UNKNOWN, Health.NEEDS_INPUT):
        if counts[health] and of_health(health) is not code:
            yield _amiss(account, of_health(health))


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _undone(account: Account) -> int:
    return sum(
        task.health is None or (task.change is not None and task.change.action not in IDLE and task.finished is None)
        for task in account.tasks
        if account.kind in {Kind.APPLY, Kind.STANDING}
    )
