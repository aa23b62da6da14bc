"""The engine's entrance: join the engine that lives in a data folder, or be it for the time of a command."""

import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskspec.engine import holding
from taskspec.engine.holding import Endpoint, FolderLock
from taskspec.engine.logfile import FILE_NAME
from taskspec.engine.model import CLOSING, AgentCommand, EngineConfig, Mode, agents_digest
from taskspec.errors import EngineError

if TYPE_CHECKING:
    from taskspec.engine.assembly import Engine
    from taskspec.engine.serving import EngineThread

__all__ = ["AgentCommand", "EngineConfig", "EngineHandle", "Mode", "open_engine"]

STARTING_SECONDS = 10.0
"""How long a holder may take to answer: it may be ending what a dead engine left."""
LEAVING_SECONDS = 60.0
"""How long a holder that starts no agents may take to end."""
_TICK = 0.05
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineHandle:
    """A live engine: where it listens, and whether this process owns it."""

    url: str
    api_key: str = field(repr=False)
    instance: str
    owned: bool
    pid: int
    _endpoint: Endpoint = field(repr=False)
    _thread: "EngineThread | None" = field(default=None, repr=False)
    _engine: "Engine | None" = field(default=None, repr=False)

    def interrupt(self) -> None:
        """Start nothing more, end the active agents and record their runs as interrupted; HTTP goes on.

        Another process's engine is left alone.
        """
        if self._thread is not None and self._engine is not None:
            self._thread.call(self._engine.dispatcher.interrupt())

    def active(self) -> int:
        """Return how many runs are waiting to be started or executing."""
        if self._thread is not None and self._engine is not None:
            return self._thread.call(self._engine.dispatcher.active())
        answer = holding.greeting(self._endpoint)
        if answer is None:
            raise EngineError(f"the engine of process {self.pid} does not answer any more")
        return int(answer["active"])

    def wait(self, stop: threading.Event) -> None:
        """Return when `stop` is set; raise EngineError as soon as an engine of this process serves no longer."""
        while not stop.wait(_LOOK_SECONDS):
            self.check()

    def check(self) -> None:
        """Raise EngineError where an engine of this process serves no longer."""
        if (failure := self.failure()) is not None:
            raise failure

    def failure(self) -> EngineError | None:
        """Return why an engine of this process serves no longer; None while it does, or where it is another's."""
        if self._thread is None or self._engine is None:
            return None
        if not self._thread.alive:
            return EngineError("the engine has ended", hint=f"See {self._log}.")
        if self._engine.dispatcher.failure is not None:
            hint = f"Check the disk (space, quota, health), and see {self._log}; then run the command again."
            return EngineError(self._engine.dispatcher.failure, hint=hint)
        return None

    @property
    def _log(self) -> Path:
        assert self._engine is not None
        return self._engine.config.folder / FILE_NAME


@contextmanager
def open_engine(config: EngineConfig, mode: Mode) -> Iterator[EngineHandle]:
    """Join a live engine or start one; one that was started ends with the context.

    Raises EngineError where neither can be.
    """
    if mode is Mode.READ:
        endpoint = holding.published(config.folder)
        answer = holding.greeting(endpoint) if endpoint is not None else None
        if endpoint is not None and answer is not None and answer["mode"] != CLOSING:
            yield _joined(endpoint)
            return
        with _started(config, mode) as handle:
            yield handle
        return
    found = _join_or_lock(config, mode)
    if isinstance(found, Endpoint):
        yield _joined(found)
        return
    try:
        holding.withdraw(config.folder)
        with _started(config, mode) as handle:
            yield handle
    finally:
        found.release()


def _join_or_lock(config: EngineConfig, mode: Mode) -> Endpoint | FolderLock:
    begun = time.monotonic()
    while True:
        lock = _attempted(config.folder)
        if lock is not None:
            return lock
        endpoint = holding.published(config.folder)
        answer = holding.greeting(endpoint) if endpoint is not None else None
        if endpoint is not None and answer is not None and _serves(answer, mode):
            _check_agents(endpoint, answer, config, mode)
            return endpoint
        passed = time.monotonic() - begun
        if passed > (LEAVING_SECONDS if answer is not None else STARTING_SECONDS):
            raise _unjoinable(endpoint, config.folder)
        time.sleep(_TICK)


def _attempted(folder: Path) -> FolderLock | None:
    try:
        return FolderLock.attempt(folder)
    except OSError as error:
        raise EngineError(
            f"the engine's folder {folder} cannot be used: {error.strerror or error}",
            hint="Check that the project folder can be written.",
        ) from error


def _serves(answer: Mapping[str, Any], mode: Mode) -> bool:
    """Tell whether a holder does what is needed; one that is closing or dispatches nothing is waited for."""
    return answer["mode"] == Mode.DISPATCH or (mode is Mode.RECOVER and answer["mode"] == Mode.RECOVER)


def _check_agents(endpoint: Endpoint, answer: Mapping[str, Any], config: EngineConfig, mode: Mode) -> None:
    if mode is Mode.DISPATCH and answer["agents_digest"] != agents_digest(config):
        raise EngineError(
            f"the engine of process {endpoint.pid} runs this project with other agents than the project now declares",
            hint=f"Wait until process {endpoint.pid} ends (or stop it; `taskspec serve` reads its agents "
            "when it starts), then run the command again.",
        )


def _unjoinable(endpoint: Endpoint | None, folder: Path) -> EngineError:
    holder = f"process {endpoint.pid}" if endpoint is not None else "another process"
    return EngineError(
        f"{holder} holds the engine's folder {folder} and does not serve this command",
        hint="Wait until it ends, or end it, then run the command again.",
    )


def _joined(endpoint: Endpoint) -> EngineHandle:
    return EngineHandle(
        url=endpoint.url,
        api_key=endpoint.api_key,
        instance=endpoint.instance,
        owned=False,
        pid=endpoint.pid,
        _endpoint=endpoint,
    )


@contextmanager
def _started(config: EngineConfig, mode: Mode) -> Iterator[EngineHandle]:
    from taskspec.engine.assembly import assemble
    from taskspec.engine.serving import EngineThread, listening_socket

    engine = assemble(config, mode, config.api_key or secrets.token_urlsafe(32))
    try:
        listener = listening_socket(config.host, config.port)
        endpoint = _endpoint(engine, listener.getsockname()[1])
        thread = EngineThread(engine, listener)
        thread.start()
        try:
            if mode is not Mode.READ:
                holding.publish(config.folder, endpoint)
            handle = EngineHandle(
                url=endpoint.url,
                api_key=endpoint.api_key,
                instance=endpoint.instance,
                owned=True,
                pid=endpoint.pid,
                _endpoint=endpoint,
                _thread=thread,
                _engine=engine,
            )
            yield handle
        finally:
            try:
                if thread.alive:
                    thread.call(engine.dispatcher.interrupt())
            finally:
                if mode is not Mode.READ:
                    holding.withdraw(config.folder)
                thread.close()
    finally:
        engine.database.close()


def _endpoint(engine: "Engine", port: int) -> Endpoint:
    from taskspec.engine.processes import started_at

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(engine.config.host, engine.config.host)  # noqa: S104 - named, not bound
    return Endpoint(
        pid=os.getpid(),
        started=started_at(os.getpid()) if engine.mode is not Mode.READ else None,
        url=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
        api_key=engine.api_key,
        instance=engine.instance,
        agents_digest=engine.agents_digest,
        mode=engine.mode.value,
    )
