"""What causes the runs of a plan, line by line of the documents, in words. Finds nothing out."""

from collections.abc import Iterator
from typing import Final

from taskspec.plan.model import Plan
from taskspec.plan.tallying import Cause, Roots, causes_of
from taskspec.report.causes import place_words
from taskspec.report.text import Paint, in_line, one_line, plural

MOST: Final = 10
"""So many causes are listed."""


def cause_lines(plan: Plan, roots: Roots, paint: Paint) -> Iterator[str]:
    """Yield the causes of the runs, those of the most runs first; nothing where all is new, or one run tells all."""
    if plan.paid_runs < 2 or all(change.generation <= 1 for change in plan.changes if change.paid):
        return
    found = causes_of(plan, roots)
    for cause in found[:MOST]:
        yield f"  {paint('Cause', 'strong')}: {_named(cause, plan)}: {_price(cause)}"
    if len(found) > MOST:
        yield f"  and {plural(len(found) - MOST, 'more cause')}"


def _named(cause: Cause, plan: Plan) -> str:
    if cause.position is None or cause.root.line is None:
        return in_line(cause.root.words, 200)
    line, position = cause.root.line, cause.position
    words = place_words(line, position, plan)
    return one_line(words.replace(str(position), f"{line.file}:{line.line}") if line.line else words, 400)


def _price(cause: Cause) -> str:
    if not cause.certain:
        return f"up to {plural(cause.conditional, 'run')}"
    return plural(cause.certain, "run") + (f", up to {cause.conditional} more" if cause.conditional else "")
