"""Logs that grow: their tails → pieces, and many pieces → one. Keeps pieces; writes no page, and drops nothing."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from taskspec.state.registers.fetching import fetched
from taskspec.state.registers.pages import NO_SIZE, Line, Log, Page, Segment
from taskspec.state.registers.port import Register
from taskspec.state.registers.segments import Limits, digest, due, newest, pack, settled, unpack
from taskspec.state.trouble import damaged

RECORDS: Final = "records"
HISTORY: Final = "history"
RESULTS: Final = "results"
NAMES: Final = (RECORDS, HISTORY, RESULTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Added:
    """Lines that are added to each of the logs, oldest first."""

    records: Sequence[Line] = ()
    history: Sequence[Line] = ()
    results: Sequence[Line] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """The logs of a page after lines were added, and the pieces that they do not need any more."""

    records: Log
    history: Log
    results: Log
    replaced: tuple[str, ...] = ()


class Spiller:
    """Adds lines to the logs of a page, and keeps in the register what the page is not to hold itself."""

    def __init__(self, register: Register, limits: Limits) -> None:
        self._register = register
        self._limits = limits

    def grown(self, page: Page, added: Added) -> Grown:
        """Return the logs of a page with lines added; what lies in pieces is durable when this returns."""
        logs = {name: getattr(page, name) for name in NAMES}
        lines = {name: tuple(getattr(added, name)) for name in NAMES}
        if not self._register.has_pieces:
            return Grown(
                records=_rewritten(logs[RECORDS], lines[RECORDS]),
                history=_longer(logs[HISTORY], lines[HISTORY]),
                results=_kept_only(logs[RESULTS], lines[RESULTS]),
            )
        logs = {name: _longer(log, lines[name]) for name, log in logs.items()}
        sizes = {name: sum(map(_size, log.tail)) for name, log in logs.items()}
        replaced: list[str] = []
        while sum(sizes.values()) > self._limits.tail:
            name = max(sizes, key=sizes.__getitem__)
            sizes[name] = 0
            logs[name], old = self._merged(self._spilled(logs[name], name, page), name, page)
            replaced += old
        return Grown(**logs, replaced=tuple(replaced))

    def keep(self, contents: Mapping[str, bytes], page: Page) -> list[Line]:
        """Return the lines of results, given by their digests; the texts are durable in pieces, or are in the lines."""
        if not self._register.has_pieces:
            return [(name, len(content), None, content.decode()) for name, content in contents.items()]
        lines: list[Line] = []
        some: list[bytes] = []
        piece, start = _name(page, "texts", "bin"), 0
        for name, content in contents.items():
            lines.append((name, len(content), piece, start))
            some.append(content)
            start += len(content)
            if start >= self._limits.largest:
                self._register.put(piece, b"".join(some))
                some, piece, start = [], _name(page, "texts", "bin"), 0
        if some:
            self._register.put(piece, b"".join(some))
        return lines

    def _spilled(self, log: Log, name: str, page: Page) -> Log:
        """Return a log with all of its tail in a new segment."""
        lines = settled(log.tail, bottom=not log.segments) if name == RECORDS else log.tail
        content, size = pack(lines)
        segment = self._kept(content, name, page, (log.start, log.end), size)
        return replace(log, segments=(*log.segments, segment), tail=())

    def _merged(self, log: Log, name: str, page: Page) -> tuple[Log, list[str]]:
        """Return a log with segments made one as far as that is due, and the pieces of those that it had before."""
        replaced: list[str] = []
        most = None if name == RECORDS else self._limits.largest
        while old := due(log, self._limits, largest=most):
            pieces = [content for _, content in fetched(self._register, old)]
            if name == RECORDS:
                content, size = self._newest(old, pieces)
            else:
                content, size = b"".join(pieces), sum(one.size for one in old)
            segment = self._kept(content, name, page, (old[0].start, old[-1].end), size)
            log = replace(log, segments=(*log.segments[: -len(old)], segment))
            replaced += [one.piece for one in old]
        return log, replaced

    def _newest(self, old: Sequence[Segment], pieces: Sequence[bytes]) -> tuple[bytes, int]:
        layers = [unpack(content, RECORDS) for content in pieces]
        try:
            return pack(newest(layers, bottom=not old[0].start))
        except ValueError as error:
            raise damaged(self._register.place, f"a piece of its records is not readable ({error})") from error

    def _kept(self, content: bytes, name: str, page: Page, span: tuple[int, int], size: int) -> Segment:
        piece = _name(page, name, "gz")
        self._register.put(piece, content)
        return Segment(piece=piece, start=span[0], end=span[1], size=size, digest=digest(content))


def new_log() -> Log:
    """Return a log that begins anew."""
    return Log(id=nonce())


def nonce() -> str:
    """Return what nothing else is named by."""
    return uuid.uuid4().hex[:16]


def _longer(log: Log, lines: tuple[Line, ...]) -> Log:
    return replace(log, tail=(*log.tail, *lines)) if lines else log


def _rewritten(log: Log, lines: tuple[Line, ...]) -> Log:
    """Return a log that has nothing but the newest record of each address, as the page is all that there is."""
    return Log(id=nonce(), tail=tuple(settled((*log.tail, *lines), bottom=True))) if lines else log


def _kept_only(log: Log, lines: tuple[Line, ...]) -> Log:
    """Return a log of results with lines added, and without what is kept no longer: the page is all that there is."""
    gone = {line[0] for line in lines if line[1] == NO_SIZE}
    if not gone:
        return _longer(log, lines)
    left = [line for line in log.tail if line[0] not in gone]
    return Log(id=nonce(), tail=(*left, *(line for line in lines if line[1] != NO_SIZE)))


def _name(page: Page, kind: str, ending: str) -> str:
    return f"{page.lineage[:8]}-{page.number:08}-{kind}-{nonce()}.{ending}"


def _size(line: Line) -> int:
    return sum(len(value) if isinstance(value, str) else 8 for value in line)
