"""Repeating: an accepted result is made anew because a person asks for that. Plans nothing itself."""

from dataclasses import replace

from taskspec.desired.model import DesiredTask
from taskspec.plan import rerun_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case
from taskspec.plan.model import Change
from taskspec.plan.standing import Standing
from taskspec.state.model import Accepted

_ACTIVE = frozenset({Standing.PENDING, Standing.EXECUTING, Standing.PAUSED})
_UNACCOUNTED = _ACTIVE | {
    Standing.UNSETTLED,
    Standing.UNJUDGED,
    Standing.MISSING_ACTIVE,
    Standing.UNREADABLE,
    Standing.UNKNOWN_STATUS,
}


def repeated(case: Case, result: Accepted | None) -> Reason | None:
    """Return that a result is to be made anew; None where nobody asks for that, this very plan has, or a run is lost.

    The result stays accepted until the new one is.
    """
    if not case.rerun or result is None or result.plan == case.plan:
        return None
    return None if case.situation.standing is Standing.MISSING_ACTIVE else rerun_reasons.requested_anew()


def repeated_after_end(case: Case, task: DesiredTask) -> Reason | None:
    """Return that a result is to be made anew, where the last try to do so has ended without one."""
    record = case.record
    if not case.rerun or record is None or record.accepted is None or record.generation.plan == case.plan:
        return None
    return rerun_reasons.requested_anew() if task.asks_for(record.accepted.fingerprint) else None


def told_why_not(case: Case, change: Change) -> Change:
    """Add to a change that starts no run why what was asked for by hand is not done."""
    if not case.rerun or change.paid or change.refused or change.in_error or _is_done(case):
        return change
    if case.task is None:
        why = rerun_reasons.anew_undeclared()
    elif case.situation.standing in _UNACCOUNTED:
        why = rerun_reasons.anew_put_off(case.situation)
    else:
        why = rerun_reasons.anew_without_result(case.address)
    return replace(change, reasons=(*change.reasons, why))


def _is_done(case: Case) -> bool:
    """Tell whether the plan itself has made the new generation already."""
    return case.record is not None and bool(case.plan) and case.record.generation.plan == case.plan
