"""`taskspec retry`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.errors import UsageError


@click.command()
@options.targets
@options.variables
@options.execution
@options.as_json
def retry(words: Sequence[str], project: Path | None, given: Sequence[str], as_json: bool, **execution: object) -> int:
    """Grant one more attempt to tasks without an accepted result.

    For a run that failed, was interrupted or stopped, and whose policy grants no further attempt. Needs addresses:
    each further attempt costs money.
    """
    from taskspec.cli.applying import carry_out

    invocation = options.invocation(words, project, given)
    if not invocation.addresses:
        raise UsageError("retry needs the addresses of the tasks to try again.", hint="`taskspec status` lists them.")
    wanted = options.execution_of(execution)
    requested = frozenset(invocation.addresses)
    return carry_out(invocation, wanted.options, yes=wanted.yes, as_json=as_json, requested=requested)
