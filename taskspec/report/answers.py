"""The answers of an address over its generations: listed, and two of them held against each other. Reads no state."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from taskspec.diagnostics import path_text
from taskspec.moments import utc
from taskspec.plan.diffing import LineKind, changed_lines, diff
from taskspec.plan.model import FieldDiff, Missing
from taskspec.plan.recollecting import Recollection
from taskspec.report.differences import difference_lines, text_lines
from taskspec.report.fitting import first_word, fitted, shorter, without
from taskspec.report.records import revision_words
from taskspec.report.text import Paint, columns, duration, in_line, one_line, plural
from taskspec.state.encoding import revision_object

_DIGITS: Final = 12
_ASKED: Final = "ASKED (UTC)"
_LESS: Final = (*map(without, ("AGENT", "TOKENS", "BYTES", "TOOK", "COMMIT")), shorter(_ASKED, first_word))
"""What the table of generations shows less of where a terminal is narrow, the least important first."""
_KINDS: Final[Mapping[LineKind, str]] = {
    LineKind.SAME: "same",
    LineKind.REMOVED: "removed",
    LineKind.ADDED: "added",
    LineKind.GAP: "gap",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """A generation with the text of its answer."""

    generation: Recollection
    content: str = field(repr=False)


def generation_lines(generations: Sequence[Recollection], paint: Paint, width: int | None = None) -> Iterator[str]:
    """Yield the table of generations: what was answered, when, by whom, and whether that is kept."""
    header = ("GENERATION", "VERDICT", _ASKED, "COMMIT", "AGENT", "TOKENS", "TOOK", "BYTES", "RESULT")
    first, *lines = columns(fitted([header, *map(_row, generations)], width, *_LESS))
    yield paint(first, "dim")
    yield from lines


def generation_object(one: Recollection) -> dict[str, Any]:
    """Return what is known of a generation, for machines; null for what nobody kept."""
    kept = one.kept
    attempt = kept.attempt if kept is not None else one.attempts[-1] if one.attempts else None
    tokens = attempt.tokens if attempt is not None else None
    return {
        "generation": one.number,
        "verdict": one.verdict,
        "fingerprint": one.fingerprint,
        "plan": one.plan,
        "agent": one.agent or None,
        "run": attempt.run if attempt is not None else None,
        "revision": None if one.revision is None else revision_object(one.revision),
        "askedAt": one.asked_at,
        "answeredAt": kept.at if kept is not None else None,
        "seconds": attempt.seconds if attempt is not None else None,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion} if tokens is not None else None,
        "result": result_word(one),
        "sha256": kept.result.digest if kept is not None else None,
        "bytes": kept.result.size if kept is not None else None,
        "format": kept.result.format if kept is not None else None,
    }


def result_word(one: Recollection) -> str:
    """Return what became of the answer of a generation: `accepted`, `kept`, `removed`, or `none` where it gave none."""
    kept = one.kept
    if kept is None:
        return "none"
    if one.is_gone:
        return "removed"
    return "accepted" if kept.is_accepted else "kept"


def contrast_lines(before: Answered, after: Answered, paint: Paint) -> Iterator[str]:
    """Yield in what two generations differ: who was asked, by what, for what; and then their answers, by words."""
    old, new = before.generation, after.generation
    yield from _facts(old, new, paint)
    yield "    asked"
    asked = asked_diffs(old, new)
    if asked is None:
        lost = [f"g{one.number}" for one in (old, new) if one.spec is None]
        yield f"        {paint('what was asked for in ' + ' and '.join(lost) + ' was not kept', 'warning')}"
    elif not asked:
        yield "        the very same"
    for one in asked or ():
        yield from difference_lines(one, paint)
    yield "    answered"
    if before.content == after.content:
        yield "        the very same, byte for byte"
        return
    some = list(text_lines(*texts(before, after), paint, limit=sys.maxsize, indent=8))
    yield from some or ["        the same but for blanks at the ends of lines, or for how JSON is written"]


def contrast_object(before: Answered, after: Answered) -> dict[str, Any]:
    """Return in what two generations differ, for machines."""
    asked = asked_diffs(before.generation, after.generation)
    lines = changed_lines(*texts(before, after), limit=sys.maxsize)
    return {
        "before": {**generation_object(before.generation), "content": before.content},
        "after": {**generation_object(after.generation), "content": after.content},
        "asked": None if asked is None else [_diff_object(one) for one in asked],
        "answered": {
            "same": before.content == after.content,
            "lines": [{"kind": _KINDS[line.kind], "text": line.text} for line in lines],
        },
    }


def asked_diffs(before: Recollection, after: Recollection) -> tuple[FieldDiff, ...] | None:
    """Return in what differs what two generations were asked, secrets masked; None where nobody kept one of both."""
    return None if before.spec is None or after.spec is None else diff(before.spec, after.spec)


def texts(before: Answered, after: Answered) -> tuple[str, str]:
    """Return two answers as they are to be compared: JSON line by line, with its keys in order, where both are it."""
    kept = [one.generation.kept for one in (before, after)]
    if all(one is not None and one.result.format == "json" for one in kept):
        try:
            return _pretty(before.content), _pretty(after.content)
        except (ValueError, RecursionError):
            pass
    return before.content, after.content


def _pretty(content: str) -> str:
    return json.dumps(json.loads(content), indent=2, sort_keys=True, ensure_ascii=False)


def _diff_object(one: FieldDiff) -> dict[str, Any]:
    sides = {"before": one.before, "after": one.after}
    told = {name: value for name, value in sides.items() if not isinstance(value, Missing)}
    return {"path": path_text(one.path), **told}


def _facts(old: Recollection, new: Recollection, paint: Paint) -> Iterator[str]:
    sides = [_sides(one) for one in (old, new)]
    width = max(map(len, sides[0]))
    for name in sides[0]:
        if not any(side[name] for side in sides):
            continue
        left, right = (in_line(side[name], 300) or "-" for side in sides)
        told = left if left == right else f"{paint(left, 'remove')} → {paint(right, 'add')}"
        yield f"    {name.ljust(width)}  {told}"


def _sides(one: Recollection) -> dict[str, str]:
    kept = one.kept
    attempt = kept.attempt if kept is not None else None
    tokens = attempt.tokens if attempt is not None else None
    seconds = attempt.seconds if attempt is not None else None
    return {
        "generation": f"g{one.number}",
        "verdict": str(one.verdict or ""),
        "agent": one.agent,
        "asked at": utc(one.asked_at) if one.asked_at is not None else "",
        "revision": revision_words(one.revision),
        "by plan": one.plan or "",
        "run": (attempt.run or "") if attempt is not None else "",
        "took": duration(seconds) if seconds is not None else "",
        "tokens": str(tokens.prompt + tokens.completion) if tokens is not None else "",
        "result": plural(kept.result.size, "byte") if kept is not None else "",
    }


def _row(one: Recollection) -> tuple[str, ...]:
    side, kept = _sides(one), one.kept
    commit = in_line((one.revision.commit if one.revision is not None else None) or "")
    when = side["asked at"].removesuffix(" UTC")
    return (
        f"g{one.number}",
        side["verdict"] or "-",
        when or "-",
        commit[:_DIGITS] or "-",
        one_line(one.agent, 40) or "-",
        side["tokens"] or "-",
        side["took"] or "-",
        str(kept.result.size) if kept is not None else "-",
        result_word(one),
    )
