"""The page of a state that is kept in a register: its values, its text, and back. Opens nothing and keeps nothing.

One page holds what a commit must compare and change at once: the lease, the serial, and three logs of what was written:
the records, the history, and the index of the results. Of a log that has grown, the page only names the pieces.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from taskspec.state.encoding import FORMAT
from taskspec.state.holders import holder_object, holder_of
from taskspec.state.model import Holder
from taskspec.state.shapes import JSON, Shape, checked

PAGE: Final = 1
"""The number of the page's own format; the records in it have theirs."""

Line = tuple[Any, ...]
"""One line of a log. A record: its address, its text (None: it was dropped). An entry of the history: its serial, its
address, its note, its hash. A result: its digest, its size, the piece that holds it and where it begins in it; or
None, and its text. A result that is kept no longer has no size (-1), no piece and no text."""
NO_SIZE: Final = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """The lines of a log from one number on to another, in a piece of their own."""

    piece: str
    start: int
    end: int
    size: int
    """The bytes of its lines, before they were packed."""
    digest: str
    """The SHA-256 of the piece."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """What was written, in its order: segments, oldest first, and the newest lines."""

    id: str
    """What tells it from a log that begins anew, with other lines under the same numbers."""
    segments: tuple[Segment, ...] = ()
    tail: tuple[Line, ...] = ()

    @property
    def start(self) -> int:
        """Return the number of the first line of the tail."""
        return self.segments[-1].end if self.segments else 0

    @property
    def end(self) -> int:
        """Return the number that the next line gets."""
        return self.start + len(self.tail)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldLease:
    """A lease, as it is kept."""

    holder: Holder
    ttl: float
    beat: float
    """When its holder last wrote, by what it took for the clock of the server."""
    lock: str | None
    """The id of the server's own lock, where that has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """All that is kept at one moment."""

    number: int
    """It grows with every write, whatever that changes."""
    write: str
    """A nonce: no other write has it."""
    project: str
    environment: str
    form: int
    """The format of the records."""
    lineage: str
    serial: int
    epoch: int
    head: str
    commit: str
    """The nonce of the last commit; it stays when only the lease is written."""
    lease: HeldLease | None
    taken: Holder | None
    """Who took the newest lease, or took the lock away from it."""
    records: Log
    history: Log
    results: Log
    waste: tuple[tuple[str, float], ...] = ()
    """The pieces that nothing needs any more, but for who has read an older page; and since when, as `beat` tells."""
    littered: bool = False
    """There may be pieces that no page has ever named."""

    @property
    def logs(self) -> tuple[Log, Log, Log]:
        """Return all logs."""
        return self.records, self.history, self.results


class NewerPageError(ValueError):
    """A newer taskspec wrote the page."""


_PAGE: Final[Shape] = {
    "taskspec": int,
    "serial": int,
    "lineage": str,
    "write": str,
    "project": str,
    "environment": str,
    "recordFormat": int,
    "state": dict,
    "lease": (dict, type(None)),
    "taken": (dict, type(None)),
    "records": dict,
    "history": dict,
    "results": dict,
    "waste": list,
    "littered": bool,
}
_STATE: Final[Shape] = {"serial": int, "epoch": int, "head": str, "commit": str}
_LEASE: Final[Shape] = {
    "holder": dict,
    "epoch": int,
    "ttl": (int, float),
    "beat": (int, float),
    "lock": (str, type(None)),
}
_LOG: Final[Shape] = {"id": str, "segments": list, "tail": list}
_SEGMENT: Final[Shape] = {"piece": str, "start": int, "end": int, "size": int, "digest": str}
_WASTE: Final[Shape] = {"piece": str, "since": (int, float)}
_LINES: Final[Mapping[str, tuple[type | tuple[type, ...], ...]]] = {
    "records": (str, (str, type(None))),
    "history": (int, str, str, str),
    "results": (str, int, (str, type(None)), (int, str)),
}


