"""`taskspec agents`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import paint_for, say, say_json, width_of
from taskspec.cli.wiring import Wiring

_SHOWN = ("id", "name", "status", "description", "version")


@click.group()
def agents() -> None:
    """Look at the agents of the remote."""


@agents.command("list")
@options.target
@options.as_json
def list_agents(words: Sequence[str], project: Path | None, as_json: bool) -> int:
    """List the agents that tasks may name.

    Those of the remote; where the project runs its tasks itself, those that it declares.
    """
    from taskspec.report.standing import agent_lines
    from taskspec.runner import telling

    invocation = options.invocation_of_all(words, project)
    found = asyncio.run(telling.agents(invocation, Wiring(invocation.settings)))
    if as_json:
        say_json({"agents": [{name: getattr(agent, name) for name in _SHOWN} for agent in found]})
    else:
        say(agent_lines(found, paint_for(sys.stdout), width_of(sys.stdout)))
    return 0
