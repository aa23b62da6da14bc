"""`taskspec apply`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options


@click.command()
@options.targets
@options.variables
@options.refreshing
@options.rerunning
@options.execution
@options.as_json
def apply(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    refresh: str,
    as_json: bool,
    **execution: object,
) -> int:
    """Make it so: start what is missing, wait, judge and record every result.

    Shows the plan and asks, unless --yes is given; carries out exactly what was shown. Ctrl-C ends it in order
    and records what was running. Runs go on, and the next apply with them, on a hosted remote or under
    `taskspec serve`; those of an engine that apply itself has started end with it.
    """
    from taskspec.cli.applying import carry_out

    invocation = options.invocation(words, project, given, refresh, exclude)
    wanted = options.execution_of(execution)
    return carry_out(invocation, wanted.options, yes=wanted.yes, as_json=as_json)
