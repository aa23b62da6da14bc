"""`taskspec cancel`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.report.exiting import ExitCode
from taskspec.report.text import visible
from taskspec.state.model import Holding


@click.command()
@options.target
@click.option(
    "--timeout",
    type=options.Duration(),
    default="60s",
    show_default=True,
    metavar="DURATION",
    help="How long to wait until the command has ended.",
)
@options.as_json
def cancel(words: Sequence[str], project: Path | None, timeout: float, as_json: bool) -> int:
    """End the command that holds the lock of the state, in order.

    An apply, a watch or any other that works on this project and environment: it gets SIGTERM, records what was
    running, and ends; its runs end or go on as with Ctrl-C. Only the very process that took the lock is asked, and
    only on this machine: one on another is named, with its CI job, and the exit code is 8. Where nobody holds the
    lock, nothing is done.
    """
    from taskspec.report.cancelling import cancelled_lines, holder_json
    from taskspec.runner.cancelling import Cancelled
    from taskspec.runner.cancelling import cancel as end
    from taskspec.state.holding import held

    invocation = options.invocation_of_all(words, project)

    def tell(holding: Holding) -> None:
        if not as_json:
            note(visible(f"{held(invocation.environment, holding).message} Asking it to end."))

    done = end(invocation, Wiring(invocation.settings), timeout, tell)
    if as_json:
        say_json(
            {
                "outcome": done.outcome.value,
                "holder": holder_json(done.holder),
                "woken": done.woken,
                "running": list(done.running),
                "unknown": list(done.unknown),
            }
        )
    elif done.holder is None:
        say([f"The state of environment `{invocation.environment}` is not locked: there is nothing to cancel."])
    else:
        relieved = done.outcome is Cancelled.RELIEVED
        paint = paint_for(sys.stdout)
        say(all_meant(cancelled_lines(done.holder, done.running, done.unknown, paint, relieved=relieved)))
    return ExitCode.OK
