"""`taskspec graph`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.declared import declared
from taskspec.cli.printing import say, say_json


@click.command()
@options.targets
@options.variables
@click.option(
    "--format",
    "language",
    type=click.Choice(["mermaid", "dot"]),
    default="mermaid",
    show_default=True,
    help="The language of the graph.",
)
@options.as_json
def graph(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    language: str,
    as_json: bool,
) -> int:
    """Show which tasks wait for which, for a drawing program.

    An arrow leads from a task to one that uses its result; a dotted one where only the order counts.
    """
    from taskspec.cli.remarking import tell_warnings
    from taskspec.report import graphs

    prepared, tasks = declared(options.invocation(words, project, given, exclude=exclude))
    if as_json:
        say_json(graphs.as_json(tasks))
        return 0
    tell_warnings(prepared.warnings)
    say(graphs.dot(tasks) if language == "dot" else graphs.mermaid(tasks))
    return 0
