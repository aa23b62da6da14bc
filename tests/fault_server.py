"""A raw HTTP server that takes requests apart and lets a test write the answer, byte by byte. Knows no task API."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Received:
    method: str
    target: str
    headers: dict
    body: bytes
    socket: int


@dataclass
class FaultServer:
    """Takes requests apart, counts them, and lets `behave` write whatever bytes it likes."""

    behave: Callable[["Received", asyncio.StreamWriter], Awaitable[None]]
    received: list = field(default_factory=list)
    port: int = 0
    sockets: int = 0

    async def serve(self, reader, writer):
        self.sockets += 1
        socket = self.sockets
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                method, target, _ = first.split(" ")
                request = Received(method, target, headers, body, socket)
                self.received.append(request)
                await self.behave(request, writer)
                await writer.drain()
                if writer.is_closing():
                    break
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self):
        """Listen on a free port; yield the root of the server's URLs."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{self.port}"
        finally:
            server.close()


def http(status=200, body=b"", content_type="application/json", length=None, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X"]
    lines += [f"content-type: {content_type}"] if content_type else []
    lines.append(f"content-length: {len(content) if length is None else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
