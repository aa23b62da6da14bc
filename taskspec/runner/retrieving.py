"""Older answers of one address, as its record and its history tell of them. Takes no lock, and asks no remote."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from shlex import quote

from taskspec.address import Address
from taskspec.errors import StateError, UsageError
from taskspec.plan.keeping import Kept
from taskspec.plan.recollecting import Recollection, recollected
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.recalling import notes_of
from taskspec.runner.recounting import unheard_of
from taskspec.state.migrating import require_here
from taskspec.state.store import StateReader


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """The generations of an address, newest first, and what reads their answers as long as the state is open."""

    address: Address
    generations: Sequence[Recollection]
    content: Callable[[Recollection], str]
    """Returns the answer of a generation; raises UsageError where there is none, or it was removed."""

    def of(self, number: int) -> Recollection:
        """Return a generation; raise UsageError where the address never had it."""
        for one in self.generations:
            if one.number == number:
                return one
        known = ", ".join(f"g{one.number}" for one in self.generations)
        raise UsageError(f"`{self.address}` has no generation g{number}.", hint=f"It has {known}.")


@contextmanager
def past(invocation: Invocation, ports: Ports) -> Iterator[Past]:
    """Open the generations of the one address that is selected, also of one that has left the state."""
    address = invocation.selection.only
    if address is None:
        raise UsageError(
            "Older results are told of one address at a time.",
            hint="Give one address; `taskspec results` lists those that have a result.",
        )
    store = ports.open_state(project_of(invocation), read_only=True)
    try:
        require_here(store)
        record = store.read(only=[address]).records.get(address)
        found = recollected(record, notes_of(address, store))
        if not found:
            raise _moved_away(address, store) or unheard_of(address, store.read().records)
        yield Past(address=address, generations=found, content=lambda one: _content(address, one, store))
    finally:
        store.close()


def _moved_away(address: Address, store: StateReader) -> UsageError | None:
    """Return the error for a name that a task has given up for another; None where none did so last."""
    last = next(store.history(address, limit=1), None)
    to = last.note.data.get("to") if last is not None and last.note.what == "moved" else None
    if not isinstance(to, str):
        return None
    return UsageError(f"`{address}` is called `{to}` now.", hint=f"Its older results are those of `{to}`.")


def _content(address: Address, one: Recollection, store: StateReader) -> str:
    kept = one.kept
    if kept is None:
        hint = f"`taskspec results {quote(address)} --history` tells which generations have one."
        raise UsageError(f"g{one.number} of `{address}` has no result.", hint=hint)
    return content_of(address, kept, store, is_gone=one.is_gone)


def content_of(address: Address, kept: Kept, store: StateReader, *, is_gone: bool) -> str:
    """Return a kept result; raise UsageError for one that was removed, and StateError for one that is damaged."""
    try:
        return store.result(kept.result)
    except StateError as error:
        if not is_gone:
            raise
        raise UsageError(
            f"The result of g{kept.generation} of `{address}` was removed from the state, as its `retention` asks for.",
            hint=f"`taskspec history {quote(address)}` tells when, and which results were removed.",
        ) from error
