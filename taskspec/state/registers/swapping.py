"""One page put in the place of another, whatever becomes of the answers. Decides nothing of what is in them.

A swap whose answer was lost is read back by its nonce, and repeated as it was: since it replaces exactly one text, and
no text comes twice, at most one of them can ever happen.
"""

import random
import time
from dataclasses import dataclass
from typing import Final

from taskspec.errors import StateError
from taskspec.state.registers.pages import NewerPageError, Page, decode_page, encode_page
from taskspec.state.registers.port import AwayError, ConflictError, Held, Register, UncertainError
from taskspec.state.trouble import damaged

PATIENCE: Final = 20.0
"""Seconds for which a server that gives no usable answer is asked again."""
_PAUSES: Final = (0.05, 1.0)
"""Seconds between two tries, the shortest and the longest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A page as it is in the register."""

    held: Held
    page: Page


class MovedError(Exception):
    """Another page is there than the one that was to be replaced: nothing of this swap is there."""

    def __init__(self, found: Kept | None, *, uncertain: bool) -> None:
        super().__init__()
        self.found = found
        self.uncertain = uncertain
        """It may have been there for a while, between the one that was to be replaced and this one."""


class UnansweredError(Exception):
    """Nobody can tell whether the swap has happened, or still will."""


class LockedError(Exception):
    """The server takes nothing under this lock, though the page is the same: its lock is another's."""


def load(register: Register, known: Kept | None = None) -> Kept | None:
    """Return the page that is there; raise StateError for what is none. `known` is one that was read before."""
    held = register.load()
    if held is None:
        return None
    if known is not None and known.held.content == held.content:
        return Kept(held=held, page=known.page)
    try:
        return Kept(held=held, page=decode_page(held.content))
    except NewerPageError as error:
        raise StateError(f"The state at {register.place} {error}.", hint="Upgrade taskspec.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise damaged(register.place, str(error)) from error


def swap(register: Register, page: Page, before: Kept | None, lock: str | None, patience: float) -> Kept:
    """Put a page in the place of the one before, and return it as it is kept.

    Raises MovedError where another one is there, LockedError, UnansweredError where no answer came for `patience`
    seconds, and StateError where it has not happened and cannot.
    """
    return _Swap(register, page, before, lock, patience).done()


class _Swap:
    """One swap, tried until it is known what became of it."""

    def __init__(self, register: Register, page: Page, before: Kept | None, lock: str | None, patience: float) -> None:
        self._register = register
        self._page = page
        self._content = encode_page(page)
        self._before = before
        self._lock = lock
        self._end = time.monotonic() + patience
        self._pause, self._longest = _PAUSES
        self._uncertain = False

    def done(self) -> Kept:
        """Return the page as it is kept, or raise what became of it."""
        while True:
            refused = False
            trouble: StateError | None = None
            try:
                return self._tried()
            except ConflictError:
                refused = True
            except UncertainError as error:
                self._uncertain, trouble = True, StateError(str(error))
            except AwayError as error:
                trouble = error
            except StateError as error:
                raise self._outcome(error) from error
            found = self._read_back(trouble)
            if found is not None and found.page.write == self._page.write:
                return found
            if not self._is_before(found):
                raise MovedError(found, uncertain=self._uncertain)
            self._wait(LockedError() if refused else trouble)

    def _tried(self) -> Kept:
        before = None if self._before is None else self._before.held
        held = self._register.swap(self._content, before, number=self._page.number, lock=self._lock)
        return Kept(held=held, page=self._page)

    def _read_back(self, trouble: StateError | None) -> Kept | None:
        """Return the page that is there, once the server tells."""
        while True:
            try:
                return load(self._register, self._before)
            except StateError as error:
                if not self._uncertain and not isinstance(error, AwayError):
                    raise
                self._wait(trouble or error)

    def _is_before(self, found: Kept | None) -> bool:
        if found is None or self._before is None:
            return found is self._before
        return found.held.tag == self._before.held.tag

    def _wait(self, trouble: Exception | None) -> None:
        """Wait a little, or raise what became of the swap where that was long enough."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._outcome(trouble or LockedError()) from trouble
        time.sleep(min(left, self._pause * random.uniform(0.5, 1.0)))  # noqa: S311 - so that not all come at once
        self._pause = min(self._longest, self._pause * 2)

    def _outcome(self, trouble: Exception) -> Exception:
        return UnansweredError(str(trouble)) if self._uncertain else trouble
