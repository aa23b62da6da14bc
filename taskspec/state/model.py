"""What we hold between runs, as values. Knows no store, no clock and no encoding.

A record belongs to an address. It holds the generation that was asked for last, with its attempts, and the accepted
result, which may be of an older generation. Everything older is in the history.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.documents.model import OnRemove
from taskspec.inputs import Input
from taskspec.taskapi.records import Tokens
from taskspec.taskapi.remotes import RemoteIdentity

INLINE_LIMIT = 256 * 1024
"""Results up to this many bytes are held inline, larger ones as blobs."""
TTL = 60.0
"""Seconds that a lease lasts after it was taken, and after each heartbeat."""
GONE: Final = "gone"
"""What stands for the status of a run that the remote does not know any more."""
BEATS = 3
"""How many heartbeats of a holder fall into the time that its lease lasts without one."""


class Verdict(StrEnum):
    """What we say of an attempt."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"
    ERROR = "error"
    STOPPED = "stopped"
    WAITING = "waiting"
    ACTIVE = "active"
    UNKNOWN = "unknown"
    LOST = "lost"


class Sending(StrEnum):
    """How far the create of an attempt got."""

    INTENDED = "intended"  # the intent is durable; whether the remote has the run is unknown until it is bound
    BOUND = "bound"  # the remote's run id is recorded
    REFUSED = "refused"  # the remote said no, or nothing was sent: no agent was reached, and it does not count
    ABSENT = "absent"  # proven not to be on the remote: it does not count


class StopCause(StrEnum):
    """Why we stopped a run."""

    REPLACE = "replace"
    REMOVE = "remove"
    USER = "user"
    TIMEOUT = "timeout"
    RETRY = "retry"


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRef:
    """A kept result: the SHA-256 of its UTF-8 bytes is its name in the store."""

    digest: str
    size: int
    format: str
    """`text`, `markdown`, `json` or `voice`: what was asked for (`text` where nothing was)."""

    @classmethod
    def of(cls, content: str, output_format: str | None) -> "ResultRef":
        """Return the reference under which a content is kept."""
        encoded = content.encode()
        return cls(digest=hashlib.sha256(encoded).hexdigest(), size=len(encoded), format=output_format or "text")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One run of one generation, from its intent on. Times are seconds since the epoch."""

    number: int
    nonce: str
    marker: str
    body_digest: str
    intended_at: float
    send_deadline: float
    remote: RemoteIdentity
    sending: Sending = Sending.INTENDED
    run: str | None = None
    title: str = ""
    """The title that we last sent, without its marker."""
    status: str | None = None
    """The status that was last seen."""
    verdict: Verdict | None = None
    """None until the run has ended and was judged."""
    stop: StopCause | None = None
    """A stop that we intend or made, recorded before it is sent."""
    started_at: float | None = None
    finished_at: float | None = None
    detail: str = ""
    """Why it is not accepted, in the remote's or the agent's own words, cut to a few thousand characters."""
    result: ResultRef | None = None
    tokens: Tokens | None = None
    assertions: str | None = None
    """By which assertions it was judged: their digest; None where there were none."""
    rejudged: bool = False
    """Its result was accepted once, and was rejected when it was judged again: that earns no further attempt."""
    revision: Revision | None = None
    """What was checked out when it was asked for, and which job asked; None where nobody could tell."""

    @property
    def seconds(self) -> float | None:
        """Return how long the run took; None where the remote does not tell, or its clock was set back meanwhile."""
        if self.started_at is None or self.finished_at is None or self.finished_at < self.started_at:
            return None
        return round(self.finished_at - self.started_at, 3)

    @property
    def counts(self) -> bool:
        """Tell whether the attempt reached an agent, or may have."""
        return self.sending in {Sending.INTENDED, Sending.BOUND}

    @property
    def may_be_at_work(self) -> bool:
        """Tell whether its run may go on: nobody has seen that it ended, or that it never was."""
        return self.counts and (self.verdict is None or self.verdict is Verdict.LOST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """One thing that was asked for: a fingerprint, and the masked spec that it covers."""

    number: int
    fingerprint: str
    spec: Mapping[str, Any]
    plan: str
    """The id of the plan that asked."""
    attempts: tuple[Attempt, ...] = ()
    inputs: Mapping[str, Input] | None = None
    """What its rendering depended on, by name (`vars.region`, `file:notes.md`, `tasks.extract.result` …).

    None where nobody noted it: it was asked for by a taskspec that did not.
    """

    @property
    def last(self) -> Attempt | None:
        """Return the newest attempt."""
        return self.attempts[-1] if self.attempts else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The accepted result of an address, and all that its provenance tells, whatever is asked for later.

    The first accepted result of a generation stays, whatever its run shows afterwards. `at` in seconds since the epoch.
    """

    generation: int
    fingerprint: str
    plan: str
    agent: str
    agent_version: str | None = None
    attempt: Attempt
    result: ResultRef
    at: float
    acknowledged: str | None = None
    """What its run shows since then, as a person has taken notice of it: a status that is known, or `GONE`."""

    @property
    def run(self) -> str:
        """Return the id of the run that gave the result."""
        return self.attempt.run or ""

    @property
    def remote(self) -> RemoteIdentity:
        """Return the remote that the run is on."""
        return self.attempt.remote

    @property
    def by_hand(self) -> int | None:
        """Return the generation whose result a person has accepted here; None where it was judged."""
        return _source(_BY_HAND, self.plan)

    @property
    def again(self) -> int | None:
        """Return the generation of the same text whose result a plan has accepted here; None where it was judged."""
        return _source(_AGAIN, self.plan)


