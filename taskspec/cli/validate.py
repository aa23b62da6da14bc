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
def validate(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], as_json: bool
) -> int:
    """Check the manifests, and say what is wrong and where.

    Reads, renders and checks everything, whatever is selected; needs no key, opens no connection and runs no agent.
    """
    from taskspec.cli.failing import diagnostic_json
    from taskspec.cli.remarking import left_out, tell_warnings
    from taskspec.runner.planning import prepare, selected_tasks

    invocation = options.invocation(words, project, given, exclude=exclude)
    ports = Wiring(invocation.settings)
    prepared = prepare(invocation, ports)
    tasks, selected = len(prepared.desired.tasks), len(selected_tasks(prepared, invocation, ports))
    if as_json:
        warnings = [diagnostic_json(d) for d in prepared.warnings]
        say_json(
            {
                "valid": True,
                "tasks": tasks,
                "selected": selected,
                "skippedFiles": prepared.skipped,
                "diagnostics": warnings,
            }
        )
        return 0
    tell_warnings(prepared)
    skipped = f" ({left_out(prepared.skipped)})" if prepared.skipped else ""
    some = "" if invocation.selection.everything else f", {selected or 'none'} of them selected"
    say([f"{plural(tasks, 'task')} in {prepared.desired.project.name}: valid{some}.{skipped}"])
    return 0
