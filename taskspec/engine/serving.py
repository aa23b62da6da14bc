"""The engine's server: a listening socket, and a thread with its own event loop around the application.

Takes no signal and logs to a file; ends its open streams itself, because the server's own shutdown waits for them.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from taskspec.engine.assembly import Engine
from taskspec.engine.logfile import logged
from taskspec.engine.model import FORBIDDEN_PORT, Mode
from taskspec.errors import EngineError

T = TypeVar("T")
_BACKLOG = 1024
_IDLE_SECONDS = 600
_TICK = 0.002
_CLOSING_TICKS = 500
_BUG = "This is a bug of taskspec; please report it, with engine.log of the engine's folder."


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one."""
    if port == FORBIDDEN_PORT:
        raise EngineError(
            f"the engine cannot listen on port {FORBIDDEN_PORT}",
            hint="The platform's client treats this port as another service. Choose another --port.",
        )
    try:
        found = _bound(host, port)
        while port == 0 and str(FORBIDDEN_PORT) in str(found.getsockname()[1]):
            with found:
                found = _bound(host, port)
    except OSError as error:
        where = f"{host}:{port}" if port else host
        raise EngineError(
            f"the engine cannot listen on {where}: {error.strerror or error}",
            hint="Choose another --host or --port, or end the program that listens there.",
        ) from error
    return found


def _bound(host: str, port: int) -> socket.socket:
    """Bind a TCP socket; the protocol is named because the event loop sets TCP_NODELAY only where it is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class EngineThread:
    """One engine at work, and the way to talk to it from other threads."""

    def __init__(self, engine: Engine, listener: socket.socket) -> None:
        self._engine = engine
        self._listener = listener
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._work, name="taskspec-engine", daemon=True)

    def start(self) -> None:
        """Recover, listen and dispatch; return when requests are answered."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise EngineError("the engine cannot start", hint=str(self._failure)) from self._failure

    @property
    def alive(self) -> bool:
        """Tell whether the thread still runs."""
        return self._thread.is_alive()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and return what it returns; raise EngineError where it has ended."""
        assert self._loop is not None
        if not self.alive:
            work.close()
            raise EngineError("the engine has ended", hint=_BUG) from self._failure
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the streams and the server; return when the thread has ended."""
        if self.alive and self._loop is not None and self._closing is not None:
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    def _work(self) -> None:
        try:
            with logged(self._engine.config.folder), asyncio.Runner() as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the edge of the thread: `start` raises it
            self._failure = error
        finally:
            self._ready.set()
            self._listener.close()

    async def _serve(self) -> None:
        server = self._server()
        self._closing = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self._engine.mode is not Mode.READ:
            await self._engine.dispatcher.recover()
        await server.startup(sockets=[self._listener])
        await self._engine.dispatcher.resume()
        self._ready.set()
        await self._closing.wait()
        self._engine.log.close()
        await _close(server)

    def _server(self) -> Any:
        from uvicorn import Config, Server

        from taskspec.engine.app import Gate

        config = Config(
            Gate(self._engine, self._listener.getsockname()[1]),
            http="httptools",
            loop="asyncio",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        config.load()
        server = Server(config)
        server.lifespan = config.lifespan_class(config)
        return server


async def _close(server: Any) -> None:
    """Close the server at once; its own shutdown sleeps for a tenth of a second and longer."""
    for listener in server.servers:
        listener.close()
    connections = server.server_state.connections
    for connection in list(connections):
        connection.shutdown()
    for _ in range(_CLOSING_TICKS):
        if not connections:
            return
        await asyncio.sleep(_TICK)
