"""Running: what is to be done about a recorded run that is still active. Looks at none that has ended."""

from dataclasses import replace
from typing import assert_never

from taskspec.documents.model import OnChangeActive
from taskspec.health import Health
from taskspec.plan import reasons, rerun_reasons
from taskspec.plan.causes import Reason
from taskspec.plan.drafting import Case, about, start
from taskspec.plan.model import Action, Change, Declared
from taskspec.plan.standing import Standing
from taskspec.state.model import StopCause


def active(case: Case) -> Change:
    """Wait for a run; finish the stop of one that a person ended, and that was cut off on its way."""
    situation, why = case.situation, reasons.run_active(case.situation)
    if situation.attempt is not None and situation.attempt.stop is StopCause.USER:
        return about(case, Action.STOP, Health.UNHEALTHY, reasons.stop_unfinished(), why)
    return about(case, Action.WAIT, _health(case), why)


def overtaken(case: Case, task: Declared, *why: Reason) -> Change:
    """Do what the policy says about a run whose text is declared no longer: stop it, let it end first, or hold."""
    situation, seen = case.situation, reasons.run_active(case.situation)
    if situation.attempt is not None and situation.attempt.stop is StopCause.USER:
        return start(case, Action.REPLACE, *why, reasons.stop_unfinished(), seen)  # a person has decided already
    match task.policies.on_change_active:
        case OnChangeActive.REPLACE:
            return start(case, Action.REPLACE, *why, seen)
        case OnChangeActive.QUEUE:
            change = start(case, Action.WAIT, *why, rerun_reasons.queued(task, situation), seen)
            return replace(change, run=_run(case), health=_health(case))
        case OnChangeActive.HOLD:
            held = about(case, Action.HOLD, _health(case), rerun_reasons.change_held(task, situation), *why, seen)
            return replace(held, refused=True)
        case _ as never:
            assert_never(never)


def _health(case: Case) -> Health:
    return Health.NEEDS_INPUT if case.situation.standing is Standing.PAUSED else Health.HEALTHY


def _run(case: Case) -> str | None:
    return case.situation.attempt.run if case.situation.attempt else None
