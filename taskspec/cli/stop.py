"""`taskspec stop`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.address import Address
from taskspec.cli import options
from taskspec.cli.aiming import meant
from taskspec.cli.printing import note, paint_for, say
from taskspec.cli.wiring import Wiring
from taskspec.errors import TaskspecError, UsageError
from taskspec.report.counting import Tally
from taskspec.report.exiting import ExitCode, foremost

if TYPE_CHECKING:
    from taskspec.report.view import View


@click.command()
@options.targets
@options.variables
@click.option("-y", "--yes", is_flag=True, help="End the runs without asking.")
@options.locking
@options.as_json
def stop(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], yes: bool, as_json: bool
) -> int:
    """End active runs.

    Of the addresses given; of what other selectors select, or of all tasks, after asking. What has ended is left as
    it is.
    """
    from taskspec.cli.applying import asked
    from taskspec.cli.audience import Audience
    from taskspec.cli.failing import tell
    from taskspec.cli.showing import json_lines
    from taskspec.report.narrating import Narrator
    from taskspec.runner import stopping

    invocation = options.invocation(words, project, given, exclude=exclude)
    tally = Tally()
    view: View = json_lines() if as_json else Narrator(lambda line: say([meant(line)]), paint_for(sys.stdout), tally)
    audience = Audience(tally, view)
    found = 0

    def approve(addresses: tuple[Address, ...]) -> bool:
        nonlocal found
        found = len(addresses)
        if yes or set(addresses) <= set(invocation.selection.meant):
            return True
        if not sys.stdin.isatty():
            raise UsageError(
                "stop asks before it ends runs whose addresses were not given.",
                hint="Add --yes, or name the addresses.",
            )
        return asked(f"End the runs of {', '.join(addresses)}?")

    try:
        approved = asyncio.run(stopping.stop(invocation, Wiring(invocation.settings), approve, audience.hear))
    except TaskspecError as error:
        return tell(error, as_json=as_json, beside=foremost((tally.exit_code, audience.close())))
    if not approved:
        note("Nothing was stopped.")
        return ExitCode.ERROR
    if not found and not as_json and not tally.unknown:
        say(["No run is active."])
    return foremost((tally.exit_code, audience.close()))
