"""The ways in which a remote answers badly, one function each, made to be combined. Knows no tests."""

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Callable
from email.utils import formatdate

from fault_server import http
from hostile_remote import Exchange, Fault, chunk

FOREVER = 3600.0


def refusing(
    status: int,
    body: object = b"",
    *,
    effect: bool = False,
    content_type: str | None = "application/json",
    headers: Callable[[], dict] = dict,
) -> Fault:
    """Answer with a status, after having done what was asked (`effect`) or without."""

    async def fault(exchange: Exchange) -> None:
        if effect:
            exchange.work()
        await exchange.send(http(status, body, content_type, **headers()))

    return fault


def limiting(words: str = "Too many requests", **headers: Callable[[], object]) -> Fault:
    """Answer 429; each header is made when it is sent."""
    made = lambda: {name: value() for name, value in headers.items()}  # noqa: E731
    return refusing(429, {"detail": words}, headers=made)


def soon(seconds: float) -> Callable[[], str]:
    """Return the HTTP date of so many seconds from now."""
    return lambda: formatdate(time.time() + seconds, usegmt=True)


def dropping(*, effect: bool, share: float = 0.0, reset: bool = False) -> Fault:
    """Send only the first part of the answer and close the connection, in peace or with a reset."""

    async def fault(exchange: Exchange) -> None:
        wire = exchange.work().wire() if effect else b""
        await exchange.send(wire[: int(len(wire) * share)])
        exchange.reset() if reset else exchange.drop()

    return fault


def stalling(*, effect: bool, share: float = 0.0) -> Fault:
    """Send only the first part of the answer, and then nothing, for ever."""

    async def fault(exchange: Exchange) -> None:
        wire = exchange.work().wire() if effect else b""
        await exchange.send(wire[: int(len(wire) * share)])
        await asyncio.sleep(FOREVER)

    return fault


def hesitating(seconds: float) -> Fault:
    """Wait before the honest answer."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.send(exchange.work().wire())

    return fault


def dripping(seconds: float, at_once: float = 0.0) -> Fault:
    """Send the honest answer byte by byte."""

    async def fault(exchange: Exchange) -> None:
        wire = exchange.work().wire()
        start = int(len(wire) * at_once)
        await exchange.send(wire[:start])
        for place in range(start, len(wire)):
            await exchange.send(wire[place : place + 1])
            await asyncio.sleep(seconds)

    return fault


def babbling(piece: bytes, head: bytes = b"", *, effect: bool = True) -> Fault:
    """Send a piece again and again without an end, a little later each time."""

    async def fault(exchange: Exchange) -> None:
        if effect:
            exchange.work()
        await exchange.send(head)
        while not exchange.writer.is_closing():
            await exchange.send(piece)
            await asyncio.sleep(0.01)

    return fault


def writing(make: Callable[[bytes], bytes], *, close: bool = False) -> Fault:
    """Do what was asked, and send the bytes made from the honest answer's body."""

    async def fault(exchange: Exchange) -> None:
        await exchange.send(make(exchange.work().content))
        if close:
            exchange.drop()

    return fault


def altering(change: Callable[[dict], object]) -> Fault:
    """Do what was asked, and answer with a changed body."""
    return writing(lambda content: http(200, change(json.loads(content))))


def bodied(make: Callable[[bytes], bytes], content_type: str | None = "application/json", **headers: object) -> Fault:
    """Do what was asked, and answer 200 with a body made from the honest one."""
    return writing(lambda content: http(200, make(content), content_type, **headers))


def raw_head(*lines: bytes) -> bytes:
    """Return a head of these lines."""
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunked(content: bytes, *, size: int = 7) -> bytes:
    """Return an answer in many chunks, with its end."""
    pieces = b"".join(chunk(content[at : at + size]) for at in range(0, len(content), size))
    return CHUNKED + pieces + b"0\r\n\r\n"


CHUNKED = raw_head(b"HTTP/1.1 200 OK", b"content-type: application/json", b"transfer-encoding: chunked")


def bomb(megabytes: int) -> bytes:
    """Return so many megabytes of spaces in a list, as gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    space = b" " * 2**20
    parts = [packer.compress(b"["), *(packer.compress(space) for _ in range(megabytes)), packer.compress(b"]")]
    return b"".join([*parts, packer.flush()])


def zipped(content: bytes) -> bytes:
    """Return the content as gzip."""
    return gzip.compress(content)
