"""Events: everything that can happen while a command works, one frozen class each. Holds no behaviour."""

from dataclasses import dataclass
from enum import StrEnum

from taskspec.address import Address
from taskspec.health import Health


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened; the class name is its type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyStarted(Event):
    """The lock is held and the first effect is next."""

    plan: str
    changes: int
    paid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressMoved(Event):
    """What is recorded of a task stands under the name that it has now, with its results and its history."""

    address: Address
    before: Address


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCreated(Event):
    """The remote accepted a new run, and its id is recorded."""

    address: Address
    agent: str
    generation: int
    attempt: int
    run: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunAdopted(Event):
    """A run of the remote is recorded: that of an intent of unknown outcome, or one that a person named."""

    address: Address
    run: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultAccepted(Event):
    """A kept result was made the accepted one: that of `source`, a generation, now counts for another.

    `by` says who wanted that: `hand`, a person; `plan`, as the very text was asked for before.
    """

    address: Address
    generation: int
    source: int
    run: str
    by: str = "hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunAbsent(Event):
    """The remote has no run of an intent whose outcome was unknown; `detail` says why that is believed."""

    address: Address
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStatusChanged(Event):
    """A run that is followed shows another status."""

    address: Address
    run: str
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEnded(Event):
    """A run ended and was judged; `seconds` is None where the remote does not tell."""

    address: Address
    run: str
    status: str
    verdict: str
    seconds: float | None = None
    detail: str = ""
    tokens: int | None = None
    """How many it used, prompt and completion; None where the remote does not tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSaid(Event):
    """A run that somebody listens to has said something; `text` is one line, as it came, cut where it is very long.

    `kind` is `answer` for a line of its answer as it is written, or the type of the event of its stream (`think`,
    `tool_call_request` …). Heard only where somebody asked for it.
    """

    address: Address
    run: str
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ListeningEnded(Event):
    """What a run says cannot be heard any more; the run itself is not concerned."""

    address: Address
    run: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultWritten(Event):
    """An accepted result is in the results folder."""

    address: Address
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultWithdrawn(Event):
    """A result is accepted no longer, and its file is gone from the results folder; the state keeps it."""

    address: Address
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FormerResultRemoved(Event):
    """The file of a result that stands under the task's new name now is gone from its former place."""

    address: Address
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultUnreadable(Event):
    """A recorded result cannot be read from the state any more, so that its file cannot be made again."""

    address: Address
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultNotWritten(Event):
    """The file of an accepted result cannot be written, or is somebody else's; the state keeps the result."""

    address: Address
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultsRemoved(Event):
    """Older results of an address are kept no longer, as its retention asks; `generations` are those that gave them."""

    address: Address
    generations: tuple[int, ...]
    results: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStopped(Event):
    """A run was stopped by us; `cause` is one of replace, remove, user, timeout, retry, duplicate."""

    address: Address
    run: str
    cause: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TitleUpdated(Event):
    """The title of an ended run was changed on the remote, or the remote did not keep it."""

    address: Address
    run: str
    kept: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressForgotten(Event):
    """An address has left the state, planned or by hand; its result is in the history."""

    address: Address


@dataclass(frozen=True, kw_only=True, slots=True)
class DriftAcknowledged(Event):
    """Somebody has taken notice of what the run of an accepted result shows now: its status, or `gone`."""

    address: Address
    run: str
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryScheduled(Event):
    """An attempt did not succeed and the task's policy grants the next one, after `seconds`."""

    address: Address
    attempt: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeUnknown(Event):
    """A run was asked for and nobody knows whether the remote has it; decidable after `seconds`."""

    address: Address
    seconds: float
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DuplicatesFound(Event):
    """The remote has one create as several runs; `kept` is the recorded one, or the earliest."""

    address: Address | None
    """None where their marker is of a task that is neither declared nor recorded."""
    kept: str
    others: tuple[str, ...]
    detail: str = ""
    """What still runs of them, or why it could not be stopped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepFailed(Event):
    """Whether the remote has a create of an agent twice was not found out: its runs cannot be listed."""

    agent: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitedTooLong(Event):
    """The time to wait is over; these addresses were not finished."""

    addresses: tuple[Address, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interrupted(Event):
    """A signal asked to stop."""

    signum: int


class Effect(StrEnum):
    """What became of one change."""

    DONE = "done"
    LEFT = "left"  # nothing was to be done, or not to be waited for
    REFUSED = "refused"  # `protect` or `onChangeActive` holds it: a person has to decide
    FAILED = "failed"  # it could not be carried out: an error of ours, of the remote, or of the connection
    UNKNOWN = "unknown"  # it was sent, and its outcome is not known
    CUT = "cut"  # it was not finished: the time to wait was over, a signal came, or its upstream was not waited for


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeDecided(Event):
    """What a change depended on is over, so that it is known what is done about it; `detail` says why."""

    address: Address
    action: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeFinished(Event):
    """One change of the plan is finished: exactly one of these for each address."""

    address: Address
    action: str
    effect: Effect
    health: Health
    verdict: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyFinished(Event):
    """The apply is over, and everything that happened is recorded.

    `head` is the hash of the newest entry of the history: who keeps it can tell later whether anything before it was
    changed.
    """

    seconds: float
    head: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesChanged(Event):
    """What the tasks of a watch are made of has changed: a round that waits leaves its runs, and the next begins."""

    files: tuple[str, ...]


class RoundOutcome(StrEnum):
    """What a round of a watch has come to."""

    SETTLED = "settled"  # the plan was carried out
    FALTERED = "faltered"  # it was, but for changes that failed, or whose outcome is unknown
    CUT = "cut"  # a file changed while it waited; the runs go on
    WRONG = "wrong"  # the manifests are wrong
    REFUSED = "refused"  # beyond a limit, a selector that fits nothing, a key that is missing
    HELD = "held"  # another command holds the lock or the engine
    HINDERED = "hindered"  # the remote cannot be reached or refuses the key, the state cannot be written
    STOPPED = "stopped"  # the watch was told to stop


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundFinished(Event):
    """A round of a watch is over; the next begins after `pause` seconds, or as soon as a file changes."""

    round: int
    outcome: RoundOutcome
    started: int
    accepted: int
    unchanged: int
    unhealthy: int
    needing: int
    """Those that wait for a person."""
    unknown: int
    seconds: float
    pause: float
    detail: str = ""
    """What stood in the way."""
