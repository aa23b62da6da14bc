"""`taskspec logs`."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import click

from taskspec.cli import options
from taskspec.cli.printing import note, say
from taskspec.cli.wiring import Wiring
from taskspec.errors import UsageError
from taskspec.runner.model import Invocation


@click.command()
@options.targets
@options.variables
@click.option("-f", "--follow", is_flag=True, help="Show events as they come, until the run has ended.")
@options.as_json
def logs(
    words: Sequence[str],
    project: Path | None,
    exclude: Sequence[str],
    given: Sequence[str],
    follow: bool,
    as_json: bool,
) -> int:
    """Show what a task's newest run said and did.

    Prompt, thoughts, tool calls, what the agent wrote to stderr, and its answer, as the remote keeps them.
    """
    invocation = options.invocation(words, project, given, exclude=exclude)
    if not invocation.selection.words:
        raise UsageError("logs shows one task.", hint="Give one address; `taskspec status` lists them.")
    if follow:
        asyncio.run(_follow(invocation, as_json=as_json))
    else:
        asyncio.run(_show(invocation, as_json=as_json))
    return 0


async def _show(invocation: Invocation, *, as_json: bool) -> None:
    from taskspec.report.text import in_json
    from taskspec.report.transcript import message_lines
    from taskspec.runner import telling

    messages = await telling.log(invocation, Wiring(invocation.settings))
    for message in messages:
        say([in_json(json.dumps(message, ensure_ascii=True))] if as_json else message_lines(message))


async def _follow(invocation: Invocation, *, as_json: bool) -> None:
    from taskspec.report.text import in_json, visible
    from taskspec.report.transcript import Transcript
    from taskspec.runner import telling

    transcript = Transcript()
    idle: list[str] = []
    async with aclosing(telling.events(invocation, Wiring(invocation.settings), idle.append)) as events:
        async for event in events:
            if as_json:
                row = {"type": event.type, "run": event.task_id, "time": event.time, "data": event.data}
                say([in_json(json.dumps(row, ensure_ascii=True))])
            else:
                say(transcript.lines(event))
    if not as_json:
        say(transcript.rest())
    for status in idle:
        note(f"The run is {visible(status)}. No engine is running, so nothing more will come.")
