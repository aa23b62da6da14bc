"""How an apply is shown, and for whom: the table of a terminal, lines of a log, few words, JSON. Decides no words."""

import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from taskspec.cli.aiming import meant
from taskspec.cli.options import F
from taskspec.cli.printing import note, paint_for, say, say_wrapped
from taskspec.report.counting import Tally
from taskspec.report.view import View
from taskspec.settings import from_environ

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskspec.plan.model import Plan
    from taskspec.report.narrating import Narrator

_UNSEEN: Final = (80, 24)
"""The size of a terminal that does not tell it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """How much is shown, and for whom."""

    as_json: bool = False
    quiet: bool = False


def quiet(command: F) -> F:
    """Add `--quiet`."""
    described = "Write what is wrong, and the last line. The exit code is the same."
    return click.option("-q", "--quiet", is_flag=True, help=described)(command)


def view_of(showing: Showing, plan: "Plan", parallelism: int, tally: Tally) -> View:
    """Return the view of an apply of a plan."""
    if showing.as_json:
        return json_lines()
    from taskspec.report.narrating import Narrator

    paint = paint_for(sys.stdout)

    def narrator(write: "Callable[[str], None]") -> "Narrator":
        return Narrator(lambda line: write(meant(line)), paint, tally)

    if showing.quiet:
        from taskspec.report.quieting import QuietNarrator

        return QuietNarrator(lambda line: say_wrapped([meant(line)]), paint, tally)
    from taskspec.report.board import Board

    board = Board(plan, parallelism, time.monotonic)
    settings = from_environ()
    if sys.stdout.isatty() and settings.color and settings.cursor:
        from taskspec.report.live import Live, Screen

        return Live(Screen(stream=sys.stdout, size=_size, paint=paint), board, narrator)
    from taskspec.report.progressing import Progress

    return Progress(lambda line: say_wrapped([line]), board, narrator, paint, time.monotonic)


def note_overlooked(plan: "Plan") -> None:
    """Say on stderr what a plan could not look at, where it is not shown in words."""
    from taskspec.report.overlooking import overlooked_lines

    for line in overlooked_lines(plan):
        note(line)


def json_lines() -> View:
    """Return the view that writes events as JSON lines to stdout."""
    from taskspec.report.jsonlines import JsonLines

    def write(line: str) -> None:
        say([line])

    return JsonLines(write, lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


def _size() -> tuple[int, int]:
    found = shutil.get_terminal_size(_UNSEEN)
    return found.columns, found.lines
