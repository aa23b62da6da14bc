"""`taskspec forget`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.aiming import meant
from taskspec.cli.printing import note, paint_for, say
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.report.exiting import ExitCode

if TYPE_CHECKING:
    from taskspec.report.forgetting import Farewell


@click.command()
@options.targets
@options.variables
@options.locking
@click.option("-y", "--yes", is_flag=True, help="Forget without asking.")
@options.as_json
def forget(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], yes: bool, as_json: bool
) -> int:
    """Take addresses out of the state, by hand.

    For runs that are lost, whose engine is gone, or whose outcome stays unknown. Asks no remote and stops nothing:
    says what may still be at work, and asks. What is still declared runs again, and is paid for, with the next apply.
    Results stay in the history. Needs selectors.
    """
    from taskspec.cli.confirming import confirmed, events_view
    from taskspec.report.forgetting import farewell_lines
    from taskspec.runner import forgetting

    invocation = options.invocation(words, project, given, exclude=exclude)
    if not invocation.selection.words:
        raise UsageError(
            "forget needs to be told which tasks.", hint="Name their addresses: `taskspec status` lists them."
        )
    view = events_view(as_json=as_json)

    def approve(farewells: "Sequence[Farewell]") -> bool:
        if not as_json:
            paint = paint_for(sys.stdout)
            say(meant(line) for farewell in farewells for line in farewell_lines(farewell, paint))
        what = farewells[0].record.address if len(farewells) == 1 else f"these {len(farewells)} tasks"
        return confirmed(f"Forget {what}?", "forget", yes=yes, as_json=as_json)

    if not asyncio.run(forgetting.forget(invocation, Wiring(invocation.settings), approve, view.on)):
        note("Nothing was forgotten.")
        return ExitCode.ERROR
    return ExitCode.OK
