"""The page that a writer bases its next one on, and the loop that brings the next one in. Decides no change itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from taskspec.errors import StateError
from taskspec.state.registers.following import Follower
from taskspec.state.registers.pages import Page
from taskspec.state.registers.port import Register
from taskspec.state.registers.swapping import Kept, LockedError, MovedError, UnansweredError, swap

_TRIES: Final = 100
"""How often a page is made anew because others were faster."""


class Base:
    """What a writer knows to be there. Threads of one writer take turns, so that none loses to another."""

    def __init__(self, register: Register, follower: Follower, patience: float) -> None:
        self._register = register
        self._follower = follower
        self._patience = patience
        self._kept: Kept | None = None
        self._is_known = False
        self._guard = threading.RLock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let no other thread change anything meanwhile."""
        with self._guard:
            yield

    def forget(self) -> None:
        """Forget what is there: the next change looks."""
        with self._guard:
            self._is_known = False

    def known(self) -> Kept | None:
        """Return what is there, as it is known, or as it is found now."""
        with self._guard:
            if not self._is_known:
                self._kept, self._is_known = self._follower.look(), True
            return self._kept

    def change(
        self,
        decide: Callable[[Kept | None], Page],
        *,
        is_done: Callable[[MovedError], bool] = lambda _: False,
        patience: float | None = None,
    ) -> Kept:
        """Put in what `decide` makes of the page that is there, again for each that is found instead of it.

        `decide` ends it by an error of its own; `is_done` tells whether the change is in a page that was found. Raises
        UnansweredError where nobody can tell what became of it, LockedError, and StateError where it has not happened.
        """
        with self._guard:
            for _ in range(_TRIES):
                before = self.known()
                page = decide(before)
                try:
                    kept = self._swapped(page, before, self._patience if patience is None else patience)
                except MovedError as moved:
                    self._kept = moved.found
                    if moved.found is not None:
                        self._follower.require_own(moved.found.page)
                        if is_done(moved):
                            return moved.found
                    continue
                self._kept = kept
                return kept
        raise StateError(
            f"The state at {self._register.place} was written by others again and again.", hint="Run the command again."
        )

    def _swapped(self, page: Page, before: Kept | None, patience: float) -> Kept:
        lease = page.lease or (before.page.lease if before is not None else None)
        try:
            return swap(self._register, page, before, None if lease is None else lease.lock, patience)
        except (UnansweredError, LockedError, StateError):
            self._is_known = False
            raise
