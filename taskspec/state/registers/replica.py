"""A copy of what a register keeps, in a private temporary database, brought forward when it is asked. Writes nothing.

Each log is copied when it is first needed, and what was copied is not fetched again. SQLite puts the copy on the disk
by itself when it is large, and it is gone with the process.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from taskspec.errors import StateError
from taskspec.state.database import transaction
from taskspec.state.entries import SCHEMA, TABLE
from taskspec.state.registers.fetching import fetched
from taskspec.state.registers.pages import NO_SIZE, Line, Log, Page
from taskspec.state.registers.port import Register
from taskspec.state.registers.segments import unpack
from taskspec.state.registers.spilling import HISTORY, RECORDS, RESULTS
from taskspec.state.trouble import damaged

Place = tuple[int, str | None, int | str]
"""How long a result is, the piece that holds it and where it begins there; or None, and its text."""

_TABLES: Final = """
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
CREATE TABLE meta (lineage TEXT, serial INTEGER, format INTEGER, head TEXT);
INSERT INTO meta VALUES ('', 0, 0, '');
CREATE TABLE records (address TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE results (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, piece TEXT, place BLOB NOT NULL);
"""
_PUT: Final = "INSERT INTO records VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET record = excluded.record"
_APPEND: Final = "INSERT INTO history (id, serial, address, note, hash) VALUES (?, ?, ?, ?, ?)"
_INDEX: Final = "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)"


class Replica:
    """The copy; `place` is where the original is, as it may be printed. It serves one thread at a time."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._opened: sqlite3.Connection | None = None
        self._at: dict[str, tuple[str, int]] = {}  # of which log, and how many of its lines

    @property
    def connection(self) -> sqlite3.Connection:
        """Return the database, with the tables of a state file."""
        if self._opened is None:
            self._opened = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            self._opened.executescript(f"{_TABLES}{TABLE}PRAGMA user_version = {SCHEMA};")
        return self._opened

    def follow(self, page: Page, *names: str) -> None:
        """Bring logs forward to a page.

        Raises MissingPieceError where the page is not the newest any more, and StateError for what is not readable.
        """
        with _room(self._register.place):
            values = (page.lineage, page.serial, page.form, page.head)
            self.connection.execute("UPDATE meta SET lineage = ?, serial = ?, format = ?, head = ?", values)
            for name in names:
                self._copy(getattr(page, name), name)

    def append(self, before: Page, after: Page, name: str, lines: Sequence[Line]) -> None:
        """Add what was committed between two pages, if the log was copied up to there.

        It is durable already: where it cannot be added here, whoever reads next fetches it.
        """
        old, new = getattr(before, name), getattr(after, name)
        if self._at.get(name) != (old.id, old.end):
            return
        with suppress(sqlite3.Error):
            with transaction(self.connection, "IMMEDIATE"):
                self._add(name, lines, old.end)
            self._at[name] = new.id, new.end

    def result_at(self, digest: str) -> Place | None:
        """Return where a result is."""
        question = "SELECT size, piece, place FROM results WHERE digest = ?"
        row: Place | None = self.connection.execute(question, (digest,)).fetchone()
        return row

    def results_after(self, last: str, size: int) -> list[Line]:
        """Return the next results in the order of their digests."""
        question = "SELECT digest, size, piece, place FROM results WHERE digest > ? ORDER BY digest LIMIT ?"
        return self.connection.execute(question, (last, size)).fetchall()

    def pieces(self) -> set[str]:
        """Return the pieces that hold results."""
        question = "SELECT DISTINCT piece FROM results WHERE piece IS NOT NULL"
        return {piece for (piece,) in self.connection.execute(question)}

    def close(self) -> None:
        """Let go of the copy."""
        if self._opened is not None:
            self._opened.close()
        self._opened, self._at = None, {}

    def _copy(self, log: Log, name: str) -> None:
        known, at = self._at.get(name, ("", 0))
        wanted = [segment for segment in log.segments if segment.end > at]
        # What was dropped is missing from the lowest segment: nothing in it tells that.
        anew = known != log.id or at > log.end or bool(name == RECORDS and wanted and not wanted[0].start)
        if anew:
            at, wanted = 0, list(log.segments)
        with transaction(self.connection, "IMMEDIATE"):
            if anew:
                self.connection.execute(f"DELETE FROM {name}")  # noqa: S608  # one of three names
            for segment, content in fetched(self._register, wanted):
                skipped = 0 if name == RECORDS else max(0, at - segment.start)
                lines = self.lines(content, name, segment.piece)
                self._add(name, _from(lines, skipped), segment.start + skipped)
            self._add(name, log.tail[max(0, at - log.start) :], max(at, log.start))
        self._at[name] = log.id, log.end

    def lines(self, content: bytes, name: str, piece: str) -> Iterator[Line]:
        """Yield the lines of a piece; raise StateError for one that is not readable."""
        try:
            yield from unpack(content, name)
        except ValueError as error:
            raise damaged(self._register.place, f"its piece {piece} is not readable ({error})") from error

    def _add(self, name: str, lines: Iterable[Line], start: int) -> None:
        execute = self.connection.execute
        if name == HISTORY:
            for number, line in enumerate(lines, start + 1):
                execute(_APPEND, (number, *line))
        elif name == RESULTS:
            for line in lines:
                if line[1] == NO_SIZE:
                    execute("DELETE FROM results WHERE digest = ?", (line[0],))
                else:
                    execute(_INDEX, line)
        else:
            for line in lines:
                if line[1] is None:
                    execute("DELETE FROM records WHERE address = ?", (line[0],))
                else:
                    execute(_PUT, line)


@contextmanager
def _room(place: str) -> Iterator[None]:
    """Turn what SQLite says of the copy into a StateError."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise StateError(
            f"The state at {place} cannot be copied to a temporary file of this machine ({error}).",
            hint="Free some space in the folder for temporary files, or name another one in `TMPDIR`.",
        ) from error


def _from(lines: Iterator[Line], skipped: int) -> Iterator[Line]:
    for _, _ in zip(range(skipped), lines, strict=False):
        pass
    return lines
