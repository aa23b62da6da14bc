"""Removing: what becomes of an address that nothing declares, and of one that nobody can account for. Stops nothing."""

from dataclasses import replace
from typing import assert_never

from taskspec.documents.model import OnRemove
from taskspec.health import Health
from taskspec.plan import reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case, about, settle
from taskspec.plan.model import Action, Change
from taskspec.plan.standing import Place, Standing


def undeclared(case: Case) -> Change:
    """Decide for an address that nothing declares any more; a run that ended elsewhere is nobody's to stop."""
    situation, why = case.situation, reasons.no_longer_declared()
    if situation.standing is Standing.ERROR and situation.place is not Place.HERE:
        return about(case, Action.FORGET, Health.HEALTHY, why)
    match situation.standing:
        case Standing.UNSETTLED:
            return settle(case, why)
        case Standing.PENDING | Standing.EXECUTING | Standing.PAUSED | Standing.ERROR:
            return _removed(case, why)
        case Standing.MISSING_ACTIVE:
            return about(case, Action.FORGET, Health.HEALTHY, why, reasons.run_gone(situation))
        case Standing.UNREADABLE | Standing.UNKNOWN_STATUS:
            return held(case, why)
        case (
            Standing.NOTHING
            | Standing.ACCEPTED
            | Standing.UNJUDGED
            | Standing.REJECTED
            | Standing.FAILED
            | Standing.STOPPED_BY_US
            | Standing.STOPPED_BY_OTHER
            | Standing.MISSING_ENDED
        ):
            return about(case, Action.FORGET, Health.HEALTHY, why)
        case _:
            assert_never(situation.standing)


def held(case: Case, *why: Reason) -> Change:
    """Hold what nobody can account for; what could not be read or understood ends the command in error."""
    situation = case.situation
    match situation.standing:
        case Standing.MISSING_ACTIVE:
            return about(case, Action.HOLD, Health.UNKNOWN, reasons.run_lost(situation), *why)
        case Standing.UNKNOWN_STATUS:
            change = about(case, Action.HOLD, Health.UNKNOWN, reasons.status_unknown(situation), *why)
        case _:
            change = about(case, Action.HOLD, Health.UNKNOWN, reasons.run_unreadable(situation), *why)
    return replace(change, in_error=True)


def _removed(case: Case, why: Reason) -> Change:
    """Do with the run of a task that is no longer declared what its recorded policy says."""
    policy = case.record.on_remove if case.record else OnRemove.STOP
    text = reasons.removal(policy, case.situation)
    match policy:
        case OnRemove.STOP:
            return about(case, Action.STOP, Health.HEALTHY, why, text)
        case OnRemove.FORGET:
            return about(case, Action.FORGET, Health.HEALTHY, why, text)
        case OnRemove.HOLD:
            return about(case, Action.HOLD, Health.HEALTHY, why, text)
        case _:
            assert_never(policy)
