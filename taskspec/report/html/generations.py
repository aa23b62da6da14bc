"""What was asked for before, newest first: verdict, agent, cost, text and answer, each against the one before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from taskspec.moments import utc
from taskspec.plan.diffing import diff
from taskspec.plan.spending import total
from taskspec.report.account import GenerationTold
from taskspec.report.html.answering import about, answer, compared
from taskspec.report.html.asking import spec_fields
from taskspec.report.html.attempts import attempts_table
from taskspec.report.html.differing import field_differences
from taskspec.report.html.facts import fact_list
from taskspec.report.html.icons import of_verdict, state
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.revisions import revision_line
from taskspec.report.html.showing import Purse, inline
from taskspec.report.text import duration
from taskspec.state.model import Attempt

MOST: Final = 20
"""How many generations of one task are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What the page shows of a task already, so that its history need not show it once more."""

    spec: Mapping[str, Any] | None = None
    answers: frozenset[str] = frozenset()
    """The digests of their contents."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """The commands that show what the page leaves out of a task's history."""

    history: str
    results: str

    def answer_of(self, number: int) -> str:
        """Return the command that prints the answer of a generation."""
        return f"{self.results} --generation g{number}"


def history(told: Sequence[GenerationTold], shown: Shown, purse: Purse, ways: Ways) -> Iterator[Node]:
    """Yield the generations of a task."""
    for number, one in enumerate(told[:MOST]):
        if purse.is_empty:
            yield _left_out("Older generations are left out here. ", ways.history)
            return
        before = told[number + 1] if number + 1 < len(told) else None
        inside = el("div", None, _inside(one, before, shown, purse, ways))
        yield el("details", {"class": "inner generation"}, _summary(one), inside)
    if len(told) > MOST:
        yield _left_out(f"{len(told) - MOST} older generations are left out here. ", ways.history)


def _left_out(said: str, command: str) -> Element:
    return el("p", {"class": "left-out"}, said, el("code", None, inline(command, 700)), " lists all.")


def _summary(one: GenerationTold) -> Element:
    attempts, tokens = list(one.attempts), _tokens(one.attempts)
    seconds = [attempt.seconds for attempt in attempts if attempt.seconds is not None]
    parts = [utc(one.asked_at) if one.asked_at is not None else ""]
    parts += [duration(sum(seconds))] if seconds else []
    parts += [f"{tokens:,} tokens"] if tokens else []
    parts += [f"{len(attempts)} attempts"] if len(attempts) > 1 else []
    accepted = " · accepted" if one.answer is not None and one.verdict != "accepted" else ""
    return el(
        "summary",
        None,
        el("span", {"class": "number"}, f"g{one.number}"),
        " ",
        state(of_verdict(one.verdict), (one.verdict or "not settled") + accepted),
        " ",
        el("span", {"class": "quiet"}, " · ".join(filter(None, parts))),
    )


def _inside(
    one: GenerationTold, before: GenerationTold | None, shown: Shown, purse: Purse, ways: Ways
) -> Iterator[Node]:
    yield fact_list(_facts(one))
    yield attempts_table(one.attempts, purse)
    if before is not None and one.spec is not None and before.spec is not None:
        yield el("h5", None, f"What changed since g{before.number}")
        found = diff(before.spec, one.spec)
        yield (
            [*field_differences(found, purse)] if found else el("p", {"class": "quiet"}, "Nothing that was asked for.")
        )
    yield from _answer(one, before, shown, purse, ways)
    if one.spec is not None and one.spec == shown.spec:
        yield el("p", {"class": "quiet"}, "It asked for what stands above.")
    elif one.spec is not None:
        yield el(
            "details",
            {"class": "inner"},
            el("summary", None, f"What was asked for in g{one.number}"),
            spec_fields(one.spec, purse, ways.history),
        )


def _answer(
    one: GenerationTold, before: GenerationTold | None, shown: Shown, purse: Purse, ways: Ways
) -> Iterator[Node]:
    given, former = one.answer or one.unaccepted, (before.answer or before.unaccepted) if before is not None else None
    if given is None:
        return
    if before is not None and former is not None and former.digest != given.digest:
        yield el("h5", None, f"The answer{_doubt(one)} against that of g{before.number}{_doubt(before)}")
        yield from compared(former, given, purse)
    if one.answer is not None and given.digest in shown.answers:
        yield el("p", {"class": "quiet"}, "Its answer stands above: ", about(given), ".")
        return
    name = f"Answer of g{one.number}{_doubt(one)}"
    yield el(
        "details",
        {"class": "inner"},
        el("summary", None, f"{name} ", about(given)),
        answer(given, purse, ways.answer_of(one.number), name=name),
    )


def _doubt(one: GenerationTold) -> str:
    """Return what is said of an answer that is no result."""
    return " (not accepted)" if one.answer is None else ""


def _facts(one: GenerationTold) -> Iterator[tuple[str, Node]]:
    yield "Agent", inline(one.agent)
    if one.plan:
        yield "Plan", el("code", None, inline(one.plan))
    if one.fingerprint:
        yield "Fingerprint", el("code", {"title": one.fingerprint}, one.fingerprint[:16])
    if (line := revision_line(one.revision)) is not None:
        yield "Asked by", line


def _tokens(attempts: Sequence[Attempt]) -> int:
    return sum(total(attempt.tokens) or 0 for attempt in attempts)
