"""The rounds of a watch in words: a line for each, and before it what is not healthy and was not told yet."""

import signal
from collections.abc import Callable, Iterator
from typing import Final

from taskspec.events import (
    ApplyFinished,
    ChangeFinished,
    DuplicatesFound,
    Effect,
    Event,
    FilesChanged,
    Interrupted,
    OutcomeUnknown,
    ResultNotWritten,
    ResultUnreadable,
    RoundFinished,
    RoundOutcome,
    RunEnded,
    SweepFailed,
)
from taskspec.health import Health
from taskspec.report.counting import Tally
from taskspec.report.narrating import Narrator
from taskspec.report.summing import standings
from taskspec.report.text import Paint, duration, one_line, plural

FILES: Final = 3
"""So many changed files are named."""
_TROUBLE: Final = (OutcomeUnknown, ResultNotWritten, ResultUnreadable)


class RoundNarrator(Narrator):
    """A view that writes plain lines; `now` gives the time of day, `whole` has every effect told as `apply` does."""

    def __init__(self, write: Callable[[str], None], paint: Paint, now: Callable[[], str], *, whole: bool) -> None:
        super().__init__(write, paint, Tally())
        self._now = now
        self._whole = whole
        self._told: dict[str, list[str]] = {}

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case RoundFinished():
                yield f"{self._now()} {self._paint(f'round {event.round}', 'strong')}: {self._round(event)}"
            case FilesChanged(files=files):
                more = f" and {len(files) - FILES} more" if len(files) > FILES else ""
                yield f"{self._now()} changed: {', '.join(map(one_line, files[:FILES]))}{more}"
            case Interrupted(signum=signum):
                said = f"stopping ({signal.Signals(signum).name}): recording what runs. Once more ends at once."
                yield f"{self._now()} {self._paint(said, 'warning')}"
            case ApplyFinished():
                return
            case ChangeFinished(health=Health.HEALTHY, address=address) if event.effect is not Effect.REFUSED:
                self._told.pop(address, None)
                yield from super()._lines(event) if self._whole else ()
            case ChangeFinished(address=address):
                yield from self._news(address, super()._lines(event))
            case DuplicatesFound(kept=kept):
                yield from self._news(f"duplicates of {kept}", super()._lines(event))
            case SweepFailed(agent=agent):
                yield from self._news(f"sweep of {agent}", super()._lines(event))
            case RunEnded(verdict=verdict) if verdict != "accepted":
                yield from super()._lines(event)
            case _ if self._whole or isinstance(event, _TROUBLE):
                yield from super()._lines(event)
            case _:
                return

    def _news(self, about: str, lines: Iterator[str]) -> Iterator[str]:
        """Yield what there is to say about something, where it was not what was said last."""
        found = list(lines)
        if found and self._told.get(about) != found:
            self._told[about] = found
            yield from found

    def _round(self, event: RoundFinished) -> str:
        parts = [plural(event.started, "run") + " started"] if event.started else []
        parts += standings(event.accepted, event.unhealthy, event.needing, event.unknown, self._paint)
        if event.unchanged:
            parts.append(f"{event.unchanged} unchanged")
        done = f" ({', '.join(parts)})" if parts else ""
        match event.outcome:
            case RoundOutcome.SETTLED | RoundOutcome.FALTERED:
                said = ", ".join(parts) or "nothing to do"
            case RoundOutcome.CUT:
                said = f"left for the changed files{done}"
            case RoundOutcome.STOPPED:
                return f"stopped{done} after {duration(event.seconds)}"
            case _:
                said = self._paint(f"{event.outcome}: {one_line(event.detail)}", "error")
        return f"{said} ({duration(event.seconds)}); next {f'in {duration(event.pause)}' if event.pause else 'now'}"
