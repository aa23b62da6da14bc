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
    from taskspec.runner import validating

    invocation = options.invocation(words, project, given, exclude=exclude)
    validated = validating.validate(invocation, Wiring(invocation.settings))
    valid, selected = validated.valid, validated.selected
    if as_json:
        warnings = [diagnostic_json(d) for d in validated.warnings]
        say_json(
            {
                "valid": True,
                "tasks": valid.tasks,
                "selected": selected,
                "skippedFiles": valid.skipped,
                "diagnostics": warnings,
            }
        )
        return 0
    tell_warnings(validated.warnings)
    skipped = f" ({left_out(valid.skipped)})" if valid.skipped else ""
    some = "" if invocation.selection.everything else f", {selected or 'none'} of them selected"
    say([f"{plural(valid.tasks, 'task')} in {valid.project}: valid{some}.{skipped}"])
    return 0
