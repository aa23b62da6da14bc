"""`--refresh-only` of `plan` and `apply`: shows what has drifted on the remote, and takes notice of it."""

import asyncio
import sys
from dataclasses import replace
from typing import Final

import click
from click.core import ParameterSource

from taskspec.cli.aiming import all_meant
from taskspec.cli.confirming import confirmed, events_view, require_yes
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.report.drifts import Drifts, drift_lines, drifts_json
from taskspec.report.exiting import ExitCode
from taskspec.runner import drifting
from taskspec.runner.choosing import nothing_chosen
from taskspec.runner.model import Invocation, Refresh

_OF_PLANS: Final = frozenset(
    {
        "--attach",
        "--expect-digest",
        "--expires",
        "--fail-on-risk",
        "--follow",
        "--on-duplicate",
        "--on-unknown",
        "--out",
        "--parallelism",
        "--report",
        "--rerun",
        "--since",
        "--wait",
        "--wait-timeout",
    }
)
"""Options that are about a plan: there is none."""


def show(invocation: Invocation, *, detailed: bool, as_json: bool) -> int:
    """Show what has drifted on the remote, and return the exit code."""
    _require_a_look(invocation)
    found = asyncio.run(drifting.drifts(invocation, Wiring(invocation.settings)))
    _note_who_is_not_there(found, invocation)
    if as_json:
        say_json(drifts_json(found))
    else:
        say(all_meant(drift_lines(found, paint_for(sys.stdout))))
    return found.exit_code(detailed=detailed)


def acknowledge(invocation: Invocation, *, yes: bool, as_json: bool, quiet: bool) -> int:
    """Take notice of what the runs of accepted results show now, and return the exit code.

    With --json what has drifted is said on stderr, and stdout has the events of what is recorded.
    """
    _require_a_look(invocation)
    if _is_given("refresh") and invocation.refresh is not Refresh.FULL:
        raise UsageError("apply --refresh-only looks at all tasks.", hint="Leave --refresh out.")
    require_yes(yes=yes, as_json=as_json)

    def approve(found: Drifts) -> bool:
        _note_who_is_not_there(found, invocation)
        noted = found.acknowledgeable
        if as_json:
            for line in all_meant(drift_lines(found, paint_for(sys.stderr), proposes=False)):
                note(line)
        elif not (quiet and yes and found.exit_code(detailed=False) is ExitCode.OK):
            say(all_meant(drift_lines(found, paint_for(sys.stdout), proposes=False)))
        if not noted:
            return True
        who = f"the run of {noted[0].address} shows" if len(noted) == 1 else f"these {len(noted)} runs show"
        return confirmed(f"Take notice of what {who}?", "apply --refresh-only", yes=yes, as_json=as_json)

    invocation, view = replace(invocation, refresh=Refresh.FULL), events_view(as_json=as_json)
    found = asyncio.run(drifting.acknowledge(invocation, Wiring(invocation.settings), approve, view.on))
    if found is None:
        note("Nothing was recorded.")
        return ExitCode.ERROR
    return found.exit_code(detailed=False)


def _note_who_is_not_there(found: Drifts, invocation: Invocation) -> None:
    if not found.found and not invocation.selection.everything:
        note(nothing_chosen(invocation.selection))


def _require_a_look(invocation: Invocation) -> None:
    """Raise UsageError where nobody would look, and for options that say something of a plan."""
    for parameter in click.get_current_context().command.params:
        about = _OF_PLANS.intersection(parameter.opts)
        if about and _is_given(parameter.name or ""):
            raise UsageError(f"{min(about)} is about a plan, and --refresh-only makes none.", hint="Leave one out.")
    if invocation.refresh is Refresh.NONE:
        raise UsageError("--refresh-only looks at the remote, and --refresh=none does not.", hint="Leave one out.")


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT
