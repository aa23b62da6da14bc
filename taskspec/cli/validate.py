"""`taskspec validate`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.report.text import plural


@click.command()
@options.targets
@options.variables
@options.as_json
def validate(words: Sequence[str], project: Path | None, given: Sequence[str], as_json: bool) -> int:
    """Check the manifests, and say what is wrong and where.

    Reads, renders and checks everything; needs no key, opens no connection and runs no agent.
    """
    from taskspec.cli.failing import diagnostic_json
    from taskspec.cli.remarking import left_out, tell_warnings
    from taskspec.runner.planning import prepare, require_declared

    invocation = options.invocation(words, project, given)
    prepared = prepare(invocation, Wiring(invocation.settings))
    require_declared(invocation.addresses, prepared.desired.tasks)
    tasks = len(prepared.desired.tasks)
    if as_json:
        warnings = [diagnostic_json(d) for d in prepared.warnings]
        say_json({"valid": True, "tasks": tasks, "skippedFiles": prepared.skipped, "diagnostics": warnings})
        return 0
    tell_warnings(prepared)
    skipped = f" ({left_out(prepared.skipped)})" if prepared.skipped else ""
    say([f"{plural(tasks, 'task')} in {prepared.desired.project.name}: valid.{skipped}"])
    return 0
