"""A plan in words, for a person. Decides nothing."""

from collections.abc import Collection, Iterator
from typing import Final

from taskspec.health import Health
from taskspec.observed.model import Duplicate
from taskspec.plan.model import Action, Change, Plan, RiskCategory
from taskspec.plan.tallying import Roots, roots_of
from taskspec.report.causes import changed_without_run, lets_go, reason_lines, unsent_lines
from taskspec.report.culprits import cause_lines
from taskspec.report.differences import differing_lines
from taskspec.report.estimates import change_lines, total_lines
from taskspec.report.leaving import left_out_lines
from taskspec.report.overlooking import overlooked_lines
from taskspec.report.refusing import refused, way_out
from taskspec.report.risks import budget_lines, common_risks, risk_lines, risk_summary
from taskspec.report.text import UNCLAIMED, Paint, in_line, one_line, place_of, plural

SYMBOLS: Final[dict[Action, tuple[str, str]]] = {
    Action.NONE: (" ", "dim"),
    Action.CREATE: ("+", "add"),
    Action.UPDATE: ("~", "change"),
    Action.REPLACE: ("±", "change"),
    Action.STOP: ("-", "remove"),
    Action.FORGET: ("-", "remove"),
    Action.ADOPT: ("<", "change"),
    Action.WAIT: (">", "accent"),
    Action.SETTLE: ("?", "warning"),
    Action.REJUDGE: ("=", "accent"),
    Action.MOVE: ("→", "change"),
    Action.HOLD: ("!", "error"),
    Action.BLOCKED: ("!", "error"),
}

IDLE: Final = "Nothing is to be done."
_SETTLED: Final = "up to date"
MEANINGS: Final[tuple[tuple[Action, str], ...]] = (
    (Action.CREATE, "to create"),
    (Action.REPLACE, "to replace"),
    (Action.UPDATE, "to update"),
    (Action.STOP, "to stop"),
    (Action.FORGET, "to forget"),
    (Action.ADOPT, "to adopt"),
    (Action.MOVE, "to move"),
    (Action.WAIT, "to wait for"),
    (Action.SETTLE, "to settle"),
    (Action.REJUDGE, "to judge"),
    (Action.HOLD, "on hold"),
    (Action.BLOCKED, "blocked"),
)


def lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield a plan, line by line: what will be paid for first, then each change with its reasons and differences."""
    yield paint(_opening(plan), "error" if plan.refusals else "strong")
    yield from total_lines(plan, paint)
    roots = roots_of(plan)
    yield from cause_lines(plan, roots, paint)
    common = common_risks(plan)
    shown = [c for c in plan.changes if c.action is not Action.NONE or c.health is not Health.HEALTHY]
    for change in shown:
        yield ""
        yield from _change(change, paint, plan, roots, common)
    yield from unsent_lines(plan, paint)
    yield ""
    yield summary(plan)
    yield from risk_summary(plan, paint)
    yield from budget_lines(plan, paint)
    yield from left_out_lines(plan, paint)
    yield from _against(plan, paint)


def _against(plan: Plan, paint: Paint) -> Iterator[str]:
    for line in overlooked_lines(plan):
        yield paint(line, "error")
    for duplicate in plan.duplicates:
        yield f"{paint('Duplicate', 'error')}: {duplicated(duplicate)}"
    for refusal in plan.refusals:
        yield f"{paint('Refused', 'error')}: {refused(refusal)}"
        yield f"  {paint('→', 'accent')} {way_out(refusal)}"


def quiet_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield what is wrong of a plan, a line for each task, and what it comes to."""
    for change in plan.changes:
        if change.health is not Health.HEALTHY or _is_stuck(change):
            yield (
                f"{_head(change, paint)}: {in_line(change.reasons[0].text, 400)}"
                if change.reasons
                else _head(change, paint)
            )
    yield from _against(plan, paint)
    yield summary(plan)


def duplicated(duplicate: Duplicate) -> str:
    """Return which runs bear one marker."""
    runs = ", ".join(f"{run.id} ({run.status})" for run in duplicate.runs)
    whose = duplicate.address or UNCLAIMED
    return one_line(f"{whose}: the remote has one create as {len(duplicate.runs)} runs: {runs}.", 600)


def headline(plan: Plan) -> str:
    """Return what a plan does and what is paid for, in one sentence."""
    if plan.refusals:
        what = "nothing will be started" if plan.paid_runs else "nothing of it will be carried out"
        return f"Refused: {what}. It would {_price(plan, 'start')}."
    if not plan.changes and plan.unselected:
        return "No task is selected."
    if not plan.pending:
        stuck = any(_is_stuck(change) for change in plan.changes)
        return "Nothing can be done as things stand." if stuck else IDLE
    return f"Plan: {_price(plan, 'starts')}."


