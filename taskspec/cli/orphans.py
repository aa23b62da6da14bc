"""`taskspec orphans`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import paint_for, say_json, say_wrapped, width_of
from taskspec.cli.wiring import Wiring


@click.command()
@options.target
@options.variables
@options.as_json
def orphans(words: Sequence[str], project: Path | None, given: Sequence[str], as_json: bool) -> int:
    """List the runs of this project on the remote that are not recorded.

    Lists the runs of the agents of all declared and recorded tasks, and shows those whose title bears a marker of
    this state. Changes nothing. Exits with 9 where one of them may be at work, or is there twice.
    """
    from taskspec.report.orphans import orphan_lines, orphans_json
    from taskspec.runner import tracing

    invocation = options.invocation_of_all(words, project, given)
    found = asyncio.run(tracing.orphans(invocation, Wiring(invocation.settings)))
    if as_json:
        say_json(orphans_json(found))
    else:
        say_wrapped(all_meant(orphan_lines(found, paint_for(sys.stdout), width_of(sys.stdout))))
    return found.exit_code
