"""`taskspec retry`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import executing, options, reporting
from taskspec.errors import UsageError


@click.command()
@options.targets
@options.variables
@executing.execution
@reporting.reports
@options.as_json
def retry(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    as_json: bool,
    **execution: object,
) -> int:
    """Grant one more attempt to tasks without an accepted result.

    For a run that failed, was interrupted or stopped, and whose policy grants no further attempt. Needs selectors:
    each further attempt costs money.
    """
    from taskspec.cli.applying import carry_out

    invocation = options.invocation(words, project, given, exclude=exclude)
    if not invocation.selection.words:
        hint = "Name their addresses, which `taskspec status` lists, or write `result:failed`."
        raise UsageError("retry needs to be told which tasks to try again.", hint=hint)
    wanted = executing.execution_of(execution)
    return carry_out(invocation, wanted.options, yes=wanted.yes, as_json=as_json, quiet=wanted.quiet, requested=True)
