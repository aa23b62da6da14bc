"""`taskspec watch`."""

from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import executing, options

_SHORTEST = 1.0


@click.command()
@options.targets
@options.variables
@options.refreshing
@click.option(
    "--interval",
    type=options.Duration(),
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="Time from one round to the next where no file changes.",
)
@click.option("-y", "--yes", is_flag=True, help="Carry every plan out without asking.")
@executing.repetition
@click.option("-v", "--verbose", is_flag=True, help="Write each effect, as apply does.")
@options.as_json
def watch(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    refresh: str,
    interval: float,
    yes: bool,
    parallelism: int,
    on_unknown: str,
    verbose: bool,
    as_json: bool,
) -> int:
    """Apply again and again: on an interval, and whenever a file changes.

    Each round is an apply without a question, within the limits of the project, and writes one line. What hinders a
    round (a remote that is down, wrong manifests, a lock) is told, and tried again. Without --yes it shows the first
    plan and asks once. Ctrl-C or SIGTERM ends it in order; the exit code says how the last round has left the tasks.
    """
    from taskspec.apply.model import Options
    from taskspec.cli.repeating import Showing, repeat
    from taskspec.errors import UsageError

    if interval < _SHORTEST:
        raise UsageError("--interval is less than a second.", hint="Write it like 30s, 15m or 2h.")
    invocation = options.invocation(words, project, given, refresh, exclude)
    chosen = Options(parallelism=parallelism, hold_unknown=on_unknown == "hold")
    return repeat(invocation, chosen, interval, Showing(as_json=as_json, verbose=verbose), yes=yes)
