"""Adopting: whether a run may be taken by hand as that of an address, and what is doubtful about it. Binds nothing.

A person may know more than a marker tells, so that what cannot be known is a doubt and no refusal. Refused is what
would leave another run unaccounted for, and what is somebody else's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import Any, assert_never

from taskspec.address import Address, address_hash
from taskspec.desired.model import DesiredTask
from taskspec.markers import Marker, bears, digest_of, marker_in, short_lineage
from taskspec.plan.model import Declared
from taskspec.plan.standing import Situation, Standing
from taskspec.state.model import Record, Verdict
from taskspec.taskapi.records import ACTIVE, ENDED, TaskRecord


class Bearing(StrEnum):
    """What the marker of a run says of it, seen from an address."""

    EXACT = "that of the attempt whose outcome is unknown"
    SAME_TEXT = "that of this task, and of the text that it is adopted for"
    OTHER_TEXT = "that of this task with another text"
    OTHER_TASK = "that of another task of this project"
    FOREIGN = "that of another project, or of another state of this one"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A run that a person names for an address, and everything that is known of both."""

    address: Address
    task: Declared | None
    """What is declared; finished where everything is known that it uses."""
    situation: Situation
    run: TaskRecord
    lineage: str
    spent: int = 0
    """The number of the last generation that the address had before it left the state."""
    taken: Address | None = None
    """The address under which the run is recorded already."""

    @property
    def record(self) -> Record | None:
        """Return what is recorded of the address."""
        return self.situation.record

    @property
    def is_settling(self) -> bool:
        """Tell whether the run is taken for an intent of unknown outcome, whatever is declared now."""
        return self.situation.standing is Standing.UNSETTLED

    @property
    def is_back(self) -> bool:
        """Tell whether it is the very run that was recorded as lost."""
        attempt = self.situation.attempt
        return attempt is not None and attempt.run == self.run.id and attempt.verdict is Verdict.LOST

    @property
    def continues(self) -> bool:
        """Tell whether it belongs to the recorded generation; else it begins a new one, of the declared text."""
        if self.is_settling or self.is_back:
            return True
        generation = self.record.generation if self.record else None
        return generation is not None and self.declares(generation.fingerprint)

    @property
    def fingerprint(self) -> str | None:
        """Return the fingerprint of the text that the run is taken for; None where that is not known."""
        if self.continues and self.record is not None:
            return self.record.generation.fingerprint
        return self.task.fingerprint if isinstance(self.task, DesiredTask) else None

    @property
    def bearing(self) -> Bearing:
        """Return what its marker says of it."""
        marker, attempt = marker_in(self.run.title), self.situation.attempt
        if marker is None:
            return Bearing.NONE
        if self.is_settling and attempt is not None and bears(self.run.title, attempt.marker):
            return Bearing.EXACT
        if marker.lineage != short_lineage(self.lineage):
            return Bearing.FOREIGN
        if marker.address != address_hash(self.address):
            return Bearing.OTHER_TASK
        known = self.fingerprint is not None and marker.digest == digest_of(self.fingerprint)
        return Bearing.SAME_TEXT if known else Bearing.OTHER_TEXT

    @property
    def marker(self) -> Marker | None:
        """Return the marker that it bears."""
        return marker_in(self.run.title)

    @property
    def own_nonce(self) -> str | None:
        """Return the nonce of its marker, where that is of this state: whoever bears it too is its duplicate."""
        marker = self.marker
        return marker.nonce if marker is not None and marker.lineage == short_lineage(self.lineage) else None

    def declares(self, fingerprint: str) -> bool:
        """Tell whether a fingerprint is that of what is declared, as far as that is known."""
        return isinstance(self.task, DesiredTask) and self.task.fingerprint == fingerprint


def refusal(candidate: Candidate, *, foreign: bool) -> tuple[str, str] | None:
    """Return why a run is not adopted, and what to do; `foreign`: a marker of somebody else is no obstacle."""
    return _taken(candidate) or _in_the_way(candidate) or _unfit(candidate, foreign=foreign)


