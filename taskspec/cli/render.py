"""`taskspec render`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.declared import declared
from taskspec.cli.printing import paint_for, say, say_json_list


@click.command()
@options.targets
@options.variables
@options.as_json
def render(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], as_json: bool
) -> int:
    """Show what tasks become: their fields rendered, secrets masked.

    Needs no key, opens no connection and runs no agent, and reads no result: where a task uses results of others, words
    stand in their place. `plan` shows what is asked for once they are there.
    """
    from taskspec.cli.remarking import tell_warnings
    from taskspec.report.rendered import task_json, task_lines

    prepared, tasks = declared(options.invocation(words, project, given, exclude=exclude))
    if as_json:
        say_json_list("tasks", map(task_json, tasks.values()))
        return 0
    tell_warnings(prepared.warnings)
    paint = paint_for(sys.stdout)
    for index, task in enumerate(tasks.values()):
        say([*(["---"] if index else []), *task_lines(task, paint)])
    return 0
