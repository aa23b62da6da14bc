"""Superseding: what the history is told of a generation when a record holds another one from then on. Stores nothing.

So the older texts are kept, each once: that of the newest generation is in its record.
"""

from collections.abc import Iterator
from typing import Any

from taskspec.state.model import Accepted, Note, Record


def superseded(before: Record | None, after: Record | None, at: float, *, plan: str | None) -> Iterator[Note]:
    """Yield the note of the generation that a record holds no more; `after` is None where the address is forgotten.

    It is committed together with what takes its place. The text is left out where that asks for the very same: whoever
    reads finds it by its fingerprint. `plan` is the one that replaces it; None where a person does.
    `at` in seconds since the epoch.
    """
    if before is None or (after is not None and after.generation.number == before.generation.number):
        return
    old = before.generation
    new = after.generation if after is not None else None
    is_same = new is not None and (new.fingerprint, new.spec) == (old.fingerprint, old.spec)
    data = {
        "generation": old.number,
        "fingerprint": old.fingerprint,
        "asked": old.plan,
        "agent": before.agent,
        "spec": None if is_same else dict(old.spec),
        "verdict": old.last.verdict if old.last is not None else None,
        "accepted": _accepted(before.accepted, old.number),
        **({"by": "hand"} if plan is None else {"plan": plan}),
    }
    yield Note(address=before.address if after is None else after.address, at=at, what="superseded", data=data)


def _accepted(accepted: Accepted | None, generation: int) -> dict[str, Any] | None:
    """Return what names the accepted result of a generation; None where that of its record is of an older one."""
    if accepted is None or accepted.generation != generation:
        return None
    result = accepted.result
    return {
        "attempt": accepted.attempt.number,
        "run": accepted.run,
        "result": result.digest,
        "bytes": result.size,
        "format": result.format,
        "at": accepted.at,
    }
