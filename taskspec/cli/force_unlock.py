"""`taskspec force-unlock`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.report.exiting import ExitCode
from taskspec.report.text import visible
from taskspec.state.model import Holding


@click.command()
@options.target
@click.argument("epoch", type=click.IntRange(min=1))
@click.option("-y", "--yes", is_flag=True, help="Take the lock without asking.")
@click.option("--force", is_flag=True, help="Take it also from a command that is at work.")
@options.as_json
def force_unlock(words: Sequence[str], project: Path | None, epoch: int, yes: bool, force: bool, as_json: bool) -> int:
    """Take the lock of the state from a command that does not go on.

    EPOCH is in the message of whoever found the state locked. Never needed where the holder has died: its lock ends by
    itself, on a shared state 60 seconds after its last heartbeat. Needed where its process is suspended, or sits on a
    machine that is out of reach. A holder that still says that it lives keeps the lock, without --force. Whatever the
    old holder writes later is refused, and its command then ends with 8; the next apply finds out what has become of
    its runs.
    """
    from taskspec.cli.applying import asked
    from taskspec.runner.unlocking import Unlocked, unlock
    from taskspec.state.holding import as_json as shown
    from taskspec.state.holding import held

    invocation = options.invocation_of_all(words, project)
    found: Holding | None = None

    def approve(holding: Holding) -> bool:
        nonlocal found
        found = holding
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(
                "force-unlock asks before it takes a lock, and there is no terminal to ask on.",
                hint="Add --yes to take it without being asked.",
            )
        note(visible(held(invocation.environment, holding).message))
        return asked("Take the lock from it?")

    outcome = unlock(invocation, Wiring(invocation.settings), epoch, approve, force=force)
    if outcome is Unlocked.LEFT:
        note("The lock was left as it is.")
        return ExitCode.ERROR
    taken = found if outcome is Unlocked.TAKEN else None
    if as_json:
        say_json({"unlocked": taken is not None, "lock": None if taken is None else shown(taken)})
    elif taken is None or taken.holder is None:
        say([f"The state of environment `{invocation.environment}` is not locked."])
    else:
        who = f"process {taken.holder.pid} on {taken.holder.host}"
        say([visible(f"The lock is free. Whatever {who} still writes under epoch {epoch} is refused.")])
    return ExitCode.OK
