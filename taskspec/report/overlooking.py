"""What a plan could not look at, in words. Decides nothing."""

from collections.abc import Iterator
from typing import Final

from taskspec.plan.model import Plan
from taskspec.plan.overlooking import Overlooked, overlooked
from taskspec.report.text import one_line, plural, some

MOST: Final = 8
"""So many are told."""


def overlooked_lines(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each reason why something was not seen."""
    found = overlooked(plan)
    for one in found[:MOST]:
        yield one_line(f"Not looked at: {_what(one)}: {one.reason}", 600)
    if len(found) > MOST:
        yield f"Not looked at: more, for {plural(len(found) - MOST, 'other reason')}."


def _what(one: Overlooked) -> str:
    agents = f"the runs of the {'agent' if len(one.agents) == 1 else 'agents'} {some(one.agents)}"
    addresses = f"the {'run' if len(one.addresses) == 1 else 'runs'} of {some(one.addresses)}"
    return " and ".join(words for words, names in ((agents, one.agents), (addresses, one.addresses)) if names)
