"""`taskspec state migrate`."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode

if TYPE_CHECKING:
    from taskspec.documents.places import Place
    from taskspec.report.migrating import Migration


class PlaceText(click.ParamType["Place"]):
    """A place that keeps a state; becomes a `Place`."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Place":
        """Return the place of a text."""
        from taskspec.documents.places import Place, place_of, shown

        if isinstance(value, Place):
            return value
        try:
            return place_of(str(value))
        except ValueError as error:
            self.fail(f"{shown(str(value))} {error}.", param, ctx)


@click.command()
@options.project
@options.locking
@click.option("--to", "target", type=PlaceText(), metavar="URL", required=True, help="Where it is to go, or `local`.")
@click.option(
    "--from", "source", type=PlaceText(), metavar="URL", help="Where it is (default: where the project keeps it)."
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--force", is_flag=True, help="Though the new place has another state, or newer entries of this one.")
@click.option("-y", "--yes", is_flag=True, help="Migrate without asking.")
@options.as_json
def migrate(
    project: Path | None,
    target: "Place",
    source: "Place | None",
    dry_run: bool,
    force: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Carry the whole state to another place: records, history and results.

    Both places are locked meanwhile. All of it is read back from the new place and compared; then the old one says that
    the state was moved, so that whoever still uses it is refused (7) and pays for nothing twice. Cut anywhere, the same
    command finishes it. Refused (7) is a new place with another lineage, or with entries that the state lacks.
    """
    from taskspec.cli.confirming import confirmed
    from taskspec.documents.places import secret_in
    from taskspec.report.migrating import done_lines, migration_json, migration_lines
    from taskspec.runner.migrating import Wish
    from taskspec.runner.migrating import migrate as carry

    invocation = options.invocation([], project or Path())
    paint = paint_for(sys.stdout)

    def approve(migration: "Migration") -> bool:
        if not as_json:
            say(migration_lines(migration, paint))
        return confirmed("Migrate the state?", "state migrate", yes=yes, as_json=as_json)

    wish = Wish(source=source, target=target, approve=approve, force=force, dry_run=dry_run)
    done = asyncio.run(carry(invocation, Wiring(invocation.settings), wish))
    if done is None:
        note("Nothing was migrated.")
        return ExitCode.ERROR
    if as_json:
        say_json(migration_json(done, dry_run=dry_run))
    elif dry_run:
        say(migration_lines(done, paint))
    else:
        say(all_meant(done_lines(done, None if secret_in(target.text) else target.text, paint)))
    return ExitCode.OK
