"""doctor --remote: what only a paid run can tell of a remote. Records nothing: its run is of no task, and is stopped.

Each create is sent once. One whose outcome is unknown is told with its marker, and never repeated but by its own key.
"""

import asyncio
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from taskspec.documents.model import Project
from taskspec.errors import (
    AuthenticationError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    TaskspecError,
    UsageError,
)
from taskspec.markers import Marker
from taskspec.report.checkups import Checkup, doubtful, fine, wrong
from taskspec.report.text import duration
from taskspec.runner.checking_remote import Tasks
from taskspec.runner.model import Need, Ports
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.records import ENDED, NewTask

PATIENCE: Final = 60.0
"""Seconds to wait for a run to be listed, and for its end."""
PROMPT: Final = "This is a probe of taskspec. Do nothing, use no tool, and answer with the word OK."
SOURCE: Final = "taskspec-probe"
_LINEAGE: Final = "probe"
_SHARE: Final = 0.5
"""How much of the quiet period a run may take to be listed, before that is too near to it."""


@dataclass(slots=True)
class Probed:
    """What was found out; None for what could not be."""

    agent: str
    runs: list[str] = field(default_factory=list)
    traits: dict[str, Any] = field(default_factory=dict)


def probed_agent(agent: str | None, tasks: Tasks) -> str:
    """Return which agent is probed: the one that is named, else the first of the tasks."""
    found = agent or next((task.agent for task in tasks.values()), None)
    if found is None:
        raise UsageError("No task names an agent that could be probed.", hint="Name one with --agent.")
    return found


async def probe(project: Project, agent: str, ports: Ports, probed: Probed) -> AsyncIterator[Checkup]:
    """Yield what a run of an agent tells of the remote; `probed` holds it too, as far as it has come."""
    async with ports.connect(project, Need.RUN) as link:
        connection = link.connection
        try:
            async for one in _probe(connection, agent, probed):
                yield one
        except OutcomeUnknownError as error:
            yield wrong("probe", f"whether a run was started is not known: {error.message}", _look(agent))
        except TaskspecError as error:
            yield wrong("probe", error.message, error.hint)
        finally:
            left = await _stopped(connection, probed)
        if left:
            yield wrong("probe", f"not stopped: {', '.join(left)}", "`taskspec tasks stop RUN` ends it.")
        elif probed.runs:
            yield fine("probe", f"its runs have ended: {', '.join(probed.runs)}")


async def _probe(connection: Connection, agent: str, probed: Probed) -> AsyncIterator[Checkup]:
    key = secrets.token_hex(8)
    marker = Marker(lineage=_LINEAGE, address="0" * 12, digest="0" * 8, generation=1, nonce=key).text
    title = f"taskspec probe {marker}"
    asked = NewTask(prompt=PROMPT, title=title, source=SOURCE)
    minted = str(uuid.uuid4())
    sent, run = await _created(connection, agent, replace(asked, existing_task_id=minted), key)
    if run is None:
        probed.traits["honoursClientIds"] = False
        key = secrets.token_hex(8)  # what was refused is asked for anew, with a key of its own
        sent, run = await _created(connection, agent, asked, key, refusable=False)
        request = asked
    else:
        probed.traits["honoursClientIds"] = run == minted
        request = replace(asked, existing_task_id=minted)
    assert run is not None
    probed.runs.append(run)
    kept = "honoured" if probed.traits["honoursClientIds"] else "not honoured"
    yield fine("ids", f"an id of the client's own is {kept}")
    yield await _title(connection, run, title, probed)
    yield await _listed(connection, agent, run, sent, probed)
    yield await _key(connection, agent, request, key, run, probed)


async def _created(
    connection: Connection, agent: str, task: NewTask, key: str, *, refusable: bool = True
) -> tuple[float, str | None]:
    """Send a create, once; return when, and the id of its run, or None where the remote refuses it."""
    sent = time.monotonic()
    timeout = connection.traits.create_timeout
    try:
        found = await connection.run(endpoints.create_task(agent, task, idempotency_key=key, timeout=timeout))
    except RefusedError as error:
        if not refusable or isinstance(error, AuthenticationError | RateLimitedError):
            raise
        return sent, None
    return sent, found.id


