"""`taskspec accept`."""

import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, paint_for, say
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode

if TYPE_CHECKING:
    from taskspec.plan.accepting import Acceptance

_GENERATION: Final = re.compile(r"(?P<address>.+)@g(?P<number>[0-9]{1,9})", re.DOTALL)


@click.command()
@click.argument("address", metavar="ADDRESS[@gN]")
@options.project
@options.variables
@options.locking
@click.option("-y", "--yes", is_flag=True, help="Accept it without asking.")
@options.as_json
def accept(address: str, project: Path | None, given: Sequence[str], yes: bool, as_json: bool) -> int:
    """Make a kept result the accepted one, by hand.

    Of generation N, or the newest that is kept: one that was rejected, or that another has replaced. It counts for
    what is declared now, also where the text has changed since: so a mended typo is not paid for again. Shows
    the result and in what the text differs, and asks. Starts nothing, and asks no remote.
    """
    from taskspec.cli.audience import Audience
    from taskspec.cli.confirming import confirmed, events_view
    from taskspec.report.accepting import acceptance_lines
    from taskspec.report.counting import Tally
    from taskspec.runner import accepting

    found = _GENERATION.fullmatch(address)
    invocation = options.invocation([found["address"] if found else address], project or Path(), given)
    tally = Tally()
    audience = Audience(tally, events_view(as_json=as_json))

    def approve(acceptance: "Acceptance") -> bool:
        if not as_json:
            say(all_meant(acceptance_lines(acceptance, paint_for(sys.stdout))))
        question = f"Accept it as the result of {acceptance.address}?"
        return confirmed(question, "accept", yes=yes, as_json=as_json)

    wish = accepting.Wish(generation=int(found["number"]) if found else None, approve=approve, emit=audience.hear)
    if not asyncio.run(accepting.accept(invocation, Wiring(invocation.settings), wish)):
        note("Nothing was accepted.")
        return ExitCode.ERROR
    audience.close()
    return tally.exit_code
