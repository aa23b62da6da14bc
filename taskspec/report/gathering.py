"""Gathering: every event of a command, with the time at which it was heard. Shows nothing, and decides nothing."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from taskspec.address import Address
from taskspec.events import ChangeFinished, Event, ListeningEnded, RunSaid, RunStatusChanged
from taskspec.report.account import Heard

MOST_STATUSES: Final = 100
"""So many changes of status are kept of one address: a remote that wavers for days must not fill the memory."""


class Gathering:
    """A view that keeps what it hears: of an address so much as its attempts are, and no more of its statuses."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._heard: list[Heard] = []
        self._statuses: Counter[Address] = Counter()
        self.finished: dict[Address, ChangeFinished] = {}
        """How each change ended; that one counts which was heard last."""

    def on(self, event: Event) -> None:
        """Keep an event."""
        if isinstance(event, RunSaid | ListeningEnded):  # an agent may say more than a report can hold
            return
        if isinstance(event, ChangeFinished):
            self.finished[event.address] = event
        if isinstance(event, RunStatusChanged):
            self._statuses[event.address] += 1
            if self._statuses[event.address] > MOST_STATUSES:
                return
        self._heard.append(Heard(at=self._now(), event=event))

    def close(self) -> None:
        """End; nothing was drawn."""

    @property
    def heard(self) -> Sequence[Heard]:
        """Return every event, in the order in which it was heard."""
        return tuple(self._heard)


def by_address(heard: Sequence[Heard]) -> Mapping[Address, Sequence[Heard]]:
    """Return the events that are about one task, by its address, in their order."""
    found: defaultdict[Address, list[Heard]] = defaultdict(list)
    for one in heard:
        address = getattr(one.event, "address", None)
        if isinstance(address, str):
            found[Address(address)].append(one)
    return found
