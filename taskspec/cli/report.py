"""`taskspec report`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, say_pieces
from taskspec.cli.wiring import Wiring

_STDOUT = Path("-")


@click.command()
@options.targets
@options.variables
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The file to write; `-` is stdout.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "markdown", "junit", "jsonl"]),
    default="html",
    show_default=True,
    help="What to write.",
)
def report(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], out: Path, form: str
) -> int:
    """Write a report of how the tasks stand: one page of HTML that needs nothing else.

    It tells what the state holds, and asks no remote: each task with its answer, its events and its history. The exit
    code is that of `status`, whatever was written: 3 where a task has no accepted result, 5 where one waits for a
    person, 9 where an outcome is unknown.
    """
    from taskspec.cli.rendering import pieces
    from taskspec.documents.replacing import write_whole
    from taskspec.runner import summing_up
    from taskspec.runner.choosing import nothing_chosen
    from taskspec.runner.remembering import Remembered

    invocation = options.invocation(words, project, given, exclude=exclude)
    account = summing_up.standing(invocation, Wiring(invocation.settings), Remembered())
    if not account.tasks and not invocation.selection.everything:
        note(nothing_chosen(invocation.selection))
    if out == _STDOUT:
        say_pieces(pieces(form, account))
    else:
        write_whole(out, pieces(form, account))
        note(f"The report is in {out}.")
    return account.code
