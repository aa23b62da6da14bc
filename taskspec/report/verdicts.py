"""What an account has come to: the one verdict that all reports tell. Never better than the exit code, nor than a task.

Where the exit code is good and anything that is told is not, the account is as bad as that: no report believes a code
alone. Judges no task anew, and writes nothing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from taskspec.diagnostics import Severity
from taskspec.events import ApplyStarted
from taskspec.health import Health
from taskspec.plan.model import Plan
from taskspec.report.account import Account, Kind
from taskspec.report.counting import counted
from taskspec.report.exiting import ExitCode, foremost, of_health, of_plan
from taskspec.report.plans import price
from taskspec.report.text import plural
from taskspec.report.unwell import GOOD, code_of, goes_on


class Grade(StrEnum):
    """How good a verdict is, from good to bad; only the first one is green."""

    GOOD = "good"
    NOTICE = "notice"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What an account has come to: a word, a sentence, and the exit code that both stand for."""

    code: ExitCode
    """That of the command, or a graver one where what is told of its tasks is worse."""
    grade: Grade
    word: str
    text: str


_WORDS: Final[dict[ExitCode, tuple[Grade, str, str]]] = {
    ExitCode.CHANGES: (Grade.NOTICE, "To be done", "There are changes to apply."),
    ExitCode.ERROR: (Grade.BAD, "Error", "It ended in an error."),
    ExitCode.UNHEALTHY: (Grade.BAD, "Failed", "Not every task has an accepted result."),
    ExitCode.WAITED: (Grade.WAITING, "Not finished", "Not everything was waited for to its end."),
    ExitCode.NEEDS_INPUT: (Grade.WAITING, "Needs a person", "A person has to answer."),
    ExitCode.REFUSED: (Grade.BAD, "Refused", "It was refused: a person has to decide."),
    ExitCode.STALE: (Grade.BAD, "Stale", "What it goes by has changed, or is not there."),
    ExitCode.LOCKED: (Grade.BAD, "Locked", "Another command holds the state."),
    ExitCode.UNKNOWN: (Grade.UNKNOWN, "Unknown", "An outcome is not known."),
    ExitCode.USAGE: (Grade.BAD, "Wrong command line", "The command was used wrongly."),
    ExitCode.HANGUP: (Grade.BAD, "Interrupted", "It was cut off."),
    ExitCode.INTERRUPTED: (Grade.BAD, "Interrupted", "It was interrupted."),
    ExitCode.TERMINATED: (Grade.BAD, "Interrupted", "It was terminated."),
}


def verdict(account: Account) -> Verdict:
    """Return what an account has come to."""
    code = foremost([account.code, *_told(account)]) if account.code in GOOD else account.code
    if code is ExitCode.OK or (code is ExitCode.CHANGES and _only_drifted(account)):
        grade, word, text = _fine(account)
        return Verdict(code=code, grade=grade, word=word, text=text)
    grade, word, _ = _WORDS[code]
    return Verdict(code=code, grade=grade, word=word, text=" ".join([_amiss(account, code), *_others(account, code)]))


def has_begun(account: Account) -> bool:
    """Tell whether anything of the plan was carried out."""
    return any(isinstance(one.event, ApplyStarted) for one in account.heard)


def _told(account: Account) -> Iterator[ExitCode]:
    """Yield what else than its exit code an account says, as exit codes."""
    is_wrong = any(one.severity is Severity.ERROR for one in account.diagnostics)
    if account.trouble is not None or is_wrong:
        yield ExitCode.ERROR
    yield from map(code_of, account.tasks)
    plan = account.plan
    match account.kind:
        case Kind.PLAN if plan is None:
            yield ExitCode.UNKNOWN
        case Kind.PLAN if plan is not None:
            yield of_plan(plan)
        case Kind.APPLY if has_begun(account):
            yield counted(one.event for one in account.heard).exit_code
            if any(task.finished is None for task in account.tasks):
                yield ExitCode.ERROR
        case Kind.APPLY if plan is None or plan.pending:
            yield ExitCode.UNKNOWN  # it is to be carried out, and nobody heard that it was
        case _:
            pass


