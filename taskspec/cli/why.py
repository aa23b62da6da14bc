"""`taskspec why`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import paint_for, say_json, say_wrapped


@click.command()
@options.targets
@options.variables
@options.as_json
def why(words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], as_json: bool) -> int:
    """Say why a task runs or does not: what changed, and which line of which commit caused it.

    Tells what is recorded and declared, what is behind each difference, what its templates are made of, and what
    changed without mattering. Asks no remote: it goes by what is recorded of runs.
    """
    from taskspec.cli.wiring import Wiring
    from taskspec.errors import UsageError
    from taskspec.report import whys
    from taskspec.runner import explaining

    invocation = options.invocation(words, project, given, exclude=exclude)
    if invocation.selection.everything and invocation.target.is_dir():
        raise UsageError("Which task?", hint="Name one: `taskspec why ADDRESS`. `taskspec plan` tells of all.")
    found = explaining.why(invocation, Wiring(invocation.settings))
    if as_json:
        say_json({"tasks": [whys.why_json(one) for one in found]})
    else:
        say_wrapped(whys.several(found, paint_for(sys.stdout)))
    return 0
