"""What a partial plan leaves out, in words. Decides nothing."""

from collections.abc import Iterator
from typing import Final, assert_never

from taskspec.plan.model import Affected, LeftOut, Plan
from taskspec.report.text import Paint, in_line, plural

MOST: Final = 10
"""So many are named."""
_OF: Final = 3


def left_out_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """Yield what is affected and was not selected; nothing where there is no such thing."""
    if not plan.left_out:
        return
    yield f"Left out: {plural(plan.unselected, 'task')} not selected, {len(plan.left_out)} of them affected."
    for one in plan.left_out[:MOST]:
        yield f"  {paint(one.address, 'strong')} {in_line(_said(one))}"
    if len(plan.left_out) > MOST:
        yield f"  and {len(plan.left_out) - MOST} more: `plan --json` lists them"


def _said(one: LeftOut) -> str:
    named = ", ".join(one.of[:_OF]) + (f" and {len(one.of) - _OF} more" if len(one.of) > _OF else "")
    match one.why:
        case Affected.UPSTREAM:
            verb = "needs" if len(one.of) == 1 else "need"
            return f"is not accepted, and {named} {verb} it: `--target` takes it along"
        case Affected.DEPENDENT:
            return f"depends on {named}, and is left as it is"
        case Affected.UNDECLARED:
            return "is recorded and no longer declared, and is left as it is"
        case _:
            assert_never(one.why)