def _fine(account: Account) -> tuple[Grade, str, str]:
    """Return what is said where nothing is wrong."""
    plan = account.plan
    match account.kind:
        case Kind.VALIDATE:
            return Grade.GOOD, "Valid", "The manifests are right."
        case Kind.PLAN if plan is not None and plan.pending:
            return Grade.NOTICE, _WORDS[ExitCode.CHANGES][1], " ".join([_planned(plan), *_drift(account)])
        case Kind.PLAN if account.drifted:
            return Grade.NOTICE, "Drifted", " ".join([*_drift(account), "The plan has nothing to do."])
        case Kind.PLAN | Kind.APPLY if not account.tasks:
            return Grade.GOOD, "Nothing to do", "No task was selected."
        case Kind.PLAN:
            return Grade.GOOD, "Nothing to do", "Nothing is to be done."
        case Kind.STANDING if not account.tasks:
            return Grade.NOTICE, "Nothing applied", "Nothing is recorded yet."
        case Kind.STANDING if undone := sum(task.health is None for task in account.tasks):
            healthy = len(account.tasks) - undone
            text = f"{plural(healthy, 'task')} healthy, {undone} not applied yet." if healthy else ""
            return Grade.NOTICE, "Not all applied", text or "No task was applied yet."
        case Kind.APPLY if begun := sum(map(goes_on, account.tasks)):
            healthy = len(account.tasks) - begun
            text = f"{plural(begun, 'run')} {'goes' if begun == 1 else 'go'} on, and nobody waits for the end."
            return Grade.NOTICE, "Begun", f"{text} {plural(healthy, 'task')} healthy." if healthy else text
        case Kind.APPLY | Kind.STANDING:
            count = len(account.tasks)
            text = "The task is healthy." if count == 1 else f"All {count} tasks are healthy."
            return Grade.GOOD, "Done" if account.kind is Kind.APPLY else "All is well", text


def _only_drifted(account: Account) -> bool:
    return bool(account.drifted) and account.plan is not None and not account.plan.pending


def _drift(account: Account) -> Iterator[str]:
    if account.drifted:
        yield f"{plural(account.drifted, 'task')} {'has' if account.drifted == 1 else 'have'} drifted."


def _is_of_manifests(account: Account) -> bool:
    """Tell whether diagnostics, where there are any, are what an account has come to."""
    return account.kind is Kind.STANDING or not account.tasks


def _planned(plan: Plan) -> str:
    return f"{plural(len(plan.pending), 'change')} would be made, with {price(plan, 'paid run')}."


def _amiss(account: Account, code: ExitCode) -> str:
    counts = Counter(task.health for task in account.tasks)
    match code:
        case ExitCode.UNHEALTHY if count := counts[Health.UNHEALTHY]:
            return f"{plural(count, 'task')} {'has' if count == 1 else 'have'} no accepted result."
        case ExitCode.NEEDS_INPUT if count := counts[Health.NEEDS_INPUT]:
            return f"{plural(count, 'task')} {'waits' if count == 1 else 'wait'} for a person."
        case ExitCode.UNKNOWN if count := counts[Health.UNKNOWN]:
            return f"The outcome of {plural(count, 'task')} is not known."
        case ExitCode.ERROR if account.kind is Kind.VALIDATE or (account.diagnostics and _is_of_manifests(account)):
            return "The manifests are wrong."
        case ExitCode.CHANGES if account.plan is not None:
            return _planned(account.plan)
        case _:
            return _WORDS[code][2]


def _others(account: Account, code: ExitCode) -> Iterator[str]:
    """Yield what else is amiss, where the sentence is about another thing."""
    counts = Counter(task.health for task in account.tasks)
    for health in (Health.UNHEALTHY, Health.UNKNOWN, Health.NEEDS_INPUT):
        if counts[health] and of_health(health) is not code:
            yield _amiss(account, of_health(health))
    yield from _drift(account)
    if account.kind is Kind.STANDING and (undone := counts[None]):
        yield f"{plural(undone, 'task')} {'was' if undone == 1 else 'were'} not applied yet."
