"""The pieces that nothing needs: those that were replaced, and those that a killed writer has left. Writes no page."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from taskspec.errors import StateError
from taskspec.state.pages import Page
from taskspec.state.register import Register
from taskspec.state.segments import Limits


class Sweeper:
    """Drops pieces of a register, for whoever holds the lease."""

    def __init__(self, register: Register, limits: Limits) -> None:
        self._register = register
        self._limits = limits

    def drop(self, page: Page, replaced: Sequence[str]) -> tuple[tuple[str, float], ...]:
        """Drop what was replaced a while ago; return what the next page names as such, with what it replaces itself."""
        now = self._register.clock()
        many = len(page.waste) + len(replaced) - self._limits.waste
        old = [one for number, one in enumerate(page.waste) if number < many or now - one[1] > self._limits.grace]
        if old:
            with suppress(StateError):  # who may not, leaves them
                self._register.drop([name for name, _ in old])
        return (*(one for one in page.waste if one not in old), *((name, now) for name in replaced))

    def sweep(self, page: Page, results: AbstractSet[str], now: float) -> bool:
        """Drop the old pieces that a page does not name; tell whether there are no young ones. `results`: also named.

        The page has to be read under a lease, and after it was `now`. A piece is named by the swap that follows its
        keeping, or never: so an old one that this page does not name never will be, and only young ones may be another
        writer's that has the lease meanwhile.
        """
        named = {segment.piece for log in page.logs for segment in log.segments} | {name for name, _ in page.waste}
        own = [one for one in self._register.pieces() if one[0].startswith(f"{page.lineage[:8]}-")]
        unnamed = [(name, written) for name, written in own if name not in named and name not in results]
        before = now - self._limits.stray
        self._register.drop([name for name, written in unnamed if written < before])
        return all(written < before for _, written in unnamed)
