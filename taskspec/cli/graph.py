"""`taskspec graph`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, say, say_json
from taskspec.cli.wiring import Wiring


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
    from taskspec.runner.choosing import nothing_chosen
    from taskspec.runner.planning import prepare, selected_tasks

    invocation = options.invocation(words, project, given, exclude=exclude)
    ports = Wiring(invocation.settings)
    prepared = prepare(invocation, ports)
    selected = selected_tasks(prepared, invocation, ports)
    if not selected:
        note(nothing_chosen(invocation.selection))
    tasks = {address: prepared.desired.tasks[address] for address in selected}
    if as_json:
        say_json(graphs.as_json(tasks))
        return 0
    tell_warnings(prepared.warnings)
    say(graphs.dot(tasks) if language == "dot" else graphs.mermaid(tasks))
    return 0
