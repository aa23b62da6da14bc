"""`taskspec status`."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant
from taskspec.cli.printing import note, paint_for, say_json, say_wrapped, width_of
from taskspec.cli.wiring import Wiring

if TYPE_CHECKING:
    from taskspec.report.standing import Standing


@click.command()
@options.targets
@options.variables
@options.as_json
def status(
    words: Sequence[str], project: Path | None, exclude: Sequence[str], given: Sequence[str], as_json: bool
) -> int:
    """Show how each task stands.

    Joins a running engine and disturbs nothing. Declared tasks that were never applied are shown, and leave the exit
    code alone: it tells of what is recorded. Exits with 3 where a task has no accepted result, 5 where one waits
    for a person, 9 where an outcome is unknown.
    """
    from taskspec.report.exiting import foremost, of_health
    from taskspec.report.standing import status_lines
    from taskspec.runner import telling
    from taskspec.runner.choosing import nothing_chosen

    invocation = options.invocation(words, project, given, exclude=exclude)
    standings = asyncio.run(telling.status(invocation, Wiring(invocation.settings)))
    if as_json:
        say_json({"tasks": [_json(standing) for standing in standings]})
    elif standings or invocation.selection.everything:
        told = status_lines(standings, time.time(), paint_for(sys.stdout), width_of(sys.stdout))
        say_wrapped(all_meant(told))
    if not standings and not invocation.selection.everything:
        note(nothing_chosen(invocation.selection))
    return foremost(of_health(standing.health) for standing in standings if standing.health)


def _json(standing: "Standing") -> dict[str, Any]:
    accepted = standing.accepted
    return {
        "address": standing.address,
        "agent": standing.agent,
        "health": standing.health,
        "verdict": standing.verdict,
        "generation": standing.generation,
        "attempt": standing.attempt,
        "run": standing.run,
        "status": standing.status,
        "startedAt": standing.began,
        "finishedAt": standing.ended,
        "detail": standing.detail,
        "accepted": {
            "generation": accepted.generation,
            "run": accepted.run,
            "sha256": accepted.result.digest,
            "bytes": accepted.result.size,
            "format": accepted.result.format,
        }
        if accepted
        else None,
    }
