"""`taskspec state rebuild`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode, foremost

if TYPE_CHECKING:
    from taskspec.report.rebuilding import Rebuild


@click.command()
@options.project
@options.variables
@options.locking
@click.option("--lineage", metavar="LINEAGE", help="The lineage of the lost state, or its first 8 characters.")
@click.option("-y", "--yes", is_flag=True, help="Rebuild without asking.")
@options.as_json
def rebuild(project: Path | None, given: Sequence[str], lineage: str | None, yes: bool, as_json: bool) -> int:
    """Make a state that was lost anew, of the markers in the titles of the remote's runs.

    Lists the runs of all agents, and takes those of the declared tasks into an empty state, with their generations,
    verdicts and results, so that the next apply pays for nothing twice. Says what nobody can know any more, and asks.
    Starts and stops nothing. A state that is not empty is refused (7); where runs of several states are found, they are
    listed, and --lineage says which was lost (64). Exits with 9 where a run may be at work that is not recorded.
    """
    from taskspec.cli.confirming import confirmed
    from taskspec.report.rebuilding import rebuild_json, rebuild_lines
    from taskspec.runner import rebuilding

    invocation = options.invocation([], project or Path(), given)
    paint = paint_for(sys.stdout)

    def approve(found: "Rebuild") -> bool:
        if not as_json:
            say(all_meant(rebuild_lines(found, paint)))
        return confirmed("Make this the state?", "state rebuild", yes=yes, as_json=as_json)

    found, done = asyncio.run(rebuilding.rebuild(invocation, Wiring(invocation.settings), lineage, approve))
    if as_json:
        say_json(rebuild_json(found, done=done))
    elif found.chosen is None:
        say(all_meant(rebuild_lines(found, paint)))
    elif done:
        say(all_meant(["Rebuilt. `taskspec plan` shows what is left to do; nothing was started."]))
    if not done:
        note("Nothing was rebuilt.")
    return foremost([found.exit_code, *([] if done or found.chosen is None else [ExitCode.ERROR])])
