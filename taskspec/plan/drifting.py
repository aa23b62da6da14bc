"""Drifting: what the remote shows now against what is recorded. Plans nothing, and knows nothing of declarations."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from taskspec.address import Address
from taskspec.health import Health
from taskspec.observed.model import Absent, Observed, Present, Unreadable
from taskspec.plan import reasons
from taskspec.plan.causes import Reason
from taskspec.plan.standing import Place, Situation, Standing, stand
from taskspec.state.model import GONE, Record, Verdict
from taskspec.taskapi.records import ACTIVE, ENDED
from taskspec.taskapi.remotes import RemoteIdentity


class Difference(StrEnum):
    """What differs between a record and the remote. Titles are not compared."""

    NONE = "none"
    STATUS = "status"  # the run shows another status than the one that was seen last
    GONE = "gone"  # the remote does not know the run any more
    BACK = "back"  # a run that was recorded as lost is there
    FOUND = "found"  # a run bears the marker of an intent of unknown outcome
    UNSETTLED = "unsettled"  # a run was asked for, and whether it is there is still unknown
    UNREADABLE = "unreadable"  # nobody can tell


_DRIFTED: Final = frozenset({Difference.STATUS, Difference.GONE, Difference.BACK, Difference.FOUND})


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """One recorded address: the status that is recorded, the one that the remote shows, and what that means."""

    address: Address
    agent: str
    difference: Difference
    health: Health
    run: str | None = None
    recorded: str | None = None
    observed: str | None = None
    """None where it was not looked at, or is not there."""
    is_accepted: bool = False
    """The run is that of the accepted result: no plan acts on what it shows later."""
    detail: str = ""
    in_error: bool = False
    """It could not be read or understood."""

    @property
    def drifted(self) -> bool:
        """Tell whether the remote shows anything else than what is recorded."""
        return self.difference in _DRIFTED

    @property
    def noteworthy(self) -> bool:
        """Tell whether there is anything to say about it."""
        return self.difference is not Difference.NONE or self.health is not Health.HEALTHY

    @property
    def acknowledgeable(self) -> bool:
        """Tell whether it is for a person to take notice of: no plan acts on it, and what the run shows is known."""
        is_known = self.difference is Difference.STATUS and self.observed in ACTIVE | ENDED
        return self.is_accepted and (is_known or self.difference is Difference.GONE)

    @property
    def shown(self) -> str:
        """Return what the remote shows of its run, as it is acknowledged."""
        return GONE if self.observed is None else self.observed


def drift(record: Record, observed: Observed, remote: RemoteIdentity) -> Drift:
    """Return how a record stands against what was observed of its run on `remote`."""
    situation = stand(record, observed, remote)
    attempt, recorded = situation.attempt, _recorded(situation)
    difference = _difference(situation, observed, recorded)
    shown = situation.seen.status if situation.seen else None
    return Drift(
        address=record.address,
        agent=record.agent,
        difference=difference,
        health=_health(situation.standing),
        run=(attempt.run if attempt else None) or (situation.seen.id if situation.seen else None),
        recorded=recorded,
        observed=shown,
        is_accepted=situation.standing is Standing.ACCEPTED,
        detail=_detail(situation),
        in_error=difference is Difference.UNREADABLE or situation.standing is Standing.UNKNOWN_STATUS,
    )


def _recorded(situation: Situation) -> str | None:
    """Return the status that is recorded of a run: of an accepted one that which somebody has taken notice of last."""
    attempt, record = situation.attempt, situation.record
    if attempt is None:
        return None
    accepted = record.accepted if record is not None and situation.standing is Standing.ACCEPTED else None
    noted = accepted.acknowledged if accepted is not None and accepted.run == attempt.run else None
    return noted or attempt.status


def _difference(situation: Situation, observed: Observed, recorded: str | None) -> Difference:
    attempt = situation.attempt
    if situation.standing is Standing.UNSETTLED:
        found = situation.seen is not None or situation.duplicates
        return Difference.FOUND if found else Difference.UNSETTLED
    if situation.standing is Standing.UNREADABLE:
        return Difference.UNREADABLE
    if attempt is None or attempt.run is None:
        return Difference.NONE
    is_lost = attempt.verdict is Verdict.LOST
    match observed.runs.get(attempt.run) if situation.place is Place.HERE else None:
        case Present() if is_lost:
            return Difference.BACK
        case Present(record=seen):
            return Difference.NONE if seen.status == (recorded or "pending") else Difference.STATUS
        case Absent():
            return Difference.NONE if is_lost or recorded == GONE else Difference.GONE
        case Unreadable():
            return Difference.UNREADABLE
        case None:
            return Difference.NONE
        case _ as never:
            assert_never(never)


def _health(standing: Standing) -> Health:
    match standing:
        case Standing.ACCEPTED | Standing.PENDING | Standing.EXECUTING | Standing.UNJUDGED:
            return Health.HEALTHY
        case Standing.PAUSED:
            return Health.NEEDS_INPUT
        case Standing.UNSETTLED | Standing.MISSING_ACTIVE | Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return Health.UNKNOWN
        case (
            Standing.NOTHING
            | Standing.REJECTED
            | Standing.FAILED
            | Standing.ERROR
            | Standing.STOPPED_BY_US
            | Standing.STOPPED_BY_OTHER
            | Standing.MISSING_ENDED
        ):
            return Health.UNHEALTHY
        case _:
            assert_never(standing)


def _detail(situation: Situation) -> str:
    """Return what a person has to know beyond the two statuses, in the words of a plan."""
    why = _open(situation) or _settled(situation)
    return why.text if why else ""


def _open(situation: Situation) -> Reason | None:
    """Say of what is not over, or not known, how it is."""
    match situation.standing:
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED:
            return reasons.run_active(situation)
        case Standing.UNJUDGED:
            return reasons.result_not_judged(situation)
        case Standing.MISSING_ACTIVE:
            return reasons.run_lost(situation)
        case Standing.UNREADABLE:
            return reasons.run_unreadable(situation)
        case Standing.UNKNOWN_STATUS:
            return reasons.status_unknown(situation)
        case Standing.UNSETTLED:
            return _unsettled(situation)
        case _:
            return None


def _unsettled(situation: Situation) -> Reason | None:
    record, attempt = situation.record, situation.attempt
    if record is None or attempt is None:
        return None
    if situation.duplicates:
        return reasons.duplicate_runs(record.address, (run.id for run in situation.duplicates))
    if situation.seen is not None:
        return reasons.run_found(situation.seen.id)
    return reasons.outcome_unknown(record, attempt)


def _settled(situation: Situation) -> Reason | None:
    """Say of what is over how it ended."""
    record = situation.record
    match situation.standing:
        case Standing.ACCEPTED if record is not None and record.accepted is not None:
            return reasons.accepted(record.accepted)
        case Standing.NOTHING if record is not None and record.generation.last is not None:
            return reasons.attempt_not_counted(record.generation.last)
        case Standing.MISSING_ENDED:
            return reasons.run_gone(situation)
        case Standing.REJECTED | Standing.FAILED | Standing.ERROR | Standing.STOPPED_BY_US | Standing.STOPPED_BY_OTHER:
            return reasons.run_ended(situation, situation.standing)
        case _:
            return None
