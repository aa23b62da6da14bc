"""Running: what is to be done about a recorded run that is still active. Starts none and replaces none."""

from taskspec.health import Health
from taskspec.plan import reasons
from taskspec.plan.drafting import Case, about
from taskspec.plan.model import Action, Change
from taskspec.plan.standing import Standing
from taskspec.state.model import StopCause


def active(case: Case) -> Change:
    """Wait for a run; finish the stop of one that a person ended, and that was cut off on its way."""
    situation, why = case.situation, reasons.run_active(case.situation)
    if situation.attempt is not None and situation.attempt.stop is StopCause.USER:
        return about(case, Action.STOP, Health.UNHEALTHY, reasons.stop_unfinished(), why)
    paused = situation.standing is Standing.PAUSED
    return about(case, Action.WAIT, Health.NEEDS_INPUT if paused else Health.HEALTHY, why)
