"""The steps of an apply as values, and what an apply works with. Carries nothing out."""

from collections.abc import Callable
from dataclasses import dataclass

from taskspec.events import Effect, Event
from taskspec.health import Health
from taskspec.state.model import StopCause, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """End the run of the current attempt, and record why before it is asked for."""

    cause: StopCause


@dataclass(frozen=True, kw_only=True, slots=True)
class Create:
    """Start a run: intent, request, run id. `fresh` begins a new generation, else the current one gets an attempt."""

    fresh: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Follow:
    """Wait for the run of the current attempt, judge it, record it; retry as far as the policy grants."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retake:
    """Accept the kept result of an older generation again, as that of a new one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retitle:
    """Send the declared title to the run that has ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forget:
    """Take the address out of the state; what was recorded stays in the history."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settle:
    """Find out whether the run of an intent exists, and go on with the steps of what was found."""

    adopted: "tuple[Step, ...]"
    absent: "tuple[Step, ...]"

    @property
    def may_start(self) -> bool:
        """Tell whether a run is started where there proves to be none."""
        return any(isinstance(step, Create) for step in self.absent)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Go no further: a policy of the task leaves the rest to a person; `why` says which."""

    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Start nothing: what it depends on has no accepted result, and will have none in this apply."""


Step = Stop | Create | Follow | Retake | Retitle | Forget | Settle | Hold | Block


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a change."""

    effect: Effect
    health: Health
    verdict: Verdict | None = None
    detail: str = ""
    by_person: bool = False
    """Somebody stopped the run while we followed it: no policy grants another in this apply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How an apply is to be carried out; `wait_timeout` in seconds."""

    parallelism: int = 10
    wait: bool = True
    wait_timeout: float | None = None
    hold_unknown: bool = False
    stop_duplicates: bool = False
    """Stop the runs that are one create once more; else they are told only."""


Emit = Callable[[Event], None]
