"""The reasons of a plan in words, each with what is behind it, its line and the commit of that. Decides nothing."""

from collections.abc import Iterator, Sequence
from typing import Final

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.health import Health
from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.tallying import Roots
from taskspec.plan.unsent_reasons import NEEDING_NO_RUN
from taskspec.report.aiming import aimed
from taskspec.report.folding import folded
from taskspec.report.risks import risk_lines
from taskspec.report.text import Paint, in_line, one_line, plural

MOST_UNSENT: Final = 20
"""So many tasks are listed of those that changed without a run."""
_LONGEST_GONE: Final = 40
_STEP: Final = "  "


def reason_lines(
    reasons: Sequence[Reason], plan: Plan, paint: Paint, margin: str = "      ", roots: Roots | None = None
) -> Iterator[str]:
    """Yield reasons, each with what is behind it below.

    With `roots` the plan is shown as a whole: what is behind another task is told there, and here only where it begins.
    """
    for reason in reasons:
        yield f"{margin}{in_line(aimed(reason.text, plan.environment))}{_place(reason, plan, paint)}"
        yield from _behind(reason.because, plan, paint, margin + _STEP, roots)


def _behind(reasons: Sequence[Reason], plan: Plan, paint: Paint, margin: str, roots: Roots | None) -> Iterator[str]:
    for reason, addresses in folded(reasons, alike=roots is None):
        text = in_line(aimed(reason.text, plan.environment))
        if addresses and roots is not None:
            yield f"{margin}{paint('because', 'dim')} {text}: see there{_beginning(addresses, roots, plan, paint)}"
            continue
        yield f"{margin}{paint('because', 'dim')} {text}{_place(reason, plan, paint)}"
        yield from _behind(reason.because, plan, paint, margin + _STEP, roots)


def _beginning(addresses: Sequence[Address], roots: Roots, plan: Plan, paint: Paint) -> str:
    """Return where what is behind some tasks begins: the first place, and how many others there are."""
    found = {root: place for address in addresses for root, place in roots.get(address, {}).items()}
    placed = [(root.line, place) for root, place in found.items() if place is not None]
    if not placed:
        return ""
    more = f" and {plural(len(placed) - 1, 'more place')}" if len(placed) > 1 else ""
    return f"  {paint(one_line(place_words(*placed[0], plan), 400) + more, 'dim')}"


def changed_without_run(plan: Plan) -> tuple[Change, ...]:
    """Return the changes that do nothing, of tasks of which something changed that only taskspec reads."""
    return tuple(
        change
        for change in plan.changes
        if change.action is Action.NONE and change.health is Health.HEALTHY and _unsent(change)
    )


def lets_go(plan: Plan) -> bool:
    """Tell whether a task has a `retention` that it did not have: an apply removes what it keeps no longer."""
    return any(
        change.task is not None and change.task.policies.retention.is_declared
        for change in changed_without_run(plan)
        if any(reason.field == "retention" for reason in _unsent(change))
    )


def unsent_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield what changed without mattering, of tasks of which there is nothing else to say."""
    changed = changed_without_run(plan)
    if not changed:
        return
    yield ""
    for change in changed[:MOST_UNSENT]:
        for reason in _unsent(change):
            text = in_line(reason.text)
            yield f"  {paint('·', 'dim')} {paint(change.address, 'strong')}  {text}{_place(reason, plan, paint)}"
        yield from risk_lines(change, paint)
    if len(changed) > MOST_UNSENT:
        yield f"  {paint('·', 'dim')} and {plural(len(changed) - MOST_UNSENT, 'more task')}"


def commit_words(commit: Commit) -> str:
    """Return a commit as a person looks it up."""
    return one_line(f"{commit.id} {commit.at} {commit.author}", 80) if commit.id else "not committed"


def _unsent(change: Change) -> list[Reason]:
    return [reason for reason in change.reasons if reason.code in NEEDING_NO_RUN]


def place_words(line: CausingLine | None, position: Position, plan: Plan) -> str:
    """Return a place, and the commit to blame for it where that is known."""
    commit = plan.commits.get(line) if line is not None else None
    if line is not None and line.removed and line.line and commit is not None:
        return f"at {position} `{_short(line.removed)}` was taken out ({commit_words(commit)})"
    return f"{position} ({commit_words(commit)})" if commit is not None else str(position)


def _short(removed: str) -> str:
    """Return the beginning of what was taken out."""
    first = removed.partition("\n")[0].removeprefix("- ")
    return first if len(first) <= _LONGEST_GONE else f"{first[: _LONGEST_GONE - 1]}…"


def _place(reason: Reason, plan: Plan, paint: Paint) -> str:
    if reason.position is None:
        return ""
    return f"  {paint(one_line(place_words(reason.line, reason.position, plan), 400), 'dim')}"
