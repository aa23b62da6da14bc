"""`taskspec state`: looks after what is recorded."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant, meant
from taskspec.cli.migrating import migrate
from taskspec.cli.printing import note, paint_for, say, say_json, say_json_list, say_pieces, width_of
from taskspec.cli.rebuilding import rebuild
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode

if TYPE_CHECKING:
    from taskspec.report.pushing import Replacement
    from taskspec.report.relocating import Relocation


@click.group()
def state() -> None:
    """Look after the state: list, show, move, pull, push, migrate and rebuild what is recorded."""


state.add_command(migrate)
state.add_command(rebuild)


@state.command("list")
@options.targets
@options.variables
@options.as_json
def list_records(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], as_json: bool
) -> int:
    """List what is recorded.

    Reads the state alone: no task has to be right, and no remote is asked. For each address its newest generation, how
    many attempts that has and how the last one stands, whose result is accepted, and how long ago something happened.
    """
    from taskspec.report.records import record_lines, record_row
    from taskspec.runner import recounting
    from taskspec.runner.choosing import nothing_chosen

    invocation = options.invocation(words, project, given, exclude=exclude)
    snapshot, records = recounting.recorded(invocation, Wiring(invocation.settings))
    if as_json:
        beside = {"lineage": snapshot.lineage, "serial": snapshot.serial, "head": snapshot.head}
        say_json_list("records", map(record_row, records), beside)
    elif records or invocation.selection.everything:
        say(record_lines(records, time.time(), paint_for(sys.stdout), width_of(sys.stdout)))
    if not records and not invocation.selection.everything:
        note(nothing_chosen(invocation.selection))
    return ExitCode.OK


@state.command()
@click.argument("address")
@options.project
@options.as_json
def show(address: str, project: Path | None, as_json: bool) -> int:
    """Show everything that is recorded of an address.

    Its generation with every attempt, its accepted result, and what the history tells of the attempts before. Secrets
    are not in it. Also of an address that has left the state.
    """
    from taskspec.plan.keeping import specs_of
    from taskspec.report.histories import entry_json, entry_line
    from taskspec.report.records import everything_lines, everything_object, past_lines
    from taskspec.runner import recounting
    from taskspec.state.retelling import retold

    invocation = options.invocation([], project or Path())
    found = recounting.everything(invocation, Wiring(invocation.settings), address)
    past = retold(found.history)
    if as_json:
        say_json(
            {
                "address": address,
                "lineage": found.snapshot.lineage,
                "serial": found.snapshot.serial,
                **everything_object(found.record, past),
                "history": [entry_json(entry) for entry in found.history],
            }
        )
        return ExitCode.OK
    paint = paint_for(sys.stdout)
    specs = specs_of(found.record, (entry.note for entry in found.history))
    if found.record is None:
        say([f"{paint(address, 'strong')}  has left the state", *past_lines(past, specs, paint)])
        say(entry_line(entry, paint) for entry in found.history[:1])
    else:
        say(everything_lines(found.record, past, specs, time.time(), paint))
    return ExitCode.OK


@state.command()
@click.argument("before", metavar="FROM")
@click.argument("now", metavar="TO")
@options.project
@options.locking
@click.option("--dry-run", is_flag=True, help="Show what would be moved, and move nothing.")
@click.option("-y", "--yes", is_flag=True, help="Move without asking.")
@options.as_json
def mv(before: str, now: str, project: Path | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Give what is recorded under one address another, by hand.

    A task without brackets takes all of its cells along: `report rapport` moves `report[q1]` to `rapport[q1]`. What is
    recorded under TO is never replaced. Runs go on as they are, with the markers that they have; the results' files are
    moved too. `moved` in a manifest does the same, and can be reviewed.
    """
    from taskspec.cli.confirming import confirmed, events_view
    from taskspec.report.relocating import relocation_lines
    from taskspec.runner import relocating

    invocation = options.invocation([], project or Path())
    view = events_view(as_json=as_json)

    def approve(relocations: "list[Relocation]") -> bool:
        if not as_json:
            say(relocation_lines(relocations, paint_for(sys.stdout)))
        elif dry_run:
            say_json({"moves": [{"from": one.before, "to": one.record.address} for one in relocations]})
        if dry_run:
            return False
        what = f"{relocations[0].before}" if len(relocations) == 1 else f"these {len(relocations)} addresses"
        return confirmed(f"Move {what}?", "state mv", yes=yes, as_json=as_json)

    moved = asyncio.run(relocating.relocate(invocation, Wiring(invocation.settings), (before, now), approve, view.on))
    if not moved:
        note("Nothing was moved.")
    return ExitCode.OK if moved or dry_run else ExitCode.ERROR


@state.command()
@options.project
@click.option(
    "--out", "file", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file instead, for its owner."
)
@click.option("--results/--no-results", default=True, help="With the texts of all kept results, or without.")
def pull(project: Path | None, file: Path | None, results: bool) -> int:
    """Write the whole state as one JSON document.

    Records, history and results, at one serial; it fits `taskspec schema state`. It holds prompts and answers, but no
    value that is a secret. Equal states give equal bytes.
    """
    from taskspec.runner import pulling

    invocation = options.invocation([], project or Path())
    with pulling.pulled(invocation, Wiring(invocation.settings), results=results) as text:
        if file is None:
            say_pieces(text)
        else:
            pulling.pull_to(file, text)
            note(f"{file} written.")
    return ExitCode.OK


@state.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@options.project
@options.locking
@click.option("--force", is_flag=True, help="Though it is of another lineage or environment, or lacks what was done.")
@click.option("-y", "--yes", is_flag=True, help="Push without asking.")
@options.as_json
def push(file: Path, project: Path | None, force: bool, yes: bool, as_json: bool) -> int:
    """Put a pulled document in the place of the state.

    FILE may be `-`. Refused (7) is one of another lineage, of a serial that is not newer, and one whose history does
    not go on from that of the state, as it would forget what is paid for; a state in which nothing was kept takes any.
    Everything in it is checked before anything is written. Starts nothing; the next apply writes the results' files.
    """
    from taskspec.cli.confirming import confirmed
    from taskspec.report.pushing import replacement_json, replacement_lines
    from taskspec.runner import pushing

    invocation = options.invocation([], project or Path())

    def approve(replacement: "Replacement") -> bool:
        if not as_json:
            say(all_meant(replacement_lines(replacement, paint_for(sys.stdout))))
        return confirmed("Replace the state?", "state push", yes=yes, as_json=as_json)

    done = asyncio.run(pushing.push(invocation, Wiring(invocation.settings), file, approve, force=force))
    if done is None:
        note("Nothing was pushed.")
        return ExitCode.ERROR
    if as_json:
        say_json(replacement_json(done))
    elif done.same:
        say([f"The state is that of {file} already: nothing is to be done."])
    else:
        say([meant(f"Pushed: the state is at serial {done.after.serial}. `taskspec plan` shows what it means.")])
    return ExitCode.OK
