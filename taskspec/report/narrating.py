"""An apply in words: one line for each effect, and a last line that sums up. Draws no live region."""

from collections.abc import Callable, Iterator
from shlex import quote
from typing import assert_never

from taskspec.events import (
    AddressForgotten,
    AddressMoved,
    ApplyFinished,
    ChangeDecided,
    ChangeFinished,
    DriftAcknowledged,
    DuplicatesFound,
    Effect,
    Event,
    FormerResultRemoved,
    Interrupted,
    ListeningEnded,
    OutcomeUnknown,
    ResultAccepted,
    ResultNotWritten,
    ResultsRemoved,
    ResultUnreadable,
    ResultWithdrawn,
    ResultWritten,
    RetryScheduled,
    RunAbsent,
    RunAdopted,
    RunCreated,
    RunEnded,
    RunSaid,
    RunStopped,
    SweepFailed,
    TitleUpdated,
    WaitedTooLong,
)
from taskspec.health import Health
from taskspec.plan.model import Action
from taskspec.report.counting import Tally
from taskspec.report.estimates import of_those_told
from taskspec.report.summing import ending_word, named, standings
from taskspec.report.text import UNCLAIMED, Paint, duration, in_line, indented, one_line, plural, some, visible, voice

LONGEST = 12
"""How many lines of a failed agent's own words are shown; `taskspec logs ADDRESS` shows all."""


