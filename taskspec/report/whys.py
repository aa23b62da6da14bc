"""Why a task is as it is, as words and as JSON: what is recorded, declared, and behind it. Finds nothing out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from taskspec.diagnostics import Position
from taskspec.health import Health
from taskspec.inputs import Input
from taskspec.moments import utc
from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.comparing import Compared
from taskspec.plan.encoding import change_json, commit_json
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.unsent_reasons import NEEDING_NO_RUN
from taskspec.report.causes import place_words, reason_lines
from taskspec.report.differences import differing_lines
from taskspec.report.plans import change_word
from taskspec.report.records import revision_words
from taskspec.report.text import Paint, columns, in_line, plural
from taskspec.state.encoding import revision_object
from taskspec.state.model import Record

_MARGIN: Final = "    "
_RESULTS: Final = "tasks"
"""Begins the names of inputs that are results of other tasks."""
_FREE: Final = {Action.NONE, Action.MOVE, Action.UPDATE, Action.FORGET, Action.REJUDGE}
"""Actions that start no run and are no trouble either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """One task: its change, and what its texts are made of; `plan` has those of the tasks that it needs too."""

    change: Change
    plan: Plan
    inputs: tuple[Compared, ...] = ()

    @property
    def declared_at(self) -> Position | None:
        """Return where it is declared."""
        task = self.change.task
        return task.source.document.position(("metadata", "name")) if task is not None else None


def why_lines(why: Why, paint: Paint) -> Iterator[str]:
    """Yield all of one task: facts first, then reasons, what it is made of, and its differences."""
    change, plan = why.change, why.plan
    yield f"{paint(change.address, 'strong')}  {change_word(change)}  {paint(in_line(change.agent), 'dim')}"
    place = why.declared_at
    yield from columns(
        [
            ("  recorded", _recorded(change.record)),
            ("  declared", in_line(str(place)) if place is not None else "nowhere any more"),
            ("  to pay", _price(change)),
        ]
    )
    main = [reason for reason in change.reasons if _matters(reason, change)]
    rest = [reason for reason in change.reasons if not _matters(reason, change)]
    yield paint("  why", "accent")
    yield from reason_lines(main, plan, paint, _MARGIN)
    if rest:
        yield paint("  changed without mattering", "accent")
        yield from reason_lines(rest, plan, paint, _MARGIN)
    if why.inputs:
        yield paint("  made of", "accent")
        rows = [(f"{_MARGIN}{in_line(one.name)}", *_input(one, plan)) for one in why.inputs]
        yield from columns(rows)
    upstream = _upstream(why)
    if upstream:
        yield paint("  needs", "accent")
        yield from columns([(f"{_MARGIN}{one.address}", _standing(one)) for one in upstream])
    if change.diffs:
        yield paint("  differences", "accent")
        yield from differing_lines(change, paint)


def _matters(reason: Reason, change: Change) -> bool:
    """Tell whether a reason is one of what is done, and not only of what changed beside it."""
    judged = change.action is Action.REJUDGE or change.health is not Health.HEALTHY
    return reason.code not in NEEDING_NO_RUN or (judged and reason.code == "assertions_changed")


def why_json(why: Why) -> dict[str, Any]:
    """Return the same as plain JSON values."""
    change, plan = why.change, why.plan
    record, place = change.record, why.declared_at
    return {
        "address": change.address,
        "declaredAt": place.as_json if place is not None else None,
        "recorded": None if record is None else _record_json(record),
        "change": change_json(change, plan.commits),
        "inputs": [_input_json(one, plan.commits) for one in why.inputs],
        "upstream": [
            {"address": one.address, "action": one.action.value, "paid": one.paid, "health": one.health.value}
            for one in _upstream(why)
        ],
    }


def _upstream(why: Why) -> list[Change]:
    task = why.change.task
    needed = task.upstream if task is not None else ()
    return [change for change in why.plan.changes if change.address in needed]


def _recorded(record: Record | None) -> str:
    if record is None:
        return "nothing"
    generation, last, accepted = record.generation, record.generation.last, record.accepted
    parts = [f"g{generation.number}"]
    if last is not None:
        verdict = f", {last.verdict}" if last.verdict is not None else ""
        parts.append(f"asked for {utc(last.intended_at)}{verdict}{f', run {last.run}' if last.run else ''}")
        parts += [words] if (words := revision_words(last.revision)) else []
    if accepted is not None:
        parts.append(f"the result of g{accepted.generation} is accepted")
    if record.file:
        parts.append(f"declared in {record.file}")
    return in_line("; ".join(parts))


def _price(change: Change) -> str:
    if change.paid:
        return "up to 1 run, if what it waits for is accepted" if change.conditional else "1 run"
    return "nothing" if change.action in _FREE else f"nothing ({change.action})"


def _standing(change: Change) -> str:
    price = f", {plural(1, 'run')} to pay" if change.paid else ""
    return f"{change.action}{price}" if change.action is not Action.NONE else f"{change.verdict or 'no result'}"


def _input(one: Compared, plan: Plan) -> tuple[str, str, str]:
    word = {True: "changed", False: "the same", None: "not compared"}[one.differs]
    if one.differs and one.before is None:
        word = "new"
    if one.differs and one.now is None:
        word = "not used any more"
    place = place_words(one.line, one.position, plan) if one.position is not None else ""
    return word, in_line(_giver(one)), in_line(place)


def _giver(one: Compared) -> str:
    """Return who gives an input, and who gave it before; of a list of results its members are told elsewhere."""
    if one.name.startswith(_RESULTS):
        return ""
    now, before = one.now.giver if one.now else "", one.before.giver if one.before else ""
    return f"{now} (before: {before})" if now and before and now != before else now or before


def _record_json(record: Record) -> dict[str, Any]:
    generation, last, accepted = record.generation, record.generation.last, record.accepted
    return {
        "generation": generation.number,
        "fingerprint": generation.fingerprint,
        "attempts": len(generation.attempts),
        "accepted": accepted.generation if accepted is not None else None,
        "run": generation.last.run if generation.last is not None else None,
        "revision": revision_object(last.revision) if last is not None and last.revision is not None else None,
        "file": record.file or None,
    }


def _input_json(one: Compared, commits: Mapping[CausingLine, Commit]) -> dict[str, Any]:
    commit = commits.get(one.line) if one.line is not None else None
    place = {**one.position.as_json, "commit": commit_json(commit)} if one.position is not None else None
    return {
        "name": one.name,
        "changed": one.differs,
        "givenBy": _giver_of(one.now),
        "givenBefore": _giver_of(one.before),
        "at": place,
    }


def _giver_of(one: Input | None) -> str | None:
    return one.giver or None if one is not None else None


def several(whys: Sequence[Why], paint: Paint) -> Iterator[str]:
    """Yield several tasks, with a blank line between two."""
    for index, one in enumerate(whys):
        if index:
            yield ""
        yield from why_lines(one, paint)
