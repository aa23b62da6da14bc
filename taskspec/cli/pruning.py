"""Older results removed by hand: shown, asked about, and told. Decides nothing."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from taskspec.cli.aiming import all_meant
from taskspec.cli.confirming import confirmed, events_view
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.report.exiting import ExitCode
from taskspec.report.text import Paint, plural, some

if TYPE_CHECKING:
    from taskspec.plan.retaining import Expendable
    from taskspec.runner.model import Invocation, Ports


def prune_by_hand(invocation: "Invocation", ports: "Ports", *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Remove what is kept no longer, once that is approved; return the exit code."""
    from taskspec.runner import retaining

    def approve(found: "Sequence[Expendable]") -> bool:
        if not as_json:
            say(all_meant(_lines(found, paint_for(sys.stdout))))
        return confirmed("Remove them from the state, for good?", "results prune", yes=yes, as_json=as_json)

    view = events_view(as_json=as_json)
    done = asyncio.run(retaining.prune(invocation, ports, approve, view.on, dry_run=dry_run))
    if dry_run and as_json:
        say_json({"removable": [_object(one) for one in done.found]})
        return ExitCode.OK
    if not done.found:
        note(
            "Nothing is to be removed."
            if done.declared
            else "No task of what is selected declares `retention`: every result is kept."
        )
        return ExitCode.OK
    if dry_run:
        say(all_meant(_lines(done.found, paint_for(sys.stdout))))
        return ExitCode.OK
    if not done.is_done:
        note("Nothing was removed.")
        return ExitCode.ERROR
    return ExitCode.OK


def _lines(found: "Sequence[Expendable]", paint: Paint) -> Iterator[str]:
    for one in found:
        which = some([f"g{number}" for number in one.generations])
        yield f"{paint('-', 'remove')} {paint(one.address, 'strong')}  {plural(len(one.digests), 'result')} of {which}"


def _object(one: "Expendable") -> dict[str, Any]:
    return {"address": one.address, "generations": list(one.generations), "results": sorted(one.digests)}
