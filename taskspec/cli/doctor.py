"""`taskspec doctor`."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from taskspec.cli import options
from taskspec.cli.aiming import all_meant, meant
from taskspec.cli.printing import note, paint_for, say, say_json
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.report.exiting import ExitCode

if TYPE_CHECKING:
    from taskspec.report.checkups import Checkup
    from taskspec.runner.model import Invocation
    from taskspec.runner.probing import Probed


@click.command()
@options.target
@options.variables
@click.option("--offline", is_flag=True, help="Leave out what the remote would have to be asked for.")
@click.option("--remote", "probes", is_flag=True, help="Also find out what only a run can tell. It is paid for.")
@click.option("--agent", metavar="ID", help="Whose run that is (default: the agent of the first task).")
@click.option("-y", "--yes", is_flag=True, help="Start that run without asking.")
@options.as_json
def doctor(
    words: Sequence[str],
    project: Path | None,
    given: Sequence[str],
    offline: bool,
    probes: bool,
    agent: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Check what may keep a project from working, and say what to do.

    The project and its variables, the key (which is never shown), git, the state, its lock and its history, the
    results folder, the engine, and the remote: whether it answers, its clock, its agents. Changes nothing. With
    --remote it asks, starts a run that does nothing, and a second one where the remote knows no idempotency keys,
    stops them, and says what they tell. Exits with 1 where there is a problem.
    """
    from taskspec.report.checkups import checkup_line, checkups_json, closing_lines, has_problem

    if offline and probes:
        raise UsageError("--offline and --remote ask for two things.", hint="Leave one of them out.")
    if agent is not None and not probes:
        raise UsageError("--agent says whose run --remote starts.", hint="Add --remote, or leave it out.")
    invocation = options.invocation_of_all(words, project, given)
    paint = paint_for(sys.stdout)
    found: list[Checkup] = []

    def tell(one: "Checkup") -> None:
        found.append(one)
        if not as_json:
            say(all_meant([checkup_line(one, paint)]))

    asyncio.run(_diagnose(invocation, tell, offline=offline))
    probed: Probed | None = None
    if probes:
        probed = _probe(invocation, agent, tell, yes=yes, as_json=as_json)
    if as_json:
        say_json(checkups_json(found, probed.traits if probed is not None else None))
    else:
        say(closing_lines(found))
    declined = probes and probed is None
    return ExitCode.ERROR if has_problem(found) or declined else ExitCode.OK


async def _diagnose(invocation: "Invocation", tell: "Callable[[Checkup], None]", *, offline: bool) -> None:
    from taskspec.cli.leftovers import checked_engine
    from taskspec.runner.diagnosing import diagnose

    async for one in diagnose(invocation, Wiring(invocation.settings), checked_engine, offline=offline):
        tell(one)


def _probe(
    invocation: "Invocation", agent: str | None, tell: "Callable[[Checkup], None]", *, yes: bool, as_json: bool
) -> "Probed | None":
    """Ask, and start a run that tells what the remote is like; None where it was not approved."""
    from taskspec.cli.applying import asked
    from taskspec.runner.preparing import prepare
    from taskspec.runner.probing import Probed, probe, probed_agent

    ports = Wiring(invocation.settings)
    desired = prepare(invocation, ports).desired
    named = probed_agent(agent, desired.tasks)
    price = f"This starts one run of the agent {named}, which is paid for, and a second one where the remote knows no"
    note(meant(f"{price} idempotency keys. They do nothing, and are stopped."))
    if not yes and (as_json or not sys.stdin.isatty()):
        raise UsageError(
            "doctor --remote asks before it pays for a run, and there is nobody to ask.",
            hint="Add --yes to start it without being asked.",
        )
    if not yes and not asked("Start it?"):
        note("Nothing was started.")
        return None
    probed = Probed(agent=named)

    async def run() -> None:
        async for one in probe(desired.project, named, ports, probed):
            tell(one)

    asyncio.run(run())
    return probed
