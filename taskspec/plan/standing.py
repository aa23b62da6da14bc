"""How the recorded side of an address stands: exactly one named bucket for each. Decides nothing about it.

The rows, tried in order; the first that fits names the standing:

1.  NOTHING            nothing is recorded, or nothing of it ever reached an agent
2.  UNSETTLED          an intent is written, and whether the remote has its run is unknown
3.  ACCEPTED           the generation has an accepted result, whatever its run shows now
4.  MISSING_ACTIVE     the remote does not know the run any more, and no end of it was ever judged
5.  UNREADABLE         the run has to be looked at and cannot be: no answer, or it lives on another remote or engine
6.  MISSING_ENDED      the remote does not know the run any more, which had ended without an accepted result
7.  PENDING · EXECUTING · PAUSED
8.  UNJUDGED           completed, and nobody has judged the result
9.  REJECTED · FAILED · ERROR
10. STOPPED_BY_US      stopped, and we recorded why before we asked for it
11. STOPPED_BY_OTHER   stopped, and not by us: a person's decision
12. UNKNOWN_STATUS     a status that nobody knows

The status is the observed one where somebody looked, else the recorded one.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import assert_never

from taskspec.observed.model import Absent, Observation, Observed, Present, Unreadable
from taskspec.state.model import Attempt, Record, Sending, StopCause, Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import RemoteIdentity


class Standing(StrEnum):
    """The buckets; the module says what falls into which."""

    NOTHING = "nothing"
    UNSETTLED = "unsettled"
    ACCEPTED = "accepted"
    PENDING = "pending"
    EXECUTING = "executing"
    PAUSED = "paused"
    UNJUDGED = "unjudged"
    REJECTED = "rejected"
    FAILED = "failed"
    ERROR = "error"
    STOPPED_BY_US = "stopped by us"
    STOPPED_BY_OTHER = "stopped by someone else"
    MISSING_ACTIVE = "missing, last seen active"
    MISSING_ENDED = "missing, last seen ended"
    UNREADABLE = "unreadable"
    UNKNOWN_STATUS = "unknown status"


class Place(Enum):
    """Where a recorded run lives, seen from the remote that is asked now."""

    HERE = auto()
    OTHER_REMOTE = auto()
    OTHER_INSTANCE = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """A record with its standing and the attempt that the standing is about."""

    standing: Standing
    record: Record | None = None
    attempt: Attempt | None = None
    place: Place = Place.HERE
    seen: TaskRecord | None = None
    """What the remote shows of the run; of an unsettled attempt, the one run that bears its marker."""
    trouble: str = ""
    """Why the run could not be looked at."""
    duplicates: tuple[TaskRecord, ...] = ()
    """The runs of an unsettled attempt, where more than one bears its marker."""

    @property
    def status(self) -> str | None:
        """Return the observed status, else the recorded one."""
        if self.seen is not None:
            return self.seen.status
        return self.attempt.status if self.attempt else None

    @property
    def last_seen(self) -> Standing:
        """Return the standing by what is recorded alone: what a missing run was."""
        return _by_status(self.attempt.status, self.attempt) if self.attempt else Standing.NOTHING


_TO_BE_READ = frozenset(
    {Standing.PENDING, Standing.EXECUTING, Standing.PAUSED, Standing.UNJUDGED, Standing.UNKNOWN_STATUS}
)


def stand(record: Record | None, observed: Observed, remote: RemoteIdentity) -> Situation:
    """Return the situation of a record, given what was observed of its runs on `remote`."""
    if record is None:
        return Situation(standing=Standing.NOTHING)
    attempt = _current(record)
    place = _place(attempt, remote)
    observation = observed.runs.get(attempt.run) if attempt and attempt.run and place is Place.HERE else None
    if attempt is not None and attempt.sending is Sending.INTENDED:
        return _unsettled(record, attempt, place, observed)
    if record.accepted is not None and record.accepted.generation == record.generation.number:
        standing = Standing.ACCEPTED
    elif attempt is None:
        standing = Standing.NOTHING
    else:
        standing = _bound(attempt, place, observation)
    return Situation(
        standing=standing,
        record=record,
        attempt=attempt,
        place=place,
        seen=_seen(observation),
        trouble=_trouble(observation),
    )


def verdict_of(situation: Situation) -> Verdict | None:
    """Return what we say of the attempt that a situation is about; None where there is nothing to say yet."""
    match situation.standing:
        case Standing.NOTHING | Standing.UNJUDGED:
            return None
        case Standing.ACCEPTED:
            return Verdict.ACCEPTED
        case Standing.PENDING | Standing.EXECUTING:
            return Verdict.ACTIVE
        case Standing.PAUSED:
            return Verdict.WAITING
        case Standing.UNSETTLED | Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return Verdict.UNKNOWN
        case Standing.MISSING_ACTIVE:
            return Verdict.LOST
        case Standing.MISSING_ENDED:
            return _ended(situation.last_seen, situation.attempt)
        case Standing.REJECTED | Standing.FAILED | Standing.ERROR | Standing.STOPPED_BY_US | Standing.STOPPED_BY_OTHER:
            return _ended(situation.standing, situation.attempt)
        case _:
            assert_never(situation.standing)


def _ended(standing: Standing, attempt: Attempt | None) -> Verdict:
    """Return the verdict on a run that ended without an accepted result; our own time-out is a failure."""
    if standing is Standing.REJECTED:
        return Verdict.REJECTED
    if standing is Standing.ERROR:
        return Verdict.ERROR
    if standing is Standing.FAILED or (attempt is not None and attempt.stop is StopCause.TIMEOUT):
        return Verdict.FAILED
    return Verdict.STOPPED


def _current(record: Record) -> Attempt | None:
    """Return the attempt that tells how the generation stands: an open intent, else the accepted, else the last."""
    counting = [attempt for attempt in record.generation.attempts if attempt.counts]
    if not counting:
        return None
    open_intent = next((a for a in counting if a.sending is Sending.INTENDED), None)
    if open_intent is not None:
        return open_intent
    kept = record.accepted.run if record.accepted else None
    return next((a for a in counting if a.run == kept), counting[-1])


def _place(attempt: Attempt | None, remote: RemoteIdentity) -> Place:
    if attempt is None:
        return Place.HERE
    if not attempt.remote.same_remote(remote):
        return Place.OTHER_REMOTE
    if None not in {attempt.remote.instance, remote.instance} and attempt.remote.instance != remote.instance:
        return Place.OTHER_INSTANCE
    return Place.HERE


def _unsettled(record: Record, attempt: Attempt, place: Place, observed: Observed) -> Situation:
    if place is not Place.HERE:
        return Situation(standing=Standing.UNREADABLE, record=record, attempt=attempt, place=place)
    found = observed.marked.get(attempt.nonce, ())
    return Situation(
        standing=Standing.UNSETTLED,
        record=record,
        attempt=attempt,
        seen=found[0] if len(found) == 1 else None,
        duplicates=found if len(found) > 1 else (),
    )


def _bound(attempt: Attempt, place: Place, observation: Observation | None) -> Standing:
    recorded = _by_status(attempt.status, attempt)
    match observation:
        case Present(record=seen):
            return _by_status(seen.status, attempt)
        case Unreadable():
            return Standing.UNREADABLE
        case Absent():
            return Standing.MISSING_ACTIVE if recorded in _TO_BE_READ else Standing.MISSING_ENDED
        case None if attempt.verdict is Verdict.LOST:
            return Standing.MISSING_ACTIVE
        case None if place is not Place.HERE and recorded in _TO_BE_READ:
            return Standing.UNREADABLE
        case None:
            return recorded
        case _:
            assert_never(observation)


def _by_status(status: str | None, attempt: Attempt) -> Standing:
    match status:
        case None | Status.Pending:
            return Standing.PENDING
        case Status.Executing:
            return Standing.EXECUTING
        case Status.Paused:
            return Standing.PAUSED
        case Status.Completed:
            return _completed(attempt)
        case Status.Failed:
            return Standing.FAILED
        case Status.Error:
            return Standing.ERROR
        case Status.Stopped:
            return Standing.STOPPED_BY_OTHER if attempt.stop is None else Standing.STOPPED_BY_US
        case _:
            return Standing.UNKNOWN_STATUS


def _completed(attempt: Attempt) -> Standing:
    """Return how a completed run stands: by its verdict, if that was given on its completion."""
    if attempt.status == Status.Completed and attempt.verdict is Verdict.REJECTED:
        return Standing.REJECTED
    if attempt.status == Status.Completed and attempt.verdict is Verdict.FAILED:
        return Standing.FAILED
    return Standing.UNJUDGED


def _seen(observation: Observation | None) -> TaskRecord | None:
    return observation.record if isinstance(observation, Present) else None


def _trouble(observation: Observation | None) -> str:
    match observation:
        case Unreadable(reason=reason):
            return reason
        case Absent():
            return "the remote does not know it any more"
        case Present() | None:
            return ""
        case _:
            assert_never(observation)
