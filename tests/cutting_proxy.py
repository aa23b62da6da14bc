"""A proxy of TCP that cuts a connection after so many bytes, or lets nothing through. Knows no protocol."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass

REQUEST, ANSWER = "request", "answer"


@dataclass
class Pair:
    """The two halves of a connection that goes through the proxy."""

    client: socket.socket
    server: socket.socket
    is_orphaned: bool = False
    """The client's half was cut, and the server does not know it."""


class CuttingProxy:
    """Forwards whatever comes to a port of the loopback, and cuts it where it was told to."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.cuts = 0
        self._armed = None
        self._open = threading.Event()
        self._open.set()
        self._changing = threading.Lock()
        self._pairs = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._open.set()
        for wire in [self._listening, *(half for pair in self._pairs for half in (pair.client, pair.server))]:
            _close(wire)

    def cut(self, direction, after, *, then=None):
        """Cut a connection when so many bytes more have passed in a direction: ANSWER is what the client gets.

        `then` is called before the client can notice.
        """
        with self._changing:
            self._armed = [direction, after, then or _nothing]

    def block(self):
        """Let no byte through from now on, and close nothing."""
        self._open.clear()

    def unblock(self):
        self._open.set()

    def orphan_all(self):
        """Cut the clients' halves of all connections: the server goes on as if nothing had happened."""
        for pair in self._pairs:
            pair.is_orphaned = True
            _close(pair.client)

    def refuse(self):
        """Cut every connection, and take none any more."""
        _close(self._listening)
        for pair in self._pairs:
            _close(pair.client)
            _close(pair.server)

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:
                    _close(client)
                    continue
                pair = Pair(client, server)
                self._pairs.append(pair)
                for direction in (REQUEST, ANSWER):
                    threading.Thread(target=self._forward, args=(pair, direction), daemon=True).start()

    def _forward(self, pair, direction):
        source, sink = (pair.client, pair.server) if direction == REQUEST else (pair.server, pair.client)
        with suppress(OSError):
            while piece := source.recv(65536):
                self._open.wait()
                if pair.is_orphaned:
                    continue
                passing, then = self._passing(direction, len(piece))
                sink.sendall(piece[:passing])
                if then is not None:
                    then()
                    break
        if not pair.is_orphaned:
            _close(source)
            _close(sink)

    def _passing(self, direction, length):
        """Return how many of some bytes pass, and what to do when the connection is cut then; None: it is not."""
        with self._changing:
            if self._armed is None or self._armed[0] != direction:
                return length, None
            if self._armed[1] > length:
                self._armed[1] -= length
                return length, None
            _, passing, then = self._armed
            self._armed = None
            self.cuts += 1
            return passing, then


def _nothing():
    pass


def _close(wire):
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()
