"""`taskspec report`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, say_pieces
from taskspec.cli.wiring import Wiring
from taskspec.errors import TaskspecError

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

    It tells what the state holds, and asks no remote: each task with its answer, its events and its history. Whatever
    was written, it exits with 3 where a task has no accepted result, 5 where one waits for a person, 9 where an outcome
    is unknown: also that of a run which was active when it was last looked at, and `status` looks at it now. It is 1
    where the manifests are wrong: the report says so, and tells what is recorded.
    """
    from taskspec.cli.failing import tell
    from taskspec.cli.rendering import pieces
    from taskspec.diagnostics import ManifestError
    from taskspec.documents.replacing import write_whole
    from taskspec.runner import summing_up
    from taskspec.runner.choosing import nothing_chosen
    from taskspec.runner.remembering import Remembered

    invocation = options.invocation(words, project, given, exclude=exclude)
    account = summing_up.standing(invocation, Wiring(invocation.settings), Remembered())
    if account.trouble is not None:
        trouble = account.trouble
        wrong = ManifestError(account.diagnostics) if account.diagnostics else None
        tell(wrong or TaskspecError(trouble.message, hint=trouble.hint), as_json=False)
    if not account.tasks and not invocation.selection.everything:
        note(nothing_chosen(invocation.selection))
    if out == _STDOUT:
        say_pieces(pieces(form, account))
        return account.code
    try:
        write_whole(out, pieces(form, account))
    except OSError as error:
        raise TaskspecError(f"`{out}` cannot be written: {error.strerror}.", hint="Name another file.") from error
    note(f"The report is in {out}.")
    return account.code
