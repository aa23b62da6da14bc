"""An apply for who wants to hear of trouble alone: what is wrong, and the last line. Draws no live region."""

from collections.abc import Iterator

from taskspec.events import (
    ApplyFinished,
    ChangeFinished,
    DuplicatesFound,
    Effect,
    Event,
    Interrupted,
    ListeningEnded,
    OutcomeUnknown,
    ResultNotWritten,
    ResultUnreadable,
    RunEnded,
    RunSaid,
    SweepFailed,
    WaitedTooLong,
)
from taskspec.health import Health
from taskspec.report.narrating import Narrator

_TROUBLE = (
    DuplicatesFound,
    Interrupted,
    OutcomeUnknown,
    ResultNotWritten,
    ResultUnreadable,
    SweepFailed,
    WaitedTooLong,
)
_ASKED_FOR = (ListeningEnded, RunSaid)


class QuietNarrator(Narrator):
    """A view that writes the narrator's lines of what is wrong, what somebody asked to hear, and the summary."""

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case ApplyFinished():
                yield from (line for line in super()._lines(event) if line.startswith("Apply finished"))
            case ChangeFinished(health=Health.HEALTHY, effect=Effect.DONE | Effect.LEFT):
                return
            case RunEnded(verdict="accepted"):
                return
            case ChangeFinished() | RunEnded():
                yield from super()._lines(event)
            case _ if isinstance(event, (*_TROUBLE, *_ASKED_FOR)):
                yield from super()._lines(event)
            case _:
                return
