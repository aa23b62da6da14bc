"""Spending: what runs have used by the history, and whether a plan stays within the budget. Reads no store.

A run counts when the remote has accepted it (`bound`, or `adopted` by hand), whatever became of it. An intent whose
outcome is unknown counts too: it may have become one. Tokens are those that the end of a run tells; none are unknown,
never 0.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from taskspec.address import Address
from taskspec.documents.model import Budget, Source
from taskspec.plan.model import Action, Change
from taskspec.plan.refusals import Refusal, RefusalKind, Spending
from taskspec.state.model import Attempt, Note, Record, Sending
from taskspec.taskapi.records import Tokens

MAX_RUNS: Final = "maxRuns"
MAX_TOKENS: Final = "maxTokens"
BUDGET: Final = (MAX_RUNS, MAX_TOKENS)
"""What a person can go beyond."""
NO_ESTIMATES: Final[Mapping[Address, int | None]] = {}
_ENDS: Final = frozenset({"ended", "stopped"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How many runs were started, what they used, and of how many of them that is not known."""

    runs: int = 0
    tokens: int = 0
    unknown: int = 0


NOTHING_USED: Final = Usage()


def total(tokens: Tokens | None) -> int | None:
    """Return how many tokens a run used; None where nobody tells: a run that worked has not used 0."""
    return (tokens.prompt + tokens.completion or None) if tokens is not None else None


def usage(notes: Iterable[Note], records: Mapping[Address, Record], since: float | None = None) -> Usage:
    """Count what the history tells, newest first, of the time since a moment, and what records tell beside it.

    At one time no more is remembered than runs that have ended and whose beginning is still to come.
    """
    ledger = _Ledger(records, since)
    for note in notes:
        ledger.take(note)
    return ledger.usage


def spending(
    budget: Budget,
    used: Usage,
    changes: Iterable[Change],
    estimates: Mapping[Address, int | None] = NO_ESTIMATES,
) -> Spending:
    """Return how a budget stands, given what a run of each address is taken to use (None, or nothing: unknown)."""
    paid = [change for change in changes if change.paid]
    known = [estimates.get(change.address) for change in paid]
    return Spending(
        max_runs=budget.max_runs,
        max_tokens=budget.max_tokens,
        per=budget.per,
        runs=used.runs,
        tokens=used.tokens,
        unknown=used.unknown,
        planned=sum(not is_counted(change) for change in paid),
        estimated=sum(one or 0 for one in known),
        not_estimated=sum(one is None for one in known),
    )


def overspent(
    stands: Spending, changes: Iterable[Change], source: Source | None, overridden: Collection[str]
) -> tuple[Refusal, ...]:
    """Return in what a plan goes beyond the budget; one that starts no run never does."""
    paid = tuple(change.address for change in changes if change.paid)
    runs, tokens = stands.runs + stands.planned, stands.tokens + stands.estimated
    checked = (
        (MAX_RUNS, stands.max_runs, runs, stands.planned > 0, _runs_said(stands)),
        (MAX_TOKENS, stands.max_tokens, tokens, bool(paid), _tokens_said(stands)),
    )
    return tuple(
        Refusal(
            kind=RefusalKind.BUDGET,
            limit=name,
            allowed=allowed,
            found=found,
            addresses=paid,
            position=source.position(("budget", name), key=True) if source is not None else None,
            message=said,
        )
        for name, allowed, found, starts, said in checked
        if allowed is not None and starts and name not in overridden and _is_beyond(name, allowed, found, stands)
    )


def without(stands: Spending, overridden: Collection[str]) -> Spending:
    """Return how a budget stands where a person goes beyond a part of it: that part allows any number."""
    return replace(
        stands,
        max_runs=None if MAX_RUNS in overridden else stands.max_runs,
        max_tokens=None if MAX_TOKENS in overridden else stands.max_tokens,
    )


def _is_beyond(name: str, allowed: int, found: int, stands: Spending) -> bool:
    """Tell whether more is needed than allowed; of tokens, also whether all are used: the next run uses some."""
    return found > allowed or (name == MAX_TOKENS and stands.tokens >= allowed)


def is_counted(change: Change) -> bool:
    """Tell whether a paid change settles the very intent that counts as used: it is one run, found or made."""
    last = change.record.generation.last if change.record else None
    if change.action is not Action.SETTLE or last is None or change.record is None:
        return False
    return (change.generation, change.attempt) == (change.record.generation.number, last.number)


def _runs_said(stands: Spending) -> str:
    return f"{stands.runs} used, {stands.planned} planned"


def _tokens_said(stands: Spending) -> str:
    said = f"{stands.tokens} used"
    if stands.unknown:
        said += f" and those of {_runs(stands.unknown)} unknown"
    if stands.estimated:
        said += f", {stands.estimated} expected"
    if stands.not_estimated:
        said += f", and nothing is known of {_runs(stands.not_estimated)} to come"
    return said


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


class _Ledger:
    """What was counted so far, and what was heard of runs whose beginning is still to come."""

    def __init__(self, records: Mapping[Address, Record], since: float | None) -> None:
        self._since = since if since is not None else float("-inf")
        self._recorded = {run: total(attempt.tokens) for run, attempt in _bound(records)}
        self._ended: dict[object, int | None] = {}
        self._adopted: dict[str, float] = {}
        open_intents = sum(1 for at in _open(records) if at >= self._since)
        self._usage = Usage(runs=open_intents, unknown=open_intents)

    def take(self, note: Note) -> None:
        """Hear one note."""
        data = note.data
        if note.what in _ENDS:
            key = data.get("run") or _attempt_of(note)
            tokens = _count(data.get("tokens"))
            if note.at >= self._since and self._ended.get(key) is None:
                self._ended[key] = tokens
        elif note.what == "adopted":
            self._adopted.setdefault(str(data.get("run")), note.at)
        elif note.what == "bound":
            run = str(data.get("run"))
            at = self._adopted.pop(run, note.at)
            heard = [self._ended.pop(key, None) for key in (run, _attempt_of(note))]
            self._count(run, max(at, note.at), next((one for one in heard if one is not None), None))

    @property
    def usage(self) -> Usage:
        """Return what was counted, with the runs of which only their adoption is known."""
        for run, at in self._adopted.items():
            self._count(run, at, self._ended.pop(run, None))
        self._adopted = {}
        return self._usage

    def _count(self, run: str, at: float, tokens: int | None) -> None:
        used, is_new = self._usage, at >= self._since
        if tokens is None and is_new:
            tokens = self._recorded.get(run)
        self._usage = Usage(
            runs=used.runs + is_new,
            tokens=used.tokens + (tokens or 0),
            unknown=used.unknown + (is_new and tokens is None),
        )


def _bound(records: Mapping[Address, Record]) -> Iterable[tuple[str, Attempt]]:
    for record in records.values():
        for attempt in (*record.generation.attempts, *([record.accepted.attempt] if record.accepted else [])):
            if attempt.run is not None:
                yield attempt.run, attempt


def _open(records: Mapping[Address, Record]) -> Iterable[float]:
    """Yield when each intent was written whose outcome is unknown."""
    for record in records.values():
        last = record.generation.last
        if last is not None and last.sending is Sending.INTENDED:
            yield last.intended_at


def _attempt_of(note: Note) -> Sequence[object]:
    return (note.address, note.data.get("generation"), note.data.get("attempt"))


def _count(tokens: Any) -> int | None:
    """Return how many tokens a note tells of; None where it tells of none."""
    if isinstance(tokens, Mapping):
        tokens = sum(part for part in tokens.values() if isinstance(part, int))
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else None