_BY_HAND: Final = re.compile(r"hand-g([0-9]{1,9})-")
_AGAIN: Final = re.compile(r"again-g([0-9]{1,9})-")


def _source(form: re.Pattern[str], plan: str) -> int | None:
    found = form.match(plan)
    return int(found[1]) if found else None


def accepted_by_hand(generation: int, nonce: str) -> str:
    """Return what stands for the plan of a result that a person has accepted, of the generation that made it."""
    return f"hand-g{generation}-{nonce}"


def accepted_again(generation: int, plan: str) -> str:
    """Return what stands for the plan of a result that a plan has accepted again, of the generation that had it."""
    return f"again-g{generation}-{plan}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Everything that is current of one address."""

    address: Address
    agent: str
    generation: Generation
    accepted: Accepted | None = None
    on_remove: OnRemove = OnRemove.STOP
    protect: bool = False
    """Nothing destructive is done to it, also when nothing declares it any more."""
    spent: int = 0
    """The last number of those that another record gave to generations of this address, before this one moved here."""
    unsent: Mapping[str, Any] | None = None
    """What only taskspec reads, as it was declared when it was last applied; None where nobody noted it."""
    file: str = ""
    """The file that declared it then, relative to the project folder; empty where nobody noted it."""

    @property
    def next_generation(self) -> int:
        """Return the number of the generation that follows: none of an address is used twice."""
        return max(self.generation.number, self.spent) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The state at one serial."""

    lineage: str
    serial: int
    records: Mapping[Address, Record]
    head: str = ""
    """The hash of the newest entry of the history; empty where nothing is kept, or it is not chained yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who holds a lock. `since` in seconds since the epoch."""

    user: str
    host: str
    pid: int
    command: str
    since: float
    started: int | None = None
    """When the process started, as the kernel counts: no later process of its id has the same. None: not told."""
    job: str | None = None
    """The page of the CI job that the process belongs to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """A lock that is held, as others see it at this moment."""

    holder: Holder | None
    """None while the holder is just beginning, and has not said who it is."""
    epoch: int
    """The epoch of its lease; 0 while it is just beginning."""
    silent: float
    """Seconds since its last heartbeat, by the clock of the store."""
    suspended: bool = False
    """Its process was seen to be there, and not to go on. False also where that cannot be seen."""
    ttl: float = TTL
    """Seconds that its lease lasts without a heartbeat."""
    lapses: bool = False
    """Its lease ends by itself when it runs out; else it ends with the holder's process."""

    @property
    def expires(self) -> float:
        """Return in how many seconds its lease runs out; less than 0 where it has."""
        return self.ttl - self.silent

    @property
    def is_alive(self) -> bool:
        """Tell whether the holder must be taken to be at work."""
        return self.expires > 0 and not self.suspended


@dataclass(frozen=True, kw_only=True, slots=True)
class PutRecord:
    """Set the record of an address."""

    record: Record


@dataclass(frozen=True, kw_only=True, slots=True)
class DropRecord:
    """Take an address out of the state."""

    address: Address


@dataclass(frozen=True, kw_only=True, slots=True)
class PutResult:
    """Keep a result's content under its digest."""

    ref: ResultRef
    content: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DropResult:
    """Keep a result no longer; that it is not there is no error. That nothing names it is for whoever asks to know."""

    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Add an entry to the history: what happened to an address. `at` in seconds since the epoch."""

    address: Address
    at: float
    what: str
    data: Mapping[str, Any] = field(default_factory=dict)


StateChange = PutRecord | DropRecord | PutResult | DropResult | Note


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One entry of the history, with the serial at which it became durable."""

    serial: int
    note: Note
    hash: str = ""
    """Its hash, over the one before it and itself (`chaining`); empty where an older taskspec wrote it unchained."""