async def _title(connection: Connection, run: str, title: str, probed: Probed) -> Checkup:
    found = await connection.run(endpoints.get_task(run))
    kept = found.title == title
    probed.traits["keepsTitles"] = kept
    probed.traits["keepsSources"] = found.raw.get("source") == SOURCE
    if kept:
        return fine("titles", "a title comes back as it was sent, with its marker")
    text = "a title does not come back as it was sent: runs of unknown outcome cannot be found by their marker"
    return wrong("titles", text, "They are settled by hand: docs/recovery.md.")


async def _listed(connection: Connection, agent: str, run: str, sent: float, probed: Probed) -> Checkup:
    """Look at the agent's list until the run stands in it."""
    quiet = connection.traits.quiet_period
    while (waited := time.monotonic() - sent) < PATIENCE:
        rows = await connection.run(endpoints.list_tasks(agent))
        if any(row.id == run for row in rows):
            took = time.monotonic() - sent
            probed.traits["listedAfterSeconds"] = round(took, 1)
            text = f"a new run is listed after {duration(took)}; the quiet period is {duration(quiet)}"
            if took <= quiet * _SHARE:
                return fine("lists", text)
            return doubtful("lists", text, f"Set TASKSPEC_QUIET_PERIOD to {took * 4:.0f}s or more.")
        await asyncio.sleep(min(1.0, connection.traits.poll_interval))
    probed.traits["listedAfterSeconds"] = None
    text = f"a new run is not listed after {duration(waited)}"
    return wrong("lists", text, "A list proves nothing there: set TASKSPEC_QUIET_PERIOD high, or settle by hand.")


async def _key(connection: Connection, agent: str, task: NewTask, key: str, run: str, probed: Probed) -> Checkup:
    """Repeat the create with its key: the first run answers, or there is a second one."""
    said = connection.traits.honours_idempotency_keys
    try:
        _, again = await _created(connection, agent, task, key, refusable=False)
    except RefusedError as error:
        probed.traits["honoursIdempotencyKeys"] = None
        return doubtful("keys", f"the same create with the same key is refused: {error.message}")
    if again is not None and again != run:
        probed.runs.append(again)
    honoured = again == run
    by_id = honoured and bool(probed.traits["honoursClientIds"]) and not said
    probed.traits["honoursIdempotencyKeys"] = None if by_id else honoured
    if by_id:
        return fine("keys", "the same create again is the same run, by its id or by its key: which, cannot be told")
    if honoured and not said:
        return fine("keys", "the same create with the same key is the same run, though the remote does not announce it")
    if honoured:
        return fine("keys", "the same create with the same key is the same run, as the remote announces")
    text = "the same create with the same key is a second run: unknown outcomes are settled by lists"
    return wrong("keys", text, "The remote announces what it does not keep.") if said else fine("keys", text)


async def _stopped(connection: Connection, probed: Probed) -> list[str]:
    """Stop every run of the probe; return those that have not ended."""
    left = []
    for run in probed.runs:
        began = time.monotonic()
        try:
            found = await connection.run(endpoints.stop_task(run))
            while found.status not in ENDED and time.monotonic() - began < PATIENCE:
                await asyncio.sleep(min(1.0, connection.traits.poll_interval))
                found = await connection.run(endpoints.get_task(run))
        except TaskspecError:
            left.append(run)
            continue
        if found.status not in ENDED:
            left.append(run)
        elif "endsAfterSeconds" not in probed.traits:
            probed.traits["endsAfterSeconds"] = round(time.monotonic() - began, 1)
    return left


def _look(agent: str) -> str:
    return f"`taskspec tasks list {agent}` shows it by its title, `taskspec tasks stop RUN` ends it."
