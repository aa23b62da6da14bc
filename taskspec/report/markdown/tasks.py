"""One task in a folded section of Markdown: what came of it, why, what differs, what it answered. Decides nothing."""

from collections.abc import Collection, Iterator
from shlex import quote
from typing import Any, Final

from taskspec.diagnostics import path_text
from taskspec.events import Effect, RunEnded
from taskspec.health import Health
from taskspec.plan.model import Action, Change, FieldDiff, Missing, Plan, RiskCategory
from taskspec.plan.tallying import Roots
from taskspec.report.account import Account, TaskTold
from taskspec.report.causes import reason_lines
from taskspec.report.differences import answering, text_of
from taskspec.report.estimates import change_lines
from taskspec.report.markdown.answers import answers, folded
from taskspec.report.markdown.detail import Detail
from taskspec.report.markdown.escaping import code, inner, prose
from taskspec.report.markdown.texts import block, difference
from taskspec.report.plans import SYMBOLS
from taskspec.report.risks import risk_lines
from taskspec.report.summing import ending_word
from taskspec.report.text import Paint, duration, in_line
from taskspec.report.unwell import goes_on, is_unwell, reasons_of, word_of
from taskspec.report.verdicts import has_begun
from taskspec.state.model import Verdict

PLAIN: Final = Paint(color=False)
SIGN: Final = "✅"
_BEGUN: Final = "📝"
_SIGNS: Final = {Health.UNHEALTHY: "❌", Health.NEEDS_INPUT: "✋", Health.UNKNOWN: "❓"}
_SHORT: Final = 40
"""A text of more characters stands in a block of its own."""
_STEP: Final = 2


def is_told(task: TaskTold) -> bool:
    """Tell whether a report says more of a task than that it is there."""
    change = task.change
    if change is None or is_unwell(task) or task.after is not task.before:
        return True
    return change.action is not Action.NONE or bool(change.risks)


def title(task: TaskTold, account: Account) -> str:
    """Return sign, address and what is done or came of it, as HTML of ours on one line."""
    return f"{_sign(task, account)} {inner(task.address, 400)} {_said(task, account)}"


def bullet(task: TaskTold, account: Account) -> str:
    """Return a task that there is no room for as an item of a list."""
    sign = task.change.action if task.change else ""
    return f"- {code(task.address, 400)} {sign} {_state(task, account)}".rstrip()


def section(task: TaskTold, account: Account, roots: Roots, common: Collection[RiskCategory], detail: Detail) -> str:
    """Return everything that there is to tell of a task, folded."""
    parts = [f"<details><summary>{title(task, account)}</summary>", _about(task)]
    parts += _failure(task, detail)
    if task.change is not None and account.plan is not None:
        parts += _why(task.change, account.plan, roots, common, detail)
        parts += _fields(task.change, detail)
    parts += answers(task, detail, replaces=task.change is not None and not has_begun(account))
    return "\n\n".join([*parts, "</details>"])


def _sign(task: TaskTold, account: Account) -> str:
    if is_unwell(task):
        return _SIGNS.get(task.health or Health.UNHEALTHY, "❌")
    if goes_on(task):
        return _BEGUN
    if task.change is None or has_begun(account):
        return SIGN if task.health is not None else "▫️"
    return inner(SYMBOLS[task.change.action][0])


def _said(task: TaskTold, account: Account) -> str:
    change = task.change
    if change is None:
        return _state(task, account)
    marks = [
        word for word, holds in (("conditional", change.conditional), ("destructive", change.destructive)) if holds
    ]
    number = f" g{change.generation}" if change.generation else ""
    again = f", attempt {change.attempt}" if change.attempt > 1 else ""
    tail = f" ({', '.join(marks)})" if marks else ""
    state = _state(task, account)
    action = change.action if change.action is not Action.NONE or not state else ""
    return f"{action}{number}{again}{tail}{': ' if action and state else ' ' if state else ''}{state}".strip()


def _state(task: TaskTold, account: Account) -> str:
    """Return how a task stands, in words of ours; what is only planned stands nowhere yet."""
    finished, change = task.finished, task.change
    if finished is None:
        if has_begun(account):
            return "not finished"
        if not is_unwell(task):
            return "" if change is not None else "not applied" if task.health is None else "accepted"
        word = word_of(task)
        return word if word in {*Verdict} and task.health is not Health.HEALTHY else _HEALTHS[task.health]
    if finished.effect not in {Effect.DONE, Effect.LEFT}:
        return ending_word(finished)
    took = next((e.event.seconds for e in reversed(task.heard) if isinstance(e.event, RunEnded)), None)
    plain = "done" if finished.effect is Effect.DONE else _HEALTHS[task.health] or "left"
    word = _plain(finished.verdict) if finished.verdict else plain
    return f"{word} in {duration(took)}" if took is not None and finished.verdict else word


