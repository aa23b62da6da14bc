"""One task on the page: how it stands in a line, and all about it below. Judges nothing."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from taskspec.address import Address
from taskspec.diagnostics import path_text
from taskspec.events import Effect
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.model import Action
from taskspec.plan.spending import total
from taskspec.report.account import Account, TaskTold
from taskspec.report.aiming import aimed
from taskspec.report.html.answering import answers
from taskspec.report.html.asking import spec_fields
from taskspec.report.html.commands import Commands
from taskspec.report.html.differing import field_differences
from taskspec.report.html.facts import fact_list
from taskspec.report.html.generations import Shown, Ways, history
from taskspec.report.html.happenings import event_table
from taskspec.report.html.icons import health_word, mark, of_health
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.places import link_to, place_of_task
from taskspec.report.html.revisions import revision_line
from taskspec.report.html.showing import Purse, inline, prose
from taskspec.report.risks import risks_told
from taskspec.report.text import duration
from taskspec.state.model import Attempt, Verdict

_UPSTREAM: Final = 30
_DEEP: Final = 6
_SKELETON: Final = 2_000
"""How many characters a task takes at least."""
_MOST_REASONS: Final = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What a task's place on the page needs to know of the page."""

    account: Account
    purse: Purse
    commands: Commands
    shown: Collection[Address]
    """The tasks that have a place on the page."""


def task_item(task: TaskTold, around: Surroundings) -> Element:
    """Return a task as an item of the list, closed."""
    around.purse.pay(_SKELETON)
    words = " ".join([task.address, task.agent, *(f"{name}={value}" for name, value in task.labels.items())])
    attributes = {
        "id": place_of_task(task.address),
        "class": "task",
        "data-health": health_word(task.health),
        "data-action": action_word(task),
        "data-words": words[:400].casefold(),
    }
    return el("details", attributes, _summary(task), el("div", {"class": "inside"}, _inside(task, around)))


def action_word(task: TaskTold) -> str:
    """Return what is done about a task, in a word; `up to date` where nothing is to be done and nothing is wrong."""
    if task.change is None:
        return "recorded" if task.health is not None else "declared"
    if task.change.action is Action.NONE:
        return "up to date" if task.health is Health.HEALTHY else "left"
    return str(task.change.action)


def last_attempt(task: TaskTold) -> Attempt | None:
    """Return the newest attempt of a task, as far as it is told."""
    return next((attempt for told in task.generations for attempt in reversed(told.attempts)), None)


def _earlier(task: TaskTold) -> int:
    """Return the number of the newest generation that is told, where the change is about one that is not made yet."""
    number = task.change.generation if task.change is not None else 0
    told = task.generations[0].number if task.generations else number
    return told if number and told != number else 0


def _summary(task: TaskTold) -> Element:
    tone = of_health(task.health)
    attempt = last_attempt(task) if not _earlier(task) else None
    took = duration(attempt.seconds) if attempt is not None and attempt.seconds is not None else ""
    said = said_of(task)
    return el(
        "summary",
        None,
        el("span", {"class": f"state {tone}"}, mark(tone), el("span", None, health_word(task.health))),
        el("h3", None, inline(task.address, 600)),
        el("span", {"class": "agent quiet"}, inline(task.agent, 80)),
        el("span", {"class": "action"}, _action(task)),
        el("span", {"class": "took number quiet"}, took),
        el("span", {"class": "said quiet"}, prose(said, 160)) if said and task.health is not Health.HEALTHY else None,
    )


def _action(task: TaskTold) -> str:
    word, finished = action_word(task), task.finished
    if finished is None or finished.effect in {Effect.DONE, Effect.LEFT}:
        return word
    return f"{word}: {finished.effect}"


def said_of(task: TaskTold) -> str:
    """Return what was said of a task at its end, or else of its newest attempt; nothing where that was accepted."""
    if task.finished is not None and task.finished.detail:
        return task.finished.detail
    attempt = last_attempt(task) if not _earlier(task) else None
    if attempt is not None and attempt.detail and attempt.verdict is not Verdict.ACCEPTED:
        return attempt.detail
    return ""


