"""What a doctor found, one line each: in words and for machines. Checks nothing itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from taskspec.report.text import Paint, in_line, plural


class Condition(StrEnum):
    """How it stands with what was checked."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkup:
    """One thing that was checked, what was found, and what to do about it."""

    check: str
    """A stable name."""
    condition: Condition
    text: str
    hint: str = ""


_MARKS: Final[Mapping[Condition, tuple[str, str]]] = {
    Condition.OK: ("ok", "good"),
    Condition.WARNING: ("warning", "warning"),
    Condition.PROBLEM: ("problem", "error"),
}
_LONGEST: Final = 1000


def fine(check: str, text: str) -> Checkup:
    """Return that all is well."""
    return Checkup(check=check, condition=Condition.OK, text=text)


def doubtful(check: str, text: str, hint: str = "") -> Checkup:
    """Return what is to be known, and keeps nothing from working."""
    return Checkup(check=check, condition=Condition.WARNING, text=text, hint=hint)


def wrong(check: str, text: str, hint: str = "") -> Checkup:
    """Return what keeps something from working, or makes it unsafe."""
    return Checkup(check=check, condition=Condition.PROBLEM, text=text, hint=hint)


def has_problem(checkups: Iterable[Checkup]) -> bool:
    """Tell whether any of them is a problem."""
    return any(one.condition is Condition.PROBLEM for one in checkups)


def checkup_line(one: Checkup, paint: Paint) -> str:
    """Return one line: how it stands, what was checked, what was found, and what to do."""
    mark, style = _MARKS[one.condition]
    hint = f" {paint('→', 'accent')} {in_line(one.hint, _LONGEST)}" if one.hint else ""
    return f"{paint(mark.ljust(8), style)} {one.check.ljust(10)} {in_line(one.text, _LONGEST)}{hint}"


def closing_lines(checkups: Sequence[Checkup]) -> Iterator[str]:
    """Yield what all of them come to."""
    problems = sum(one.condition is Condition.PROBLEM for one in checkups)
    warnings = sum(one.condition is Condition.WARNING for one in checkups)
    yield ""
    yield f"{plural(len(checkups), 'check')}: {plural(problems, 'problem')}, {plural(warnings, 'warning')}."


def checkups_json(checkups: Sequence[Checkup], traits: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what was found, for machines; `traits` are those of a remote that was probed."""
    return {
        "checks": [
            {"check": one.check, "condition": one.condition.value, "text": one.text, "hint": one.hint}
            for one in checkups
        ],
        "problems": sum(one.condition is Condition.PROBLEM for one in checkups),
        "warnings": sum(one.condition is Condition.WARNING for one in checkups),
        "traits": None if traits is None else dict(traits),
    }