def encode_page(page: Page) -> bytes:
    """Return the text of a page."""
    lease = page.lease
    value = {
        "taskspec": PAGE,
        "serial": page.number,
        "lineage": page.lineage,
        "write": page.write,
        "project": page.project,
        "environment": page.environment,
        "recordFormat": page.form,
        "state": {"serial": page.serial, "epoch": page.epoch, "head": page.head, "commit": page.commit},
        "lease": None if lease is None else _lease_object(lease, page.epoch),
        "taken": None if page.taken is None else holder_object(page.taken),
        "records": _log_object(page.records),
        "history": _log_object(page.history),
        "results": _log_object(page.results),
        "waste": [{"piece": piece, "since": since} for piece, since in page.waste],
        "littered": page.littered,
    }
    return JSON.encode(value).encode()


def decode_page(content: bytes) -> Page:
    """Return the page that a text holds; raise ValueError where it is none, and NewerPageError for one of a newer."""
    value = json.loads(content.decode())
    if not isinstance(value, dict) or type(value.get("taskspec")) is not int:
        raise ValueError("it is not the page of a state")
    form = value.get("recordFormat")
    if value["taskspec"] > PAGE or (type(form) is int and form > FORMAT):
        known = f"{value['taskspec']}/{form}; this one knows up to {PAGE}/{FORMAT}"
        raise NewerPageError(f"was made by a newer taskspec (format {known})")
    value = checked(value, _PAGE)
    state = checked(value["state"], _STATE)
    if value["taskspec"] < 1 or value["recordFormat"] < 1:
        raise ValueError("it names no format")
    if not value["lineage"] or not state["head"] or min(state["serial"], state["epoch"], value["serial"]) < 0:
        raise ValueError("it names no lineage, or no head, or a number below zero")
    return Page(
        number=value["serial"],
        write=value["write"],
        project=value["project"],
        environment=value["environment"],
        form=value["recordFormat"],
        lineage=value["lineage"],
        **state,
        lease=None if value["lease"] is None else _lease(value["lease"], state["epoch"]),
        taken=None if value["taken"] is None else holder_of(value["taken"]),
        records=_log(value["records"], "records"),
        history=_log(value["history"], "history"),
        results=_log(value["results"], "results"),
        waste=tuple((checked(one, _WASTE)["piece"], one["since"]) for one in value["waste"]),
        littered=value["littered"],
    )


def _lease_object(lease: HeldLease, epoch: int) -> dict[str, Any]:
    return {
        "holder": holder_object(lease.holder),
        "epoch": epoch,
        "ttl": lease.ttl,
        "beat": lease.beat,
        "lock": lease.lock,
    }


def _lease(value: Any, epoch: int) -> HeldLease:
    value = checked(value, _LEASE)
    if value["epoch"] != epoch or value["ttl"] <= 0:
        raise ValueError("its lease is not that of its epoch")
    return HeldLease(holder=holder_of(value["holder"]), ttl=value["ttl"], beat=value["beat"], lock=value["lock"])


def _log_object(log: Log) -> dict[str, Any]:
    segments = [{name: getattr(one, name) for name in _SEGMENT} for one in log.segments]
    return {"id": log.id, "segments": segments, "tail": log.tail}


def _log(value: Any, name: str) -> Log:
    value = checked(value, _LOG)
    segments = tuple(Segment(**checked(one, _SEGMENT)) for one in value["segments"])
    start = 0
    for segment in segments:
        if segment.start != start or segment.end < start:
            raise ValueError(f"the segments of its {name} do not follow from each other")
        start = segment.end
    return Log(id=value["id"], segments=segments, tail=tuple(line_of(line, name) for line in value["tail"]))


def without(digest: str) -> Line:
    """Return the line that says that a result is kept no longer."""
    return digest, NO_SIZE, None, ""


def line_of(value: Any, name: str) -> Line:
    """Return the line of a log that an array of JSON is; raise ValueError where it is none."""
    shape = _LINES[name]
    if type(value) is not list or len(value) != len(shape) or not all(map(isinstance, value, shape)):
        raise ValueError(f"a line of its {name} is none")
    return tuple(value)
