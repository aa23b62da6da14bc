"""The lines of a log as the bytes of a piece, and back; and which segments are due to become one. Keeps nothing.

A piece is gzip, with one array of JSON a line. Pieces put end to end are the piece of all their lines.
"""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Final

from taskspec.state.pages import Line, Log, Segment, line_of
from taskspec.state.shapes import JSON

_LEVEL: Final = 4
_GZIP: Final = 31  # the window of zlib, with the header and trailer of gzip
_BATCH: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What is large, and what is old."""

    tail: int = 64 * 1024
    """The bytes of lines that a page holds itself, about."""
    fan: int = 8
    """How many segments of about the same size become one."""
    largest: int = 8 * 1024 * 1024
    """The bytes from which on segments of lines that are never written again stay as they are."""
    grace: float = 60.0
    """Seconds for which a piece that was replaced is kept for those who have read an older page."""
    waste: int = 256
    """How many such pieces a page names at most."""
    stray: float = 3600.0
    """Seconds after which a piece that no page names was left by a writer that did not come to its end."""


LIMITS: Final = Limits()


def pack(lines: Iterable[Line]) -> tuple[bytes, int]:
    """Return lines as the bytes of a piece, and how many bytes they were before."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed, size = bytearray(), 0
    for line in lines:
        text = JSON.encode(line).encode() + b"\n"
        size += len(text)
        packed += packer.compress(text)
    packed += packer.flush()
    return bytes(packed), size


def unpack(content: bytes, name: str) -> Iterator[Line]:
    """Yield the lines of a piece; raise ValueError where it is none."""
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while batch := [line for _, line in zip(range(_BATCH), file, strict=False)]:
                yield from (line_of(value, name) for value in json.loads(b"[" + b",".join(batch) + b"]"))
    except (OSError, EOFError, zlib.error, RecursionError) as error:
        raise ValueError(f"it cannot be unpacked ({error})") from error


def digest(content: bytes) -> str:
    """Return the SHA-256 of a piece."""
    return hashlib.sha256(content).hexdigest()


def newest(layers: Sequence[Iterable[Line]], *, bottom: bool) -> Iterator[Line]:
    """Yield the newest record of each address, of layers in which each comes once, in order; oldest layer first.

    What was dropped is told too, unless nothing lies beneath.
    """
    marked = (_marked(layer, number) for number, layer in enumerate(layers))
    for _, same in groupby(merge(*marked), key=itemgetter(0)):
        line = next(same)[2]
        if line[1] is not None or not bottom:
            yield line


def _marked(layer: Iterable[Line], number: int) -> Iterator[tuple[str, int, Line]]:
    return ((line[0], -number, line) for line in layer)


def settled(lines: Iterable[Line], *, bottom: bool) -> list[Line]:
    """Return the newest record of each address among lines in the order in which they were written, in order."""
    last = {line[0]: line for line in lines}
    return [last[address] for address in sorted(last) if last[address][1] is not None or not bottom]


def due(log: Log, limits: Limits, *, largest: int | None) -> Sequence[Segment]:
    """Return the newest segments that are due to become one, none if it is not time; `largest` bounds what they hold.

    So there are fewer than `fan` of each size, and a line is written anew only as often as there are sizes.
    """
    sizes = [_size(segment, limits) for segment in log.segments]
    for size in sorted(set(sizes)):
        begin = len(sizes)
        while begin and sizes[begin - 1] <= size:
            begin -= 1
        some = log.segments[begin:]
        held = sum(segment.size for segment in some)
        if sizes[begin:].count(size) >= limits.fan and (largest is None or held <= largest):
            return some
    return ()


def _size(segment: Segment, limits: Limits) -> int:
    """Return how many times the smallest segments must be multiplied to be as large."""
    size, most = 0, max(limits.tail, 1) * 2
    while segment.size > most:
        size, most = size + 1, most * limits.fan
    return size
