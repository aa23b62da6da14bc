"""The prospect of an upstream task: whether it is accepted, may become so, or will not. Decides nothing.

DONE   what it declares now has its accepted result, and nothing is to be done about a run of it; or its kept result is
       accepted by the assertions that are declared now, or is accepted again as its text is that of before: an apply
       records that before anything else
OPEN   it may have it at the end of this apply: it runs, is waited for, settled or judged, or is conditional itself
       (also where it would be held: it is not if its own upstream answers as before)
SHUT   it will not have it: it is unhealthy and left so, held, blocked or stopped, or the command did not select it:
       so it is too with one that has its result under a former name, where nobody can find it before it is moved
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, assert_never

from taskspec.health import Health
from taskspec.plan.model import Action, Change

GRAVITY: Final = (Health.HEALTHY, Health.NEEDS_INPUT, Health.UNHEALTHY, Health.UNKNOWN)
"""Which health stands for several: the last that holds, as with exit codes."""


class Prospect(Enum):
    """Whether an upstream task is accepted, may become so in this apply, or will not."""

    DONE = auto()
    OPEN = auto()
    SHUT = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Upstream:
    """An upstream task: the change that is planned for it, and whether the command selected it."""

    change: Change
    selected: bool = True

    @property
    def prospect(self) -> Prospect:
        """Return what is to be expected of it."""
        if _is_done(self.change) and (self.selected or self.change.moved_from is None):
            return Prospect.DONE
        if self.selected and self.change.will_accept is not None:
            return Prospect.DONE
        return Prospect.OPEN if self.selected and _is_open(self.change) else Prospect.SHUT

    @property
    def health(self) -> Health:
        """Return the health that it gives to what it blocks: never healthy."""
        return self.change.health if self.change.health is not Health.HEALTHY else Health.UNHEALTHY


def gravest(healths: Iterable[Health]) -> Health:
    """Return the health that stands for several."""
    return max(healths, key=GRAVITY.index, default=Health.HEALTHY)


def _is_done(change: Change) -> bool:
    kept = change.record.accepted if change.record else None
    if change.health is not Health.HEALTHY or kept is None or not change.declares(kept.fingerprint):
        return False
    return change.action in {Action.NONE, Action.UPDATE, Action.MOVE}


def _is_open(change: Change) -> bool:
    match change.action:
        case Action.CREATE | Action.REPLACE | Action.SETTLE | Action.ADOPT:
            return True
        case Action.WAIT:
            # paid: what is declared runs when this run has ended; kept: its result of before is accepted then
            comes = change.paid or change.kept is not None or _is_of_declared(change)
            return comes and change.health in {Health.HEALTHY, Health.NEEDS_INPUT}
        case Action.REJUDGE | Action.STOP:
            return _is_of_declared(change) and change.health is Health.HEALTHY
        case Action.HOLD:
            return change.conditional  # only its upstream tells whether there is anything to hold
        case Action.NONE | Action.UPDATE | Action.MOVE | Action.FORGET | Action.BLOCKED:
            return False
        case _:
            assert_never(change.action)


def _is_of_declared(change: Change) -> bool:
    """Tell whether what is declared was asked for: not so for a run that is only waited for as it is paid for."""
    record = change.record
    if record is None:
        return False
    return change.declares(record.generation.fingerprint) or (
        record.accepted is not None and change.declares(record.accepted.fingerprint)
    )