def _inside(task: TaskTold, around: Surroundings) -> Iterator[Node]:
    purse, commands, address = around.purse, around.commands, task.address
    said = said_of(task)
    if said:
        yield el("p", {"class": "lead"}, prose(said, 2000))
    yield fact_list(_facts(task, around))
    yield from _why(task, around)
    if task.change is not None and task.change.diffs:
        yield _part("What differs", field_differences(task.change.diffs, purse))
    after = task.returning or task.after
    if task.before is not None or after is not None:
        found = answers(task.before, after, purse, commands.of("results", address))
        is_new = task.before is not None and after is not None and task.before.digest != after.digest
        title = "Answer that is accepted again" if task.returning else "Answer"
        yield _part("Old answer against new answer" if is_new else title, found)
    if task.spec:
        yield _folded("What is asked", spec_fields(task.spec, purse, commands.of("render", address)))
    if task.heard:
        table = event_table(task.heard, around.account.began, purse, commands.of("logs", address))
        yield _folded(f"Events ({len(task.heard)})", table)
    if task.generations:
        digests = (one.digest for one in (task.before, after) if one is not None and one.content is not None)
        shown = Shown(spec=task.spec, answers=frozenset(digests))
        ways = Ways(history=commands.of("history", address), results=commands.of("results", address))
        found = history(task.generations, shown, purse, ways)
        yield _part(f"History ({len(task.generations)})", found)


def _facts(task: TaskTold, around: Surroundings) -> Iterator[tuple[str, Node]]:
    yield "Agent", inline(task.agent)
    told = task.generations[0] if task.generations else None
    attempt, earlier = last_attempt(task), _earlier(task)
    whose = f" (g{earlier})" if earlier else ""
    if task.change is not None and task.change.generation:
        yield "Generation", f"g{task.change.generation}"
    elif told is not None:
        yield "Generation", f"g{told.number}"
    if attempt is not None:
        yield (
            f"Last run{whose}" if whose else "Run",
            [
                el("code", None, inline(attempt.run or "none")),
                f", attempt {attempt.number}" if attempt.number > 1 else "",
            ],
        )
        if attempt.seconds is not None:
            yield f"Took{whose}", duration(attempt.seconds)
        used = attempt.tokens
        if used is not None and (sum_ := total(used)) is not None:
            yield f"Tokens{whose}", f"{sum_:,} ({used.prompt:,} read, {used.completion:,} written)"
    if task.upstream:
        links = [
            [", " if number else "", link_to(one, is_here=one in around.shown)]
            for number, one in enumerate(task.upstream[:_UPSTREAM])
        ]
        more = f" and {len(task.upstream) - _UPSTREAM} more" if len(task.upstream) > _UPSTREAM else ""
        yield "Waits for", [links, more]
    if task.labels:
        yield "Labels", inline(", ".join(f"{name}={value}" for name, value in task.labels.items()), 500)
    if task.change is not None and task.change.estimate is not None and (found := task.change.estimate.seconds):
        yield "Likely to take", f"{duration(found.p50)} (p90 {duration(found.p90)})"
    if (
        told is not None
        and told.revision != around.account.revision
        and (line := revision_line(told.revision)) is not None
    ):
        yield f"Asked by{whose}", line


def _why(task: TaskTold, around: Surroundings) -> Iterator[Node]:
    change = task.change
    if change is None:
        return
    if change.reasons:
        yield _part("Why", el("ul", {"class": "reasons"}, _reasons(change.reasons, around)))
    risks = [
        el("li", None, el("strong", None, str(risk.category)), ": ", prose(risk.text), _at(path_text(risk.path)))
        for risk in risks_told(change)
    ]
    if risks:
        yield _part("Risks", el("ul", {"class": "risks"}, risks))


def _reasons(reasons: tuple[Reason, ...], around: Surroundings, depth: int = 0) -> Iterator[Node]:
    for reason in reasons[:_MOST_REASONS]:
        around.purse.pay(len(reason.text) + 100)
        text = aimed(reason.text, around.account.environment)
        place = str(reason.position) if reason.position is not None else ""
        commit = around.account.plan.commits.get(reason.line) if around.account.plan and reason.line else None
        by = f"{commit.id} {commit.author}" if commit is not None and commit.id else ""
        below = (
            el("ul", None, _reasons(reason.because, around, depth + 1)) if reason.because and depth < _DEEP else None
        )
        yield el("li", None, prose(text), _at(place), _at(by), below)


def _at(place: str) -> Node:
    return [" ", el("span", {"class": "place"}, inline(place, 200))] if place else None


def _part(name: str, *children: Node) -> Element:
    return el("section", {"class": "part"}, el("h4", None, name), children)


def _folded(name: str, *children: Node) -> Element:
    return el("details", {"class": "part"}, el("summary", None, el("h4", None, name)), el("div", None, children))