def _opening(plan: Plan) -> str:
    """Return the first line; where nothing is to be done but what a new `retention` asks for, it is not that."""
    said = headline(plan)
    return f"Plan: {_price(plan, 'starts')}." if said == IDLE and lets_go(plan) else said


def _price(plan: Plan, starts: str) -> str:
    certain, perhaps = plan.paid_runs - plan.conditional_runs, plan.conditional_runs
    if certain:
        price = f"{starts} {plural(certain, 'run')}" + (f", and up to {perhaps} more" if perhaps else "")
    else:
        price = f"{starts} up to {plural(perhaps, 'run')}" if perhaps else f"{starts} no run"
    return f"{price}; `retry` may start up to {plan.retries} more" if plan.retries else price


def _is_stuck(change: Change) -> bool:
    """Tell whether something would have to be done about a task, and cannot be."""
    unknown = change.action is Action.HOLD and change.health is Health.UNKNOWN
    return change.action is Action.BLOCKED or change.in_error or change.refused or unknown


def summary(plan: Plan) -> str:
    """Return how many tasks a plan does what about."""
    parts = [f"{count} {meaning}" for meaning, count in totals(plan)]
    return f"{place_of(plan.project, plan.environment)}: {', '.join(parts) or 'no tasks'}."


def totals(plan: Plan) -> Iterator[tuple[str, int]]:
    """Yield what a plan does, or why it does nothing, and about how many tasks."""
    counts = plan.counts
    settled = [change for change in plan.changes if change.action is Action.NONE]
    ill = sum(change.health is not Health.HEALTHY for change in settled)
    unsent = len(changed_without_run(plan))
    found = (
        *((meaning, counts.get(action, 0)) for action, meaning in MEANINGS),
        (_SETTLED, len(settled) - ill - unsent + plan.unlisted),
        ("changed without a run", unsent),
        ("without an accepted result", ill),
        ("not selected", plan.unselected),
    )
    yield from ((meaning, count) for meaning, count in found if count)


def least_and_most(plan: Plan) -> str:
    """Return from how many to how many runs a plan starts."""
    certain = plan.paid_runs - plan.conditional_runs
    return f"{certain} to {plan.paid_runs}" if plan.conditional_runs else str(certain)


def price(plan: Plan, noun: str = "") -> str:
    """Return how many runs a plan starts, with a noun for them, and how many `retry` may add."""
    runs = least_and_most(plan)
    named = f" {noun}{'' if runs == '1' else 's'}" if noun else ""
    return f"{runs}{named}" + (f", and up to {plan.retries} by retry" if plan.retries else "")


def change_word(change: Change) -> str:
    """Return what is done about a task, or how it stands where nothing is."""
    if change.action is not Action.NONE:
        return change.action
    return _SETTLED if change.health is Health.HEALTHY else change.verdict or "no result"


def _head(change: Change, paint: Paint) -> str:
    symbol, style = SYMBOLS[change.action]
    if change.action is Action.NONE:
        symbol, style = "✗", "error"
    marks = [
        mark
        for mark, holds in (
            ("conditional", change.conditional),
            ("destructive", change.destructive),
            ("needs input", _needs_input(change)),
        )
        if holds
    ]
    tail = f"  ({', '.join(marks)})" if marks else ""
    generation = f" g{change.generation}" if change.generation else ""
    again = f" attempt {change.attempt}" if change.attempt > 1 else ""
    word = change_word(change)
    name = paint(change.address, "strong")
    name = f"{name} {paint(f'(was {change.moved_from})', 'dim')}" if change.moved_from else name
    head = f"{paint(symbol, style)} {name}  {paint(word, style)}{generation}{again}"
    return f"  {head}  {paint(in_line(change.agent), 'dim')}{tail}"


def _change(change: Change, paint: Paint, plan: Plan, roots: Roots, common: Collection[RiskCategory]) -> Iterator[str]:
    yield _head(change, paint)
    yield from reason_lines(change.reasons, plan, paint, roots=roots)
    if change.retries:
        yield f"      `retry` may start up to {plural(change.retries, 'further run')}, each paid for"
    yield from risk_lines(change, paint, common)
    yield from change_lines(change, paint)
    yield from differing_lines(change, paint)


def _needs_input(change: Change) -> bool:
    return change.health is Health.NEEDS_INPUT
