"""`taskspec adopt`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.printing import note, paint_for, say
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode

if TYPE_CHECKING:
    from taskspec.plan.adopting import Candidate


@click.command()
@click.argument("address")
@click.argument("run")
@options.project
@options.variables
@options.locking
@click.option("--foreign", is_flag=True, help="Though the run bears a marker of another project or state.")
@click.option("-y", "--yes", is_flag=True, help="Take it without asking.")
@options.as_json
def adopt(
    address: str, run: str, project: Path | None, given: Sequence[str], foreign: bool, yes: bool, as_json: bool
) -> int:
    """Record a run of the remote as that of an address, by hand.

    For a run that was asked for and whose outcome is unknown, a declared task of which nothing is recorded, and one
    whose run is lost. Shows the run, what its marker says and what cannot be known, and asks. Starts nothing and
    changes nothing on the remote; the next apply waits for the run, or judges it.
    """
    from taskspec.cli.confirming import confirmed, events_view
    from taskspec.report.adopting import candidate_lines
    from taskspec.runner import adopting

    invocation = options.invocation([address], project or Path(), given)
    view = events_view(as_json=as_json)

    def approve(candidate: "Candidate") -> bool:
        if not as_json:
            say(candidate_lines(candidate, paint_for(sys.stdout)))
        return confirmed(f"Take it as the run of {candidate.address}?", "adopt", yes=yes, as_json=as_json)

    wish = adopting.Wish(run=run, foreign=foreign, approve=approve, emit=view.on)
    if not asyncio.run(adopting.adopt(invocation, Wiring(invocation.settings), wish)):
        note("Nothing was adopted.")
        return ExitCode.ERROR
    return ExitCode.OK
