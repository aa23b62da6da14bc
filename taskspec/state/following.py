"""The page that is in a register now, and a copy of what it names: for whoever reads. Writes nothing."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from taskspec.errors import StateError
from taskspec.state.entries import Row
from taskspec.state.fetching import MissingPieceError, fetched
from taskspec.state.pages import Line, Log, Page
from taskspec.state.register import Register
from taskspec.state.replica import Replica
from taskspec.state.spilling import HISTORY, NAMES, Added
from taskspec.state.swapping import Kept, load
from taskspec.state.trouble import damaged

_TRIES: Final = 10
"""How often a reader begins again because a writer has replaced what the page named meanwhile."""

_Found = TypeVar("_Found")


class Follower:
    """Reads the page of one environment, and follows it with a copy; one thread at a time has the copy."""

    def __init__(self, register: Register, environment: str, owner: str | None = None) -> None:
        self._register = register
        self._environment = environment
        self._owner = owner
        self._replica = Replica(register)
        self._seen: Kept | None = None
        self._guard = threading.RLock()

    def look(self) -> Kept | None:
        """Return the page that is there now; raise StateError for what is none, or that of another environment."""
        with self._guard:
            self._seen = load(self._register, self._seen)
            if self._seen is not None:
                self.require_own(self._seen.page)
            return self._seen

    def require_own(self, page: Page) -> None:
        """Raise StateError for the page of another environment, or of another project than the owner that is meant."""
        if self._owner not in {None, page.project}:
            raise StateError(
                f"At {self._register.place} is the state of project `{page.project}`, not of `{self._owner}`.",
                hint=f"Each project needs an address of its own. If `{page.project}` was renamed: "
                f"`{self._register.place}#{page.project}` goes on with its state.",
            )
        if page.environment != self._environment:
            raise StateError(
                f"At {self._register.place} is the state of environment `{page.environment}`, not of "
                f"`{self._environment}`.",
                hint="Name another place for the state of this environment.",
            )

    @contextmanager
    def copied(self, *names: str) -> Iterator[tuple[Page, Replica] | None]:
        """Yield the page that is there now and a copy in which some logs are as it says; None where nothing is."""
        with self._guard:
            yield self._followed(names)

    @contextmanager
    def at_hand(self, page: Page, *names: str) -> Iterator[Replica]:
        """Yield the copy as it is at a page; raise MissingPieceError where that is not the newest any more."""
        with self._guard:
            self._replica.follow(page, *names)
            yield self._replica

    @contextmanager
    def as_it_is(self) -> Iterator[Replica]:
        """Yield the copy as it was made before."""
        with self._guard:
            yield self._replica

    def newest(self, count: int) -> list[Row]:
        """Return the newest entries of the history, newest first, without those before them."""
        with self._guard:
            return [] if count <= 0 else self._steadily(lambda page: self._newest(page.history, count)) or []

    def append(self, before: Page, after: Page, added: Added) -> None:
        """Bring the copy forward by what this process has committed itself."""
        with self._guard:
            for name in NAMES:
                self._replica.append(before, after, name, getattr(added, name))

    def close(self) -> None:
        """Let go of the copy."""
        with self._guard:
            self._replica.close()
            self._seen = None

    def _newest(self, log: Log, count: int) -> list[Row]:
        rows: list[Row] = _numbered(log.tail, log.start)
        for segment in reversed(log.segments):
            if len(rows) >= count:
                break
            ((_, content),) = fetched(self._register, [segment])
            lines = [*self._replica.lines(content, HISTORY, segment.piece)]
            rows = [*_numbered(lines, segment.start), *rows]
        return rows[: -count - 1 : -1]

    def _followed(self, names: tuple[str, ...]) -> tuple[Page, Replica] | None:
        def follow(page: Page) -> tuple[Page, Replica]:
            self._replica.follow(page, *names)
            return page, self._replica

        return self._steadily(follow)

    def _steadily(self, use: Callable[[Page], _Found]) -> _Found | None:
        """Return what is made of the page that is there now; begin again where its pieces are gone. None: no page."""
        last = ""
        for _ in range(_TRIES):
            found = self.look()
            if found is None:
                return None
            try:
                return use(found.page)
            except MissingPieceError as error:
                if found.page.write == last:
                    raise damaged(self._register.place, f"its piece {error} is gone") from error
                last = found.page.write
        raise StateError(
            f"The state at {self._register.place} is written faster than it can be read.",
            hint="Run the command again.",
        )


def _numbered(lines: Sequence[Line], start: int) -> list[Row]:
    return [(number, *line) for number, line in enumerate(lines, start + 1)]