def doubts(candidate: Candidate) -> Iterator[str]:
    """Yield what a person has to know who adopts a run."""
    match candidate.bearing:
        case Bearing.EXACT | Bearing.SAME_TEXT:
            pass
        case Bearing.OTHER_TEXT:
            yield "its marker says that it was asked with another text: its answer will count for this one"
        case Bearing.OTHER_TASK:
            yield "its marker is that of another task: its answer will count for this one"
        case Bearing.FOREIGN:
            yield "its marker is not of this state: whoever made it may wait for it too"
        case Bearing.NONE:
            yield "it bears no marker, so that nobody can know whether it was asked what is declared"
        case _:
            assert_never(candidate.bearing)
    if _is_another_prompt(candidate):
        yield "its prompt is not the declared one"
    if candidate.run.status not in ACTIVE | ENDED:
        yield f"its status `{candidate.run.status}` is not known: it is held as long as it shows that"


def _taken(candidate: Candidate) -> tuple[str, str] | None:
    if candidate.taken is None or candidate.is_back:
        return None
    if candidate.taken == candidate.address:
        return f"run {candidate.run.id} is recorded as one of `{candidate.address}` already", ""
    text = f"run {candidate.run.id} is recorded as one of `{candidate.taken}`"
    return text, f"`taskspec forget {quote(candidate.taken)}` takes it out of the state."


def _in_the_way(candidate: Candidate) -> tuple[str, str] | None:
    """Return why another run of the address keeps this one from being adopted."""
    situation, address = candidate.situation, candidate.address
    run = f"its run {situation.attempt.run}" if situation.attempt and situation.attempt.run else "its run"
    kept = candidate.record.accepted if candidate.record else None
    if candidate.is_settling or candidate.is_back:
        return None
    if kept is not None and candidate.declares(kept.fingerprint):
        return f"`{address}` has its accepted result", "Change the task first if you want another."
    match situation.standing:
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            hint = f"`taskspec stop {quote(address)}` ends it, `taskspec forget {quote(address)}` gives it up."
            return f"{run} is {situation.status}, and two runs of one task are one too many", hint
        case Standing.UNJUDGED:
            return f"{run} completed and was not judged yet", "`taskspec apply` judges it."
        case Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            hint = f"Plan again when it can be read, or give it up with `taskspec forget {quote(address)}`."
            return f"{run} cannot be accounted for", hint
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


def _unfit(candidate: Candidate, *, foreign: bool) -> tuple[str, str] | None:
    address, task, record = candidate.address, candidate.task, candidate.record
    if task is None and not (candidate.is_settling or candidate.is_back):
        return f"`{address}` is not declared", "Declare it first: a run is adopted for a text."
    if candidate.fingerprint is None:
        return f"what `{address}` asks for is known only when its upstream is accepted", "Apply that first."
    asked = record.agent if record is not None and candidate.continues else task.agent if task else ""
    if candidate.run.agent_id != asked:
        return f"run {candidate.run.id} is one of the agent `{candidate.run.agent_id}`, not of `{asked}`", ""
    if candidate.bearing is Bearing.FOREIGN and not foreign:
        text = f"run {candidate.run.id} bears a marker of another project, or of another state of this one"
        return text, "Nobody but you can know that it may be taken: say so with --foreign."
    return None


def _is_another_prompt(candidate: Candidate) -> bool:
    """Tell whether the remote shows another prompt than that of the declared text, where the run is taken for that."""
    task = candidate.task
    if not isinstance(task, DesiredTask) or candidate.fingerprint != task.fingerprint:
        return False
    said: Any = candidate.run.raw.get("input")
    prompt = said.get("text") if isinstance(said, Mapping) else None
    return isinstance(prompt, str) and prompt != task.request.get("prompt", "")
