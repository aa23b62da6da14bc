"""The risks of a plan, and how its budget stands, in words. Judges nothing."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from taskspec.plan.model import Change, Plan, Risk, RiskCategory
from taskspec.plan.refusals import Spending
from taskspec.report.text import Paint, duration, in_line, plural

_TOLD: Final = frozenset({RiskCategory.NEW_PAID_RUN})
"""What the head of a plan and the line of a change tell already."""
_AGAIN: Final = RiskCategory.RERUN_OF_ACCEPTED
_MANY: Final = 3
"""A risk that more changes have is told once."""
COMMON: Final = "what has an accepted result is paid for once more"
"""What risk many runs of a plan have."""


def common_risks(plan: Plan) -> Collection[RiskCategory]:
    """Return the risks that many runs of a plan have, or all that are not first ones: the summary tells them once."""
    again = [change for change in plan.changes if change.paid and change.generation > 1]
    are_all = len(again) > 1 and all(_AGAIN in {risk.category for risk in change.risks} for change in again)
    return (_AGAIN,) if are_all or plan.risks.get(_AGAIN, 0) > _MANY else ()


def risks_told(change: Change) -> Sequence[Risk]:
    """Return the risks of a change, but for those that its own line tells."""
    return [risk for risk in change.risks if risk.category not in _TOLD]


def risk_lines(change: Change, paint: Paint, common: Collection[RiskCategory] = ()) -> Iterator[str]:
    """Yield the risks of a change, but for those that its own line tells, or the summary."""
    for risk in risks_told(change):
        if risk.category not in common:
            place = f"  {paint(str(risk.position), 'dim')}" if risk.position else ""
            yield f"      {paint(f'risk {risk.category}', 'warning')}: {in_line(risk.text)}{place}"


def risk_summary(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield how many changes have which risk."""
    common = common_risks(plan)
    told = [
        f"{count} {category}{f' ({COMMON})' if category in common else ''}"
        for category, count in sorted(plan.risks.items())
        if category not in _TOLD
    ]
    if told:
        yield f"{paint('Risks', 'warning')}: {', '.join(told)}."


def budget_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield how the budget stands, where the plan would use some of it."""
    if plan.spending is not None and plan.paid_runs and (parts := [*_parts(plan.spending)]):
        yield f"{paint('Budget', 'strong')}: {'; '.join(parts)}{_since(plan.spending)}."


def _parts(spending: Spending) -> Iterator[str]:
    if spending.max_runs is not None:
        planned = spending.planned
        yield f"{spending.runs:,} of {plural(spending.max_runs, 'run')} used, {planned:,} planned"
    if spending.max_tokens is not None:
        said = f"{spending.tokens:,} of {spending.max_tokens:,} tokens used"
        if spending.unknown:
            said += f" (and those of {plural(spending.unknown, 'run')} unknown)"
        said += f", {spending.estimated:,} expected" if spending.estimated else ""
        if spending.not_estimated:
            said += f", {plural(spending.not_estimated, 'planned run')} unknown"
        yield said


def _since(spending: Spending) -> str:
    if spending.per is None:
        return ""
    days = spending.per / 86_400
    return f", in the last {plural(int(days), 'day') if days >= 1 and days == int(days) else duration(spending.per)}"
