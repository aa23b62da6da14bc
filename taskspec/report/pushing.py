"""A state that takes the place of another, in words: what comes, what goes, and what is forgotten. Asks nobody."""

from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from taskspec.address import Address
from taskspec.report.text import Paint, in_line, plural, some
from taskspec.state.document import StateDocument
from taskspec.state.model import Snapshot
from taskspec.state.replacing import is_empty

SOME = 10
"""How many addresses of a kind are named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """The state that is there, and the one that takes its place."""

    before: Snapshot
    after: StateDocument
    same: bool
    """Both hold the same already: nothing is to be done."""
    lost: int
    """How many entries of the history are not in the new one."""
    forced_over: str = ""
    """Why it is refused unless forced."""

    @property
    def added(self) -> list[Address]:
        """Return the addresses that come."""
        return [address for address in self.after.records if address not in self.before.records]

    @property
    def removed(self) -> list[Address]:
        """Return the addresses that go."""
        return [address for address in self.before.records if address not in self.after.records]

    @property
    def changed(self) -> list[Address]:
        """Return the addresses whose records are not what they were."""
        old, new = self.before.records, self.after.records
        return [address for address in new if address in old and new[address] != old[address]]

    @property
    def abandoned(self) -> list[Address]:
        """Return the addresses here whose run may be at work, and is that of no record any more."""
        kept = {attempt.nonce for record in self.after.records.values() for attempt in record.generation.attempts}
        last = {address: record.generation.last for address, record in self.before.records.items()}
        return [a for a, one in last.items() if one is not None and one.may_be_at_work and one.nonce not in kept]


def replacement_lines(replacement: Replacement, paint: Paint) -> Iterator[str]:
    """Yield what a push does."""
    before, after = replacement.before, replacement.after
    here = "nothing yet" if is_empty(before) else f"serial {before.serial}, {_count(before.records)}"
    yield f"Here: {here}. Pushed: serial {after.serial}, {_count(after.records)} ({in_line(after.project, 80)})."
    yield from _named(paint("+", "add"), "recorded only in what is pushed", replacement.added)
    yield from _named(paint("~", "change"), "recorded otherwise", replacement.changed)
    yield from _named(paint("-", "remove"), "recorded only here: it is forgotten", replacement.removed)
    if abandoned := replacement.abandoned:
        text = (
            f"the run of {some(abandoned)} may be at work, and is recorded no more: `taskspec orphans` finds it "
            "afterwards, and an apply that comes first starts another"
        )
        yield f"  {paint('!', 'warning')} {text}"
    if replacement.forced_over:
        yield f"  {paint('!', 'warning')} forced: {in_line(replacement.forced_over, 600)}"
    if replacement.lost:
        text = (
            f"{_entries(replacement.lost)} of the history here, and not in what is pushed: "
            "what was run, and paid for, since then may be run again"
        )
        yield f"  {paint('!', 'warning')} {text}"


def replacement_json(replacement: Replacement) -> dict[str, Any]:
    """Return what a push has done, for machines."""
    return {
        "pushed": not replacement.same,
        "lineage": replacement.after.lineage,
        "serial": replacement.after.serial,
        "head": replacement.after.head,
        "added": replacement.added,
        "changed": replacement.changed,
        "removed": replacement.removed,
        "abandoned": replacement.abandoned,
        "lostEntries": replacement.lost,
    }


def _named(sign: str, what: str, addresses: Sequence[Address]) -> Iterator[str]:
    for address in addresses[:SOME]:
        yield f"  {sign} {address}  {what}"
    if len(addresses) > SOME:
        yield f"  {sign} … and {len(addresses) - SOME} more"


def _count(records: Sized) -> str:
    return plural(len(records), "task")


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
