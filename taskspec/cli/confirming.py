"""What commands share that decide by hand: they ask before they change what is recorded, and tell it as events."""

import sys

from taskspec.cli.aiming import meant
from taskspec.cli.applying import asked
from taskspec.cli.printing import paint_for, say
from taskspec.cli.showing import json_lines
from taskspec.errors import UsageError
from taskspec.report.view import View


def confirmed(question: str, command: str, *, yes: bool, as_json: bool) -> bool:
    """Ask on the terminal, unless it was said before; raise UsageError where there is nobody to ask."""
    require_yes(yes=yes, as_json=as_json)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            f"{command} asks before it changes what is recorded, and there is no terminal to ask on.",
            hint="Add --yes to do it without being asked.",
        )
    return asked(question)


def require_yes(*, yes: bool, as_json: bool) -> None:
    """Raise UsageError where somebody would be asked about what only a machine was shown."""
    if as_json and not yes:
        raise UsageError("--json needs --yes: nobody is asked about what was not shown.", hint="Add --yes.")


def events_view(*, as_json: bool) -> View:
    """Return who tells what was done: in words, or as JSON lines."""
    if as_json:
        return json_lines()
    from taskspec.report.counting import Tally
    from taskspec.report.narrating import Narrator

    return Narrator(lambda line: say([meant(line)]), paint_for(sys.stdout), Tally())
