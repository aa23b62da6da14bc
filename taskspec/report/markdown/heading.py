"""The head of a Markdown report: the verdict, the totals, who asked, and what is wrong. Decides nothing."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from taskspec.ci import Revision
from taskspec.diagnostics import Diagnostic
from taskspec.health import Health
from taskspec.plan.estimating import total_tokens
from taskspec.plan.model import Plan
from taskspec.plan.tallying import Roots
from taskspec.report.account import Account, Kind
from taskspec.report.counting import Tally, counted
from taskspec.report.culprits import cause_lines
from taskspec.report.estimates import of_those_told, total_lines
from taskspec.report.exiting import ExitCode
from taskspec.report.leaving import left_out_lines
from taskspec.report.markdown.detail import Detail
from taskspec.report.markdown.escaping import code, prose
from taskspec.report.markdown.tasks import PLAIN, SIGN
from taskspec.report.overlooking import overlooked_lines
from taskspec.report.plans import IDLE, headline, price, totals
from taskspec.report.refusing import refused, way_out
from taskspec.report.risks import budget_lines, risk_summary
from taskspec.report.summing import standings
from taskspec.report.text import duration, place_of, plural
from taskspec.report.twins import twins
from taskspec.report.verdicts import Grade, has_begun, verdict

_SIGNS: Final = {
    Grade.GOOD: SIGN,
    Grade.NOTICE: "📝",
    Grade.WAITING: "⏳",
    Grade.UNKNOWN: "❓",
    Grade.BAD: "❌",
}
_OTHER: Final = {
    ExitCode.NEEDS_INPUT: "✋",
    ExitCode.REFUSED: "⛔",
    ExitCode.LOCKED: "🔒",
    ExitCode.HANGUP: "⚠️",
    ExitCode.INTERRUPTED: "⚠️",
    ExitCode.TERMINATED: "⚠️",
}
"""The signs of these, in the place of those of their grade."""
_STANDING: Final = {
    Health.HEALTHY: "Healthy",
    Health.UNHEALTHY: "Without an accepted result",
    Health.NEEDS_INPUT: "Waiting for a person",
    Health.UNKNOWN: "Unknown",
    None: "Not applied",
}
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~%/-]*)?")


def title(account: Account, part: int = 1) -> str:
    """Return the first line: the verdict, of which project, and what was or would be done."""
    named = prose(place_of(account.project, account.environment), 200) if account.project else "taskspec"
    said = _said(account)
    more = f" (part {part})" if part > 1 else f": {said}" if said else ""
    return f"### {_verdict(account)} · {named}{more}"


def head(account: Account, roots: Roots, detail: Detail) -> str:
    """Return all that a report says before its tasks."""
    parts = [title(account)]
    if account.trouble is not None and not _is_said_below(account):
        hint = f"\n→ {prose(account.trouble.hint, detail.line)}" if account.trouble.hint else ""
        parts.append(f"**{prose(account.trouble.message, detail.line)}**{hint}")
    parts += _diagnostics(account.diagnostics, detail)
    parts += _table(account)
    if account.revision is not None and (asked := " · ".join(_who(account.revision))):
        parts.append(asked)
    foreseen = total_lines(account.plan, PLAIN) if account.plan is not None and not has_begun(account) else ()
    of_plan = _plan_lines(account.plan, roots) if account.plan is not None else ()
    twice = (f"Duplicate: {said}" for _, said in twins(account))
    lists = [*_refusals(account.plan), *foreseen, *of_plan, *twice, *account.notes]
    parts += _listed(lists, detail)
    return "\n\n".join(parts)


def _verdict(account: Account) -> str:
    found = verdict(account)
    sign = _OTHER.get(found.code, _SIGNS[found.grade])
    return f"{sign} {found.word}"


def _said(account: Account) -> str:
    """Return in a few words what was done, or would be, and what it costs."""
    plan = account.plan
    if has_begun(account):
        tally = counted(one.event for one in account.heard)
        told = [
            f"{plural(tally.started, 'run')} started",
            *standings(tally.accepted, len(tally.unhealthy), len(tally.needing), len(tally.unknown), PLAIN),
        ]
        return ", ".join(told)
    if plan is not None:
        return _foreseen(plan)
    match account.kind:
        case Kind.STANDING:
            return plural(len(account.tasks), "task")
        case Kind.VALIDATE:
            return "the manifests are wrong" if account.diagnostics else "the manifests are right"
        case Kind.PLAN | Kind.APPLY:
            return "nothing was planned" if account.kind is Kind.PLAN else "nothing was started"


def _foreseen(plan: Plan) -> str:
    """Return what a plan would do; nothing where the verdict has said it."""
    if not plan.pending and not plan.refusals and headline(plan) == IDLE:
        return ""
    said = headline(plan).removeprefix("Plan: ").removeprefix("Refused: ").rstrip(".")
    again = sum(change.retakes for change in plan.changes)
    accepts = f", accepts {plural(again, 'kept answer')} again" if again and not plan.refusals else ""
    return f"{said[0].lower()}{said[1:]}{accepts}"


def _is_said_below(account: Account) -> bool:
    """Tell whether the trouble is only that the manifests are wrong, of which each fault is told."""
    return account.kind in {Kind.VALIDATE, Kind.STANDING} and bool(account.diagnostics)


def _table(account: Account) -> Iterator[str]:
    rows = [*_rows(account)]
    if rows:
        yield "\n".join(["| | |", "|---|--:|", *(f"| {what} | {count} |" for what, count in rows)])


def _rows(account: Account) -> Iterator[tuple[str, str]]:
    plan = account.plan
    if has_begun(account):
        tally: Tally = counted(one.event for one in account.heard)
        counts: Sequence[tuple[str, int]] = (
            ("Runs started", tally.started),
            ("Accepted", tally.accepted),
            ("Without an accepted result", len(tally.unhealthy)),
            ("Waiting for a person", len(tally.needing)),
            ("Unknown", len(tally.unknown)),
            ("Not finished", sum(1 for task in account.tasks if task.finished is None)),
            ("Up to date", tally.unchanged),
        )
        yield from ((what, str(count)) for what, count in counts if count)
        if tally.ended:
            told = f"{sum(tally.tokens):,}{of_those_told(len(tally.tokens), tally.ended)}"
            yield "Tokens", told if tally.tokens else "unknown"
        yield "Time", duration(account.seconds)
    elif account.kind is Kind.STANDING:
        yield from _standing(account)
    elif plan is not None:
        yield from ((meaning.capitalize(), str(count)) for meaning, count in totals(plan))
        yield "**Paid runs**", f"**{price(plan)}**"
        tokens = total_tokens(plan).p50
        if tokens is not None:
            yield "Tokens", f"about {tokens:,.0f}"


def _standing(account: Account) -> Iterator[tuple[str, str]]:
    counts = Counter(task.health for task in account.tasks)
    yield from ((word, str(counts[health])) for health, word in _STANDING.items() if counts[health])


def _who(revision: Revision) -> Iterator[str]:
    if revision.commit:
        dirty = " with changes that are not committed" if revision.is_dirty else ""
        yield f"Commit {code(revision.commit[:12])}{dirty}"
    if revision.branch:
        yield f"branch {code(revision.branch)}"
    if revision.author:
        yield f"asked for by {code(revision.author)}"
    if revision.job:
        yield f"[run]({revision.job})" if _ADDRESS.fullmatch(revision.job) else code(revision.job, 500)


def _diagnostics(found: Sequence[Diagnostic], detail: Detail) -> Iterator[str]:
    shown = found[: detail.items]
    lines = [
        f"- {code(str(one.position))} **{prose(one.summary, detail.line)}**: {prose(one.detail, detail.line)}"
        + (f" → {prose(one.hint, detail.line)}" if one.hint else "")
        for one in shown
    ]
    if len(found) > len(shown):
        lines.append(f"- and {len(found) - len(shown)} more: `taskspec validate` tells them")
    if lines:
        yield "\n".join(lines)


def _refusals(plan: Plan | None) -> Iterator[str]:
    for refusal in plan.refusals if plan is not None else ():
        yield f"Refused: {refused(refusal)} {way_out(refusal)}"


def _plan_lines(plan: Plan, roots: Roots) -> Iterator[str]:
    yield from overlooked_lines(plan)
    yield from cause_lines(plan, roots, PLAIN)
    yield from risk_summary(plan, PLAIN)
    yield from budget_lines(plan, PLAIN)
    yield from left_out_lines(plan, PLAIN)


def _listed(lines: Sequence[str], detail: Detail) -> Iterator[str]:
    shown = [f"- {prose(line.strip(), detail.line)}" for line in lines[: detail.items]]
    if len(lines) > len(shown):
        shown.append(f"- and {len(lines) - len(shown)} more lines")
    if shown:
        yield "\n".join(shown)
