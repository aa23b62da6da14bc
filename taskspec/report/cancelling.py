"""The end of a command that was cancelled, in words and for machines. Asks nobody."""

from collections.abc import Iterator, Sequence
from typing import Any

from taskspec.address import Address
from taskspec.report.text import Paint, in_line, plural, some
from taskspec.state.model import Holder


def holder_json(holder: Holder | None) -> dict[str, Any] | None:
    """Return who held a lock, for machines; None where nobody did."""
    if holder is None:
        return None
    return {name: getattr(holder, name) for name in ("user", "host", "pid", "command", "since", "job")}


def cancelled_lines(
    holder: Holder, running: Sequence[Address], unknown: Sequence[Address], paint: Paint, *, relieved: bool
) -> Iterator[str]:
    """Yield what has become of a command, and what it has left."""
    free = "another command holds the lock now" if relieved else "the lock is free"
    yield in_line(f"`{holder.command}` (process {holder.pid}) has ended: {free}.")
    if running:
        goes, follows = ("goes", "it") if len(running) == 1 else ("go", "them")
        yield f"  {plural(len(running), 'run')} {goes} on ({some(running)}): the next apply follows {follows}."
    if unknown:
        text = f"The outcome of {some(unknown)} is not known: the next apply finds out."
        yield f"  {paint('!', 'warning')} {text}"
    if not running and not unknown:
        yield "  No run of it goes on."
