"""One execution of an agent: its process, its pipes, its limits, its end. Stores nothing and decides no order."""

import asyncio
import os
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from taskspec.engine.changing import Ending
from taskspec.engine.launching import Launch
from taskspec.engine.listening import Listener
from taskspec.engine.model import RUN_ID_VARIABLE, Status
from taskspec.engine.processes import GRACE, Tree, end_trees, group_exists

MAX_OUTPUT = 10 * 1024 * 1024
DRAIN_SECONDS = 2.0
"""How long the pipes may stay open after the agent's own process has ended."""
_READ = 1 << 16
_TAIL_LINES = 20
INTERRUPTED = "interrupted: the process that ran it ended"


class Cut(Enum):
    """Why an agent is ended before it ends by itself."""

    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    TIMED_OUT = "timed out"
    TOO_LONG = "too much output"


@dataclass(kw_only=True)
class Leash:
    """By which a running execution is ended: the first reason counts."""

    cut: asyncio.Future[Cut]
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def pull(self, reason: Cut) -> None:
        """End the execution for a reason, unless another reason came first."""
        if not self.cut.done():
            self.cut.set_result(reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """What is known after an agent's process has ended."""

    code: int
    cut: Cut | None
    output: str
    errors: tuple[str, ...]
    timeout: float | None = None
    tokens: dict[str, int] | None = None


Started = Callable[[int], Awaitable[None]]


async def execute(launch: Launch, leash: Leash, listener: Listener, started: Started) -> Ending:
    """Run an agent to its end, whatever ends it, and say how it ended; `started` is told the process id."""
    read_end, write_end = os.pipe()
    try:
        process = await _spawn(launch, write_end)
    except (OSError, ValueError) as error:
        os.close(read_end)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Ending(status=Status.FAILED, result=f"cannot start `{launch.argv[0]}`: {reason}")
    finally:
        os.close(write_end)
    noting = asyncio.ensure_future(started(process.pid))
    pumps = await _pumps(process, read_end, leash, listener, launch.prompt)
    code = await _wait(process, leash, launch, pumps)
    await noting
    return ending(
        Exit(
            code=code,
            cut=leash.cut.result() if leash.cut.done() else None,
            output=listener.output(),
            errors=listener.last_errors(_TAIL_LINES),
            timeout=launch.timeout,
            tokens=listener.tokens,
        )
    )


def ending(end: Exit) -> Ending:
    """Return what the end of an agent's process means."""
    match end.cut:
        case Cut.STOPPED:
            return Ending(status=Status.STOPPED, result=None, tokens=end.tokens)
        case Cut.INTERRUPTED:
            return Ending(status=Status.ERROR, result=INTERRUPTED, tokens=end.tokens)
        case Cut.TIMED_OUT:
            return _failed(f"timed out after {end.timeout or 0:g}s", end)
        case Cut.TOO_LONG:
            return _failed(f"output limit: the agent wrote more than {MAX_OUTPUT // 1024 // 1024} MiB", end)
        case None:
            pass
    if end.code < 0:
        return _failed(f"ended by signal {-end.code}", end)
    if end.code > 0:
        return _failed(f"exit code {end.code}", end)
    return Ending(status=Status.COMPLETED, result=end.output, tokens=end.tokens)


def _failed(reason: str, end: Exit) -> Ending:
    return Ending(status=Status.FAILED, result="\n".join((reason, *end.errors)), tokens=end.tokens)


class _Protocol(SubprocessStreamProtocol):
    """Tells of the process's own end; the standard library's `wait` waits for its pipes, which others may hold."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(limit=_READ, loop=loop)
        self.exited: asyncio.Future[None] = loop.create_future()

    def process_exited(self) -> None:
        """Note the end of the process."""
        super().process_exited()
        if not self.exited.done():
            self.exited.set_result(None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Process:
    transport: asyncio.SubprocessTransport
    protocol: _Protocol

    @property
    def pid(self) -> int:
        return self.transport.get_pid()


async def _spawn(launch: Launch, events: int) -> _Process:
    transport, protocol = await asyncio.get_running_loop().subprocess_exec(
        _Protocol,
        *launch.argv,
        cwd=launch.folder,
        env={**launch.environ, "TASKSPEC_EVENTS": f"/dev/fd/{events}"},
        pass_fds=(events,),
        start_new_session=True,
    )
    return _Process(transport=transport, protocol=protocol)


async def _pumps(
    process: _Process, events: int, leash: Leash, listener: Listener, prompt: bytes
) -> set[asyncio.Task[None]]:
    streams = process.protocol
    assert streams.stdin is not None
    assert streams.stdout is not None
    assert streams.stderr is not None
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(events, "rb", 0))

    def hear_output(data: bytes) -> None:
        if not listener.hear_output(data, MAX_OUTPUT):
            leash.pull(Cut.TOO_LONG)

    tasks = {
        asyncio.create_task(_feed(streams.stdin, prompt)),
        asyncio.create_task(_read(streams.stdout, hear_output)),
        asyncio.create_task(_read(streams.stderr, listener.hear_errors)),
        (agent_events := asyncio.create_task(_read(reader, listener.hear_events))),
    }
    agent_events.add_done_callback(lambda _: transport.close())
    return tasks


async def _feed(stdin: asyncio.StreamWriter, prompt: bytes) -> None:
    """Write the prompt; an agent that does not read it is none of our business."""
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(prompt)
        await stdin.drain()
    stdin.close()
    with suppress(BrokenPipeError, ConnectionResetError):
        await stdin.wait_closed()


async def _read(stream: asyncio.StreamReader, hear: Callable[[bytes], None]) -> None:
    while data := await stream.read(_READ):
        hear(data)
    hear(b"")


async def _wait(process: _Process, leash: Leash, launch: Launch, pumps: set[asyncio.Task[None]]) -> int:
    """Return the exit code when the process, its pipes and whatever it left behind are gone."""
    loop, exited = asyncio.get_running_loop(), process.protocol.exited
    timer = loop.call_later(launch.timeout, leash.pull, Cut.TIMED_OUT) if launch.timeout is not None else None
    tree = Tree(run=launch.environ[RUN_ID_VARIABLE], pid=process.pid, leads_group=True)
    try:
        either: set[asyncio.Future[Any]] = {exited, leash.cut}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if timer is not None:
            timer.cancel()
        if not exited.done():
            await end_trees([tree], GRACE)
        _, open_pumps = await asyncio.wait(pumps, timeout=DRAIN_SECONDS)
        if open_pumps or group_exists(process.pid):
            await end_trees([tree], GRACE)
            await asyncio.wait(pumps, timeout=DRAIN_SECONDS)
        await exited
        return process.transport.get_returncode() or 0
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        process.transport.close()
