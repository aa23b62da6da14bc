"""`taskspec history`: what has happened, and whether what is told of it is what was told then."""

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from taskspec.cli import options
from taskspec.cli.aiming import meant
from taskspec.cli.printing import note, paint_for, say, say_json, say_json_list, say_wrapped
from taskspec.cli.usual import UsualGroup
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode

SHOWN: Final = 50
"""How many entries are told in words where no number is given."""
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Moment(click.ParamType[float]):
    """A moment: how long ago (`2h`, `7d`), a day (`2026-11-28`), or a time of ISO 8601; becomes seconds."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds since the epoch of a text; without a zone it is UTC, as everything that is shown."""
        if isinstance(value, float):
            return value
        from taskspec.documents.durations import seconds

        try:
            return time.time() - seconds(str(value))
        except ValueError:
            pass
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"`{value}` is no moment; write 2h, 7d, 2026-11-28 or 2026-11-28T16:00Z.", param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Hash(click.ParamType[str]):
    """A head: 64 hexadecimal digits."""

    name = "hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it in lower case; a part of a head proves nothing."""
        text = str(value).strip().lower()
        if not _HASH.fullmatch(text):
            self.fail("a head has 64 hexadecimal digits; give the whole of it.", param, ctx)
        return text


@click.group(cls=UsualGroup)
def history() -> None:
    """Tell what has happened, newest first, or verify that nobody changed it.

    `taskspec history [ADDRESS]` is short for `taskspec history show [ADDRESS]`.
    """


@history.command()
@click.argument("address", required=False)
@options.project
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Tell N entries at most (default: {SHOWN} in words, all with --json).",
)
@click.option(
    "--since", type=Moment(), metavar="MOMENT", help="Tell nothing older: 2h, 7d, 2026-11-28, 2026-11-28T16:00Z."
)
@options.as_json
def show(address: str | None, project: Path | None, limit: int | None, since: float | None, as_json: bool) -> int:
    """Tell what has happened, to one address or to all, newest first.

    Each entry with the moment (UTC), the serial at which it became durable, and who asked for it: a plan, or a person
    by hand. Also of addresses that have left the state. Reads the state alone.
    """
    from taskspec.report.histories import entry_json, entry_line
    from taskspec.runner import recounting

    invocation = options.invocation([], project or Path())
    most = limit if limit is not None or as_json else SHOWN + 1
    with recounting.history(invocation, Wiring(invocation.settings), address, limit=most, since=since) as told:
        if as_json:
            say_json_list("entries", map(entry_json, told.entries), {"head": told.head})
            return ExitCode.OK
        paint, count = paint_for(sys.stdout), 0
        for count, entry in enumerate(told.entries, 1):
            if limit is None and count > SHOWN:
                note(f"There are older ones: `--limit {SHOWN * 10}` tells more.")
                break
            say_wrapped([entry_line(entry, paint)])
        if not count:
            note("Nothing has happened since then." if since is not None else "Nothing has happened yet.")
        elif address is None:
            say_wrapped([paint(f"Head of the history: {told.head}", "dim")] if told.head else [])
    return ExitCode.OK


@history.command()
@options.project
@click.option("--head", type=Hash(), metavar="HASH", help="Require that the history has this head, which was kept.")
@options.as_json
def verify(project: Path | None, head: str | None, as_json: bool) -> int:
    """Compute the chain of the history anew, and name the first entry that was changed.

    Each entry's hash covers the one before it. That shows an edit, a removal or an insertion, but not a history that
    was written anew from there on: for that, keep a head that an apply has printed somewhere else, and give it. Exits
    with 1 where anything is wrong.
    """
    from taskspec.report.verifying import verified_json, verified_lines
    from taskspec.runner import recounting

    invocation = options.invocation([], project or Path())
    found = recounting.verified(invocation, Wiring(invocation.settings), head)
    if as_json:
        say_json(verified_json(found))
    else:
        say(map(meant, verified_lines(found, paint_for(sys.stdout))))
    return ExitCode.OK if found.is_intact else ExitCode.ERROR
