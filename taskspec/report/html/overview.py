"""What stands above everything: the verdict, who asked, how many, and what needs a look. Judges nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from taskspec.address import Address
from taskspec.diagnostics import Diagnostic, Severity
from taskspec.health import Health
from taskspec.moments import utc
from taskspec.plan.model import Plan, RiskCategory
from taskspec.plan.spending import total
from taskspec.report.account import Account, Kind, TaskTold
from taskspec.report.aiming import aimed
from taskspec.report.counting import counted
from taskspec.report.estimates import of_those_told
from taskspec.report.html.facts import fact_list
from taskspec.report.html.icons import Tone, health_word, mark, of_health, state
from taskspec.report.html.markup import Element, Node, el
from taskspec.report.html.places import link_to
from taskspec.report.html.revisions import revision_facts
from taskspec.report.html.showing import inline, prose
from taskspec.report.html.tasks import said_of
from taskspec.report.overlooking import overlooked_lines
from taskspec.report.plans import least_and_most, price
from taskspec.report.refusing import refused, way_out
from taskspec.report.risks import COMMON, common_risks, risks_told
from taskspec.report.text import duration, plural
from taskspec.report.twins import twins
from taskspec.report.unwell import reasons_of, word_of
from taskspec.report.verdicts import has_begun, verdict
from taskspec.settings import DEFAULT_ENVIRONMENT

MOST: Final = 50
"""How many lines of one kind are shown."""
KINDS: Final = {
    Kind.VALIDATE: "Check of the manifests",
    Kind.PLAN: "Plan",
    Kind.APPLY: "Apply",
    Kind.STANDING: "Status",
}
_ORDER: Final = (Health.UNHEALTHY, Health.UNKNOWN, Health.NEEDS_INPUT, Health.HEALTHY, None)
_BROAD: Final = frozenset({"CI job", "Digest of the plan", "Head of the history"})
_FIRST: Final = 10
"""So many tasks of one risk are named."""


def overview(account: Account) -> Iterator[Node]:
    """Yield the head of a report."""
    found = verdict(account)
    tone = Tone(found.grade)
    is_named = account.environment not in {"", DEFAULT_ENVIRONMENT}
    yield el(
        "header",
        {"class": "top", "id": "overview"},
        el(
            "p",
            {"class": "kind"},
            KINDS[account.kind],
            el("span", None, " in ", inline(account.environment)) if is_named else None,
        ),
        el("h1", None, inline(account.project or "taskspec", 80)),
        el(
            "p",
            {"class": f"verdict {tone}", "role": "status"},
            mark(tone, "large"),
            el("span", None, inline(found.text)),
        ),
        el("p", {"class": "quiet"}, _moment(account), f" Exit code {int(account.code)}."),
    )
    yield totals(account)
    yield fact_list(_facts(account), "facts wide", _BROAD)
    yield from _attention(account)


def totals(account: Account) -> Element | None:
    """Return how many tasks stand how, and what it took."""
    if not account.tasks:
        return None
    counts = Counter(task.health for task in account.tasks)
    found = [_total(len(account.tasks), "task" if len(account.tasks) == 1 else "tasks")]
    found.extend(
        _total(counts[health], state(of_health(health), health_word(health)), of_health(health))
        for health in _ORDER
        if counts[health]
    )
    found.extend(_total(count, word) for count, word in _costs(account))
    return el("ul", {"class": "totals", "aria-label": "Totals"}, found)


def _total(count: int | str, word: Node, classes: str | None = None) -> Element:
    told = count if isinstance(count, str) else f"{count:,}"
    return el("li", {"class": classes}, el("strong", None, told), " ", word)


def _costs(account: Account) -> Iterator[tuple[int | str, str]]:
    if account.kind is Kind.PLAN and account.plan is not None:
        runs = least_and_most(account.plan)
        yield runs, price(account.plan, "paid run").removeprefix(runs).strip()
    if account.kind is Kind.APPLY:
        tally = counted(heard.event for heard in account.heard)
        yield tally.started, "run started" if tally.started == 1 else "runs started"
        tokens, ended = tally.tokens, tally.ended
    else:
        newest = [one for task in account.tasks if task.generations for one in task.generations[0].attempts]
        used = [total(one.tokens) for one in newest if one.verdict is not None]
        tokens, ended = [count for count in used if count is not None], len(used)
    if tokens:
        yield sum(tokens), f"tokens{of_those_told(len(tokens), ended)}"


def _moment(account: Account) -> str:
    took = account.seconds
    if account.kind is Kind.STANDING or took < 0.05:
        return f"As of {utc(account.ended)}."
    return f"{utc(account.began)}, for {duration(took)}."


def _facts(account: Account) -> Iterator[tuple[str, Node]]:
    yield from revision_facts(account.revision)
    if account.plan is not None:
        yield "Plan", el("code", None, inline(account.plan.id))
    if account.digest:
        yield "Digest of the plan", el("code", None, inline(account.digest, 100))
    if account.head:
        yield "Head of the history", el("code", None, inline(account.head, 100))


def _attention(account: Account) -> Iterator[Node]:
    """Yield what a person has to know, most pressing first."""
    found: list[Node] = [*_troubles(account), *_wrong(account), *_warnings(account)]
    if found:
        yield el(
            "section",
            {"class": "attention", "aria-labelledby": "attention"},
            el("h2", {"id": "attention"}, "To be looked at"),
            el("ul", None, found),
        )


def _troubles(account: Account) -> Iterator[Node]:
    if account.trouble is not None:
        yield _item(Tone.BAD, "Trouble", account.trouble.message, account.trouble.hint, account)
    plan = account.plan
    if plan is not None:
        for line in overlooked_lines(plan):
            yield _item(Tone.BAD, "Trouble", line, "", account)
        for refusal in plan.refusals[:MOST]:
            yield _item(Tone.BAD, "Refused", refused(refusal), way_out(refusal), account)
    for _, said in islice(twins(account), MOST):
        yield _item(Tone.UNKNOWN, "Duplicate", said, "", account)


def _wrong(account: Account) -> Iterator[Node]:
    ordered = sorted(
        account.diagnostics, key=lambda one: (one.severity is not Severity.ERROR, one.position, one.summary)
    )
    for diagnostic in ordered[:MOST]:
        yield _diagnostic(diagnostic)
    if len(ordered) > MOST:
        yield el(
            "li", None, f"{len(ordered) - MOST} more findings; ", el("code", None, "taskspec validate"), " lists all."
        )
    ill = [task for health in _ORDER[:3] for task in account.tasks if task.health is health]
    yield from map(_ill, ill[:MOST])
    if len(ill) > MOST:
        yield el("li", None, f"{plural(len(ill) - MOST, 'more task')} like these; the list below can be filtered.")


def _ill(task: TaskTold) -> Element:
    """Return what is wrong with a task, in a word and the first line of why."""
    tone, word = of_health(task.health), word_of(task)
    shown = health_word(task.health) if word in {task.health, "result"} else word
    said = said_of(task) or next(reasons_of(task), "")
    first, *more = said.strip().splitlines() or [""]
    why: Node = [": ", prose(f"{first} …" if more else first, 300)] if first else None
    named = el("strong", None, inline(shown.capitalize()))
    return el("li", {"class": tone}, mark(tone), el("div", None, named, " ", link_to(task.address, is_here=True), why))


def _warnings(account: Account) -> Iterator[Node]:
    for note in account.notes[:MOST]:
        yield _item(Tone.NOTICE, "Note", note, "", account)
    if account.plan is not None:
        yield from _risks(account, account.plan)


def _risks(account: Account, plan: Plan) -> Iterator[Node]:
    """Yield the risks of a plan, each with its tasks; of one that is paid already, nothing."""
    common = common_risks(plan)
    found: dict[RiskCategory, list[tuple[Address, str]]] = {}
    for task in account.tasks:
        for risk in risks_told(task.change) if task.change is not None else ():
            text = f"{COMMON}." if risk.category in common else risk.text
            found.setdefault(risk.category, []).append((task.address, text))
    if has_begun(account):
        found.pop(RiskCategory.RERUN_OF_ACCEPTED, None)
    for category, told in sorted(found.items()):
        said = el("div", None, el("strong", None, f"Risk: {category}"), " ", _tasks_with(told))
        yield el("li", {"class": Tone.WAITING}, mark(Tone.WAITING), said)


def _tasks_with(told: Sequence[tuple[Address, str]]) -> Iterator[Node]:
    """Yield which tasks have a risk: each with its text, or the text once where it is that of all."""
    [text, *others] = dict.fromkeys(text for _, text in told)
    addresses = list(dict.fromkeys(address for address, _ in told))
    if len(addresses) > 1:
        yield plural(len(addresses), "change")
    if not others:
        yield ": " if len(addresses) > 1 else ""
        for number, address in enumerate(addresses[:_FIRST]):
            yield [", " if number else "", link_to(address, is_here=True)]
        yield f" and {len(addresses) - _FIRST:,} more" if len(addresses) > _FIRST else ""
        yield el("p", None, prose(text, 1000))
        return
    for address, said in told[:_FIRST]:
        yield el("p", None, link_to(address, is_here=True), ": ", prose(said, 1000))
    if len(told) > _FIRST:
        yield el("p", None, f"{len(told) - _FIRST:,} more, each told at its task.")


def _diagnostic(one: Diagnostic) -> Element:
    tone = Tone.BAD if one.severity is Severity.ERROR else Tone.WAITING
    return el(
        "li",
        {"class": tone},
        mark(tone),
        el(
            "div",
            None,
            el("strong", None, str(one.severity).capitalize()),
            " ",
            prose(one.summary),
            " ",
            el("span", {"class": "place"}, inline(str(one.position))),
            el("p", None, prose(one.detail, 1000)) if one.detail else None,
            el("p", {"class": "hint"}, prose(one.hint)) if one.hint else None,
        ),
    )


def _item(tone: Tone, word: str, text: str, hint: str, account: Account) -> Element:
    said = aimed(text, account.environment)
    way = el("p", {"class": "hint"}, prose(aimed(hint, account.environment))) if hint else None
    return el("li", {"class": tone}, mark(tone), el("div", None, el("strong", None, word), " ", prose(said, 1000), way))