class Narrator:
    """A view that writes plain lines."""

    def __init__(self, write: Callable[[str], None], paint: Paint, tally: Tally) -> None:
        self._write = write
        self._paint = paint
        self._tally = tally

    def on(self, event: Event) -> None:
        """Write what a person wants to know of an event."""
        for line in self._lines(event):
            self._write(line)

    def close(self) -> None:
        """End; every line is written already."""

    def _lines(self, event: Event) -> Iterator[str]:
        match event:
            case RunEnded():
                yield from self._ended(event)
            case ChangeFinished():
                yield from self._finished(event)
            case ApplyFinished():
                yield from self._summary(event)
            case WaitedTooLong():
                yield self._paint(f"Waited too long for {plural(len(event.addresses), 'task')}.", "warning")
            case SweepFailed():
                text = f"Whether the remote has a run of {event.agent} twice was not found out: {event.detail}"
                yield self._paint(one_line(text), "warning")
            case Interrupted():
                yield self._paint("Interrupted: recording what was running. Once more ends at once.", "warning")
            case RunSaid():
                yield self._said(event)
            case ListeningEnded():
                text = f"what it says cannot be heard any more: {event.detail}"
                yield self._paint(f"{event.address} | {one_line(text)}", "dim")
            case _:
                told = self._effect(event)
                if told is not None:
                    yield self._line(*told)

    def _effect(self, event: Event) -> tuple[str, str] | None:
        """Return the address and the words of an effect; None for what needs no line."""
        match event:
            case RunCreated(address=address):
                again = f", attempt {event.attempt}" if event.attempt > 1 else ""
                return address, f"created run {in_line(event.run)} (g{event.generation}{again})"
            case ChangeDecided(address=address, action="none"):
                return address, f"needs no run: {visible(event.detail)}"
            case RunAdopted(address=address):
                return address, f"found run {in_line(event.run)} on the remote and adopted it"
            case RunAbsent(address=address):
                return address, f"its run is {event.detail}"
            case RunStopped(address=address):
                return address, f"stopped run {in_line(event.run)} (cause: {event.cause})"
            case RetryScheduled(address=address):
                return address, f"attempt {event.attempt} in {duration(event.seconds)}"
            case OutcomeUnknown(address=address):
                text = f"outcome unknown: {event.detail}; can be decided in {duration(event.seconds)}"
                return address, self._paint(text, "warning")
            case DuplicatesFound(address=address):
                return address or UNCLAIMED, self._paint(of_duplicates(event), "error")
            case _:
                return self._of_record(event)

    def _of_record(self, event: Event) -> tuple[str, str] | None:
        """Return the address and the words of what became of a record, without a run."""
        match event:
            case TitleUpdated(address=address):
                return address, "title updated" if event.kept else "the remote did not keep the new title"
            case AddressMoved(address=address):
                return address, f"was {event.before}; its record and its results go on under this name"
            case AddressForgotten(address=address):
                return address, "left the state; its results stay in the history"
            case DriftAcknowledged(address=address):
                return address, f"taken notice of: its run shows {one_line(event.status)}; its result stays accepted"
            case _:
                return self._of_file(event)

    def _of_file(self, event: Event) -> tuple[str, str] | None:
        """Return the address and the words of what became of a result, or of its file."""
        match event:
            case ResultAccepted(address=address, by="plan"):
                return (
                    address,
                    f"asked for before: the result of g{event.source} is accepted again (g{event.generation})",
                )
            case ResultAccepted(address=address):
                counts = "" if event.source == event.generation else f", for what is declared now (g{event.generation})"
                return address, f"the result of g{event.source} is accepted by hand{counts}"
            case ResultWritten(address=address):
                return address, f"result in {visible(event.path)}"
            case ResultWithdrawn(address=address):
                return address, f"removed {visible(event.path)}, which is no longer accepted"
            case FormerResultRemoved(address=address):
                return address, f"removed {visible(event.path)}, its file under its former name"
            case ResultsRemoved(address=address):
                which = some([f"g{number}" for number in event.generations])
                return address, f"keeps no longer what {which} answered, as its retention asks"
            case ResultUnreadable(address=address) | ResultNotWritten(address=address):
                return address, self._paint(of_result(event), "error")
            case _:
                return None

    def _line(self, address: str, text: str) -> str:
        return f"  {self._paint(address, 'strong')}: {text}"

    def _said(self, event: RunSaid) -> str:
        text = in_line(event.text)
        said = text if event.kind == "answer" else self._paint(text, "dim")
        return f"{self._paint(f'{event.address} |', voice(event.address))} {said}".rstrip()

    def _ended(self, event: RunEnded) -> Iterator[str]:
        accepted = event.verdict == "accepted"
        took = f" in {duration(event.seconds)}" if event.seconds is not None else ""
        yield self._line(event.address, self._paint(f"{event.verdict}{took}", "good" if accepted else "error"))
        if event.detail and not accepted:
            words = event.detail.splitlines()
            if len(words) > LONGEST:  # the reason comes first, and what matters of the agent's words last
                left_out = f"({len(words) - LONGEST} more lines: taskspec logs {quote(event.address)})"
                words = [words[0], left_out, *words[-LONGEST + 1 :]]
            yield from (self._paint(indented(line, 6), "dim") for line in words)

    def _finished(self, event: ChangeFinished) -> Iterator[str]:
        """Yield the line of an end that no event before has told; what is up to date has none, as in the plan."""
        match event.effect:
            case Effect.FAILED | Effect.UNKNOWN | Effect.REFUSED:
                text = f"{ending_word(event)}: {visible(event.detail)}"
                yield self._line(event.address, self._paint(text, "error"))
            case Effect.CUT:
                yield self._line(
                    event.address, self._paint(_begun_with("not ", "not finished", event.detail), "warning")
                )
            case Effect.LEFT if event.health is not Health.HEALTHY:
                yield self._line(event.address, self._paint(_left(event), "warning"))
            case Effect.LEFT if event.action != Action.NONE:
                yield self._line(event.address, _left(event))
            case Effect.DONE if event.action == Action.REJUDGE and event.detail and event.verdict == "rejected":
                yield self._line(event.address, self._paint(f"rejected: {one_line(event.detail)}", "error"))
            case Effect.LEFT | Effect.DONE:
                return
            case _:
                assert_never(event.effect)

    def _summary(self, event: ApplyFinished) -> Iterator[str]:
        tally = self._tally
        parts = [
            f"{plural(tally.started, 'run')} started",
            *standings(tally.accepted, len(tally.unhealthy), len(tally.needing), len(tally.unknown), self._paint),
        ]
        if held := tally.effects[Effect.REFUSED]:
            parts.append(self._paint(f"{held} refused", "warning"))
        if self._tally.tokens:
            told = len(self._tally.tokens)
            parts.append(f"{sum(self._tally.tokens):,} tokens{of_those_told(told, self._tally.ended)}")
        yield ""
        yield f"Apply finished in {duration(event.seconds)}: {', '.join(parts)}."
        unwell = [*tally.unhealthy, *tally.needing, *tally.unknown]
        if unwell and sum(tally.effects.values()) > 1:
            yield f"  {named(unwell)}: `taskspec status` tells more"
        if event.head:
            yield self._paint(f"Head of the history: {event.head}", "dim")


def of_result(event: ResultUnreadable | ResultNotWritten) -> str:
    """Return why the file of a result is not there."""
    is_missing = isinstance(event, ResultUnreadable)
    return f"its result file is {'missing, and' if is_missing else 'not written:'} {visible(event.detail)}"


def of_duplicates(event: DuplicatesFound) -> str:
    """Return which runs the remote has of one create, and which of them is kept."""
    others = ", ".join(event.others)
    more = f"; {event.detail}" if event.detail else ""
    text = (
        f"the remote has one create of it as {len(event.others) + 1} runs: {event.kept} is kept, beside {others}{more}"
    )
    return in_line(text, 600)


def _left(event: ChangeFinished) -> str:
    """Return the words for what an apply has left as it is, and why."""
    match event.action:
        case Action.HOLD:
            return _begun_with("held", "held", event.detail)
        case Action.BLOCKED:
            return _begun_with("blocked", "blocked", event.detail)
        case _:
            return _begun_with("left as it is", "left as it is", event.detail)


def _begun_with(start: str, word: str, detail: str) -> str:
    """Return a detail behind the word for the effect, unless it says it already."""
    said = one_line(detail)
    if said.startswith(start):
        return said
    return f"{word}: {said}" if said else word
