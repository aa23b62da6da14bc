"""`--refresh-only` of `plan` and `apply`: shows what has drifted on the remote, and takes notice of it."""

import asyncio
import sys
from dataclasses import replace

import click
from click.core import ParameterSource

from taskspec.cli import reporting
from taskspec.cli.aiming import all_meant
from taskspec.cli.confirming import confirmed, events_view
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.report.drifts import Drifts, drift_lines, drifts_json
from taskspec.report.exiting import ExitCode
from taskspec.runner import drifting
from taskspec.runner.choosing import nothing_chosen
from taskspec.runner.model import Invocation, Refresh


def show(invocation: Invocation, *, detailed: bool, as_json: bool) -> int:
    """Show what has drifted on the remote, and return the exit code."""
    _require_a_look(invocation)
    found = asyncio.run(drifting.drifts(invocation, Wiring(invocation.settings)))
    _note_who_is_not_there(found, invocation)
    if as_json:
        say_json(drifts_json(found))
    else:
        _say(found)
    return found.exit_code(detailed=detailed)


def acknowledge(invocation: Invocation, *, yes: bool, as_json: bool) -> int:
    """Take notice of what the runs of accepted results show now, which all are looked at; return the exit code."""
    _require_a_look(invocation)
    given = click.get_current_context().get_parameter_source("refresh") is not ParameterSource.DEFAULT
    if given and invocation.refresh is not Refresh.FULL:
        raise UsageError("apply --refresh-only looks at every run.", hint="Leave --refresh out.")

    def approve(found: Drifts) -> bool:
        _note_who_is_not_there(found, invocation)
        if not as_json:
            _say(found, proposes=False)
        count = len(found.acknowledgeable)
        what = "it" if count == 1 else f"these {count} runs"
        return not count or confirmed(f"Take notice of {what}?", "apply --refresh-only", yes=yes, as_json=as_json)

    invocation, view = replace(invocation, refresh=Refresh.FULL), events_view(as_json=as_json)
    found = asyncio.run(drifting.acknowledge(invocation, Wiring(invocation.settings), approve, view.on))
    if found is None:
        note("Nothing was recorded.")
        return ExitCode.ERROR
    return found.exit_code(detailed=False)


def _say(found: Drifts, *, proposes: bool = True) -> None:
    say(all_meant(drift_lines(found, paint_for(sys.stdout), proposes=proposes)))


def _note_who_is_not_there(found: Drifts, invocation: Invocation) -> None:
    if not found.found and not invocation.selection.everything:
        note(nothing_chosen(invocation.selection))


def _require_a_look(invocation: Invocation) -> None:
    if reporting.wanted_reports():
        raise UsageError("--refresh-only plans nothing to report on.", hint="Leave --report out.")
    if invocation.refresh is Refresh.NONE:
        raise UsageError("--refresh-only looks at the remote, and --refresh=none does not.", hint="Leave one out.")
    for name, value in (("--rerun", invocation.rerun), ("--since", invocation.since)):
        if value is not None:
            raise UsageError(
                f"{name} is about what is declared, and --refresh-only about what is recorded.", hint="Leave one out."
            )
