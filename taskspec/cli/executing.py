"""The options that say how a plan is to be carried out. Runs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from taskspec.cli.options import Duration, F, following, locking, overriding
from taskspec.cli.showing import quiet

if TYPE_CHECKING:
    from taskspec.apply.model import Options


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """How a plan is to be carried out, and whether without asking."""

    yes: bool
    options: "Options"
    quiet: bool = False


def execution(command: F) -> F:
    """Add what `apply` and `retry` share."""
    for option in reversed(_EXECUTION):
        command = option(command)
    return overriding(locking(following(quiet(command))))


def unattended(command: F) -> F:
    """Add what a command takes that carries plans out and never asks."""
    for option in reversed(_EXECUTION[1:]):
        command = option(command)
    return overriding(locking(following(quiet(command))))


def repetition(command: F) -> F:
    """Add what `watch` shares with `apply`; it always waits, and goes beyond no limit."""
    for option in (_ON_UNKNOWN, _PARALLELISM):
        command = option(command)
    return command


def execution_of(given: Mapping[str, Any]) -> Execution:
    """Return what the options of `execution` say."""
    from taskspec.apply.model import Options

    return Execution(
        yes=given.get("yes", True),
        quiet=given["quiet"],
        options=Options(
            parallelism=given["parallelism"],
            wait=given["wait"],
            wait_timeout=given["wait_timeout"],
            hold_unknown=given["on_unknown"] == "hold",
            stop_duplicates=given["on_duplicate"] == "stop",
        ),
    )


_YES = click.option("-y", "--yes", is_flag=True, help="Carry the plan out without asking.")
_PARALLELISM = click.option(
    "--parallelism", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many runs at once."
)
_ON_UNKNOWN = click.option(
    "--on-unknown",
    type=click.Choice(["wait", "hold"]),
    default="wait",
    show_default=True,
    help="A run whose outcome is unknown: wait until it can be decided, or leave it.",
)
_EXECUTION = (
    _YES,
    _PARALLELISM,
    click.option("--wait/--no-wait", default=True, help="Wait for runs to end, or leave them running."),
    click.option(
        "--wait-timeout",
        type=Duration(),
        metavar="DURATION",
        help="Wait no longer than this, and exit with 4. Runs go on only on a hosted remote or under `taskspec serve`.",
    ),
    _ON_UNKNOWN,
    click.option(
        "--on-duplicate",
        type=click.Choice(["report", "stop"]),
        default="report",
        show_default=True,
        help="One create that the remote has as two runs: report it, or stop all but the recorded or earliest one.",
    ),
)