_HEALTHS: Final = {
    None: "",
    Health.HEALTHY: "",
    Health.UNHEALTHY: "without an accepted result",
    Health.NEEDS_INPUT: "needs a person",
    Health.UNKNOWN: "unknown",
}


def _plain(verdict: str) -> str:
    """Return a verdict, where it is a word that we know."""
    return verdict if verdict in {*Verdict} else "unknown"


def _about(task: TaskTold) -> str:
    change = task.change
    run = next((e.event.run for e in reversed(task.heard) if isinstance(e.event, RunEnded)), None)
    run = run or (change.run if change is not None else None)
    parts = [f"Agent {code(task.agent)}"]
    if change is not None and change.moved_from is not None:
        parts.append(f"was {code(change.moved_from)}")
    if run:
        parts.append(f"run {code(run)}")
    parts += [code(f"{name}={value}") for name, value in list(task.labels.items())[:10]]
    return " · ".join(parts)


def _failure(task: TaskTold, detail: Detail) -> Iterator[str]:
    """Yield what went wrong, in the words of whoever told it, and the answer of which nothing was accepted."""
    if not is_unwell(task) or (task.finished is None and task.change is not None):
        return
    told = next(reasons_of(task), "")
    if told:
        yield "**What went wrong**"
        yield block(told, detail, f"taskspec logs {quote(task.address)}", "text")
    if task.generations and (kept := task.generations[0].unaccepted) is not None:
        yield folded("The answer that was not accepted, of", kept, task, detail)


def _why(change: Change, plan: Plan, roots: Roots, common: Collection[RiskCategory], detail: Detail) -> Iterator[str]:
    lines = [*reason_lines(change.reasons, plan, PLAIN, margin="", roots=roots)]
    lines += (line.strip() for line in (*risk_lines(change, PLAIN, common), *change_lines(change, PLAIN)))
    if change.retries:
        lines.append(f"`retry` may start up to {change.retries} more, each paid for")
    shown = lines[: detail.items]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more: `taskspec why {quote(change.address)}` tells all")
    if shown:
        yield "**Why**"
        yield "\n".join(_item(line, detail) for line in shown)


def _item(line: str, detail: Detail) -> str:
    bare = line.lstrip(" ")
    depth = min((len(line) - len(bare)) // _STEP, 10)
    return f"{'  ' * depth}- {prose(bare, detail.line)}"


def _fields(change: Change, detail: Detail) -> Iterator[str]:
    """Yield the fields that differ, apart from the answers that a change waits for."""
    if change.own_diffs is None:
        found = [_field(change, diff, detail) for diff in change.diffs]
    else:
        own, waiting = {diff.path: diff for diff in change.own_diffs}, {diff.path for diff in change.diffs}
        apart = prose(f"what {answering(change)}", detail.line)
        found = []
        for path in sorted({*own, *waiting}, key=path_text):
            if path in own:
                tail = f", apart from {apart}" if path in waiting else ""
                found.append(_field(change, own[path], detail, tail))
            else:
                found.append(f"{code(path_text(path))}: as before, but for {apart}")
    yield from found[: detail.items]
    if len(found) > detail.items:
        command = code(f"taskspec plan {quote(change.address)}")
        yield f"… and {len(found) - detail.items} more fields: {command} shows them."


def _field(change: Change, diff: FieldDiff, detail: Detail, apart: str = "") -> str:
    name = f"{code(path_text(diff.path))}{apart}"
    whole = any(_is_long(side) for side in (diff.before, diff.after))
    before, after = text_of(diff.before, quoted=not whole), text_of(diff.after, quoted=not whole)
    if not whole:
        sides = [code(side) if side else "(absent)" for side in (before, after)]
        return f"{name}: {sides[1] if isinstance(diff.before, Missing) else ' → '.join(sides)}"
    command = f"taskspec render {quote(change.address)}"
    if isinstance(diff.before, Missing):
        return f"{name}:\n\n{block(after, detail, command, 'text')}"
    if isinstance(diff.after, Missing):
        return f"{name} is gone:\n\n{block(before, detail, command, 'text')}"
    return f"{name}:\n\n{difference(before, after, detail) or 'They differ in ends of lines only.'}"


def _is_long(side: Any) -> bool:
    return isinstance(side, str) and ("\n" in side or len(in_line(side)) > _SHORT)
