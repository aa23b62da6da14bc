"""The first word of a report: what an account has come to, never better than its exit code. Writes nothing else."""

from typing import Final, NamedTuple

from taskspec.events import ApplyStarted
from taskspec.report.account import Account, Kind
from taskspec.report.exiting import ExitCode
from taskspec.report.unwell import is_unwell


class Verdict(NamedTuple):
    """A sign and a word."""

    sign: str
    word: str

    def __str__(self) -> str:
        return f"{self.sign} {self.word}"


GOOD: Final = "✅"
_WORDS: Final = {
    ExitCode.CHANGES: Verdict("📝", "To be done"),
    ExitCode.ERROR: Verdict("❌", "Error"),
    ExitCode.UNHEALTHY: Verdict("❌", "Failed"),
    ExitCode.WAITED: Verdict("⏳", "Not finished"),
    ExitCode.NEEDS_INPUT: Verdict("✋", "Needs a person"),
    ExitCode.REFUSED: Verdict("⛔", "Refused"),
    ExitCode.STALE: Verdict("❌", "Stale"),
    ExitCode.LOCKED: Verdict("🔒", "Locked"),
    ExitCode.UNKNOWN: Verdict("❓", "Unknown"),
    ExitCode.USAGE: Verdict("❌", "Wrong command line"),
    ExitCode.HANGUP: Verdict("⚠️", "Interrupted"),
    ExitCode.INTERRUPTED: Verdict("⚠️", "Interrupted"),
    ExitCode.TERMINATED: Verdict("⚠️", "Interrupted"),
}


def verdict(account: Account) -> Verdict:
    """Return what an account has come to."""
    if account.code is not ExitCode.OK:
        return _WORDS[account.code]
    if account.trouble is not None or any(is_unwell(task) for task in account.tasks):
        return Verdict("❓", "Unknown")  # the exit code and what is told disagree: that is no success
    match account.kind:
        case Kind.VALIDATE:
            return Verdict(GOOD, "Valid")
        case Kind.PLAN:
            is_idle = account.plan is None or not account.plan.pending
            return Verdict(GOOD, "Nothing to do") if is_idle else _WORDS[ExitCode.CHANGES]
        case Kind.APPLY:
            return Verdict(GOOD, "Done")
        case Kind.STANDING:
            return Verdict(GOOD, "All is well")


def has_begun(account: Account) -> bool:
    """Tell whether anything of the plan was carried out."""
    return any(isinstance(one.event, ApplyStarted) for one in account.heard)
