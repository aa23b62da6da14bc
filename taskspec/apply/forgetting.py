"""Forgetting: what takes an address out of the state, and keeps its last word in the history. Stores nothing itself."""

from typing import Any

from taskspec.address import Address
from taskspec.apply.superseding import superseded
from taskspec.state.model import DropRecord, Note, Record, StateChange


def forgotten(address: Address, record: Record | None, at: float, *, plan: str | None) -> tuple[StateChange, ...]:
    """Return the changes of the state; the last accepted result is named in the history and stays stored.

    By hand, which is without a plan, the history also names the run, or the intent, that nothing accounts for any more.
    `at` in seconds since the epoch.
    """
    data: dict[str, Any] = {"spent": record.next_generation - 1} if record else {}
    accepted = record.accepted if record else None
    if accepted is not None:
        data |= {"generation": accepted.generation, "run": accepted.run, "result": accepted.result.digest}
    last = record.generation.last if record else None
    if plan is not None:
        data["plan"] = plan
    else:
        data["by"] = "hand"
        if last is not None:
            data["last"] = {"run": last.run, "marker": last.marker, "sending": last.sending, "status": last.status}
    forgotten = Note(address=address, at=at, what="forgotten", data=data)
    return DropRecord(address=address), *superseded(record, None, at, plan=plan), forgotten
