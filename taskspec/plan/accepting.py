"""Accepting: whether a kept result may be made the accepted one by hand, and for what. Reads and records nothing.

A result is accepted for what is declared now: whoever mends a typo says by that, that the answer to the text before
is the answer to this one too. Refused is what would leave a run unaccounted for, and what is accepted anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import assert_never

from taskspec.address import Address
from taskspec.desired.model import DesiredTask
from taskspec.plan.diffing import diff
from taskspec.plan.keeping import Kept
from taskspec.plan.model import Declared, FieldDiff
from taskspec.plan.standing import Situation, Standing
from taskspec.state.model import Accepted, Record
from taskspec.taskapi.remotes import RemoteIdentity


@dataclass(frozen=True, kw_only=True, slots=True)
class Acceptance:
    """A kept result that is to be the accepted one, and everything that is known of its address."""

    address: Address
    task: Declared | None
    """What is declared; finished where everything is known that it uses."""
    situation: Situation
    kept: Kept
    spent: int = 0
    """The number of the last generation that the address had before it left the state."""
    dependents: Sequence[Address] = ()
    """The tasks that need this one to be accepted."""

    @property
    def record(self) -> Record | None:
        """Return what is recorded of the address."""
        return self.situation.record

    @property
    def finished_task(self) -> DesiredTask:
        """Return what is declared, with nothing left open; raise ValueError where there is no such thing."""
        if isinstance(self.task, DesiredTask):
            return self.task
        raise ValueError(f"nothing declares {self.address}, or not all of it is known")

    @property
    def stays(self) -> bool:
        """Tell whether it is a result of the last generation, which asked for what is declared: that one has it then.

        Else the result becomes that of a generation of its own.
        """
        record, task = self.record, self.task
        if record is None or not isinstance(task, DesiredTask):
            return False
        last = record.generation
        return last.number == self.kept.generation and last.fingerprint == task.fingerprint

    @property
    def generation(self) -> int:
        """Return the number of the generation that has the result when it is accepted."""
        if self.stays:
            return self.kept.generation
        return self.record.next_generation if self.record is not None else self.spent + 1

    @property
    def diffs(self) -> tuple[FieldDiff, ...] | None:
        """Return in what the declared text differs from the one that was answered; None where nobody knows that."""
        return None if self.kept.spec is None else diff(self.kept.spec, self.finished_task.spec)


def unfit(address: Address, task: Declared | None) -> tuple[str, str] | None:
    """Return why nothing can be accepted for an address, whatever is kept of it, and what to do."""
    if task is None:
        return f"`{address}` is not declared", "Declare it first: a result is accepted for a text."
    if not isinstance(task, DesiredTask):
        named = ", ".join(f"`{one}`" for one in task.upstream[:3])
        why = f"what `{address}` asks for is known only when its upstream is accepted ({named})"
        return why, "Apply that first, or accept a result of it."
    return None


def refusal(acceptance: Acceptance, remote: RemoteIdentity) -> tuple[str, str] | None:
    """Return why a result is not accepted, and what to do; an outcome that is unknown is told by `is_unsettled`."""
    return (
        unfit(acceptance.address, acceptance.task)
        or _in_the_way(acceptance)
        or _needless(acceptance)
        or _from_elsewhere(acceptance, remote)
    )


def is_unsettled(situation: Situation) -> bool:
    """Tell whether nobody knows if the remote has a run that was asked for."""
    return situation.standing is Standing.UNSETTLED


def _in_the_way(acceptance: Acceptance) -> tuple[str, str] | None:
    situation, address = acceptance.situation, quote(acceptance.address)
    run = f"run {situation.attempt.run}" if situation.attempt and situation.attempt.run else "its run"
    match situation.standing:
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            hint = f"`taskspec apply {address}` waits for its end, `taskspec stop {address}` ends it."
            return f"{run} was last seen {situation.status or 'pending'}, and would be left unaccounted for", hint
        case Standing.UNJUDGED:
            return f"{run} completed and was not judged yet", f"`taskspec apply {address}` judges it."
        case Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return f"{run} cannot be accounted for", f"`taskspec plan {address}` says why, and what to do."
        case (
            Standing.NOTHING
            | Standing.UNSETTLED
            | Standing.ACCEPTED
            | Standing.REJECTED
            | Standing.FAILED
            | Standing.ERROR
            | Standing.STOPPED_BY_US
            | Standing.STOPPED_BY_OTHER
            | Standing.MISSING_ACTIVE
            | Standing.MISSING_ENDED
        ):
            return None
        case _:
            assert_never(situation.standing)


def _needless(acceptance: Acceptance) -> tuple[str, str] | None:
    """Return that the result is the accepted one of what is declared, and that nothing has made that doubtful since."""
    record, task = acceptance.record, acceptance.task
    if record is None or record.accepted is None or not _is_accepted(acceptance.kept, record.accepted):
        return None
    if not isinstance(task, DesiredTask) or record.accepted.fingerprint != task.fingerprint:
        return None
    asked_again = record.generation.number != record.accepted.generation
    if asked_again and record.generation.fingerprint == task.fingerprint:
        return None  # the last run of this very text has ended without a result
    which = f"the result of g{acceptance.kept.generation}"
    return f"{which} is the accepted one of what `{acceptance.address}` declares", "There is nothing to do."


def _is_accepted(kept: Kept, accepted: Accepted) -> bool:
    """Tell whether a kept result is the accepted one, also where that has it by hand from an older generation."""
    return kept.is_accepted or (kept.attempt.run, kept.result) == (accepted.run, accepted.result)


def _from_elsewhere(acceptance: Acceptance, remote: RemoteIdentity) -> tuple[str, str] | None:
    made = acceptance.kept.attempt.remote
    if made.same_remote(remote):
        return None
    where = made.url or made.type or "another one"
    why = f"the result of g{acceptance.kept.generation} was made on another remote ({where}) than the project has now"
    return why, "Go back to that one, or keep the file of the result: a run counts on its own remote only."
