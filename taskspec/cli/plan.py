"""`taskspec plan`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring


@click.command()
@options.targets
@options.variables
@options.refreshing
@options.overriding
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 where there is something to do.")
@options.as_json
def plan(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    refresh: str,
    detailed_exitcode: bool,
    as_json: bool,
) -> int:
    """Show what apply would do, and why. Changes nothing.

    Runs no agent. Exits with 3 or 5 where something recorded has no accepted result or waits for a person.
    """
    from taskspec.cli import remarking
    from taskspec.report import exiting
    from taskspec.runner import converging, planning
    from taskspec.runner.choosing import nothing_chosen

    invocation = options.invocation(words, project, given, refresh, exclude)
    ports = Wiring(invocation.settings)
    if as_json:
        made = planning.plan(invocation, ports)
    else:
        made = converging.plan_or_recall(invocation, ports, remarking.remark)
    if as_json and not made.changes and made.unselected:
        note(nothing_chosen(invocation.selection))
    if as_json:
        from taskspec.plan.encoding import to_json

        say_json(to_json(made))
    else:
        from taskspec.report.plans import lines

        say(lines(made, paint_for(sys.stdout)))
    return exiting.of_plan(made, detailed=detailed_exitcode)
