"""The plan as a value: changes with their reasons. Decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.diagnostics import Position
from taskspec.health import Health
from taskspec.judging.judging import Judgement
from taskspec.observed.model import Duplicate, Observed
from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.estimates import Estimate
from taskspec.plan.keeping import Answer, Former, Kept, nothing_kept, unanswered
from taskspec.plan.refusals import Refusal, Spending
from taskspec.state.model import Record, ResultRef, Verdict
from taskspec.taskapi.records import TaskRecord
from taskspec.taskapi.remotes import RemoteIdentity


class Action(StrEnum):
    """What a plan may do about an address: a closed list."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    STOP = "stop"
    FORGET = "forget"
    ADOPT = "adopt"
    WAIT = "wait"
    SETTLE = "settle"
    REJUDGE = "rejudge"
    MOVE = "move"
    HOLD = "hold"
    BLOCKED = "blocked"


Declared = DesiredTask | DeferredTask
"""What is declared under an address: finished, or with results of others left open."""

IDLE = frozenset({Action.NONE, Action.HOLD, Action.BLOCKED})
"""The actions that do nothing: they only tell how an address stands."""


Spent = Callable[[Address], int]
"""Tells the number of the last generation that an address had before it left the state; 0 where it had none."""


def nothing_spent(_: Address) -> int:
    """Tell that no address had a generation before."""
    return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What a decision needs and no document, state or remote says. `now` in seconds since the epoch."""

    now: float
    plan: str
    """The id that the plan is to have."""
    remote: RemoteIdentity
    """Where runs are to be started; its `instance` is None where nobody connected."""
    quiet_period: float = 0.0
    """How many seconds after its deadline a create may still come to light on the remote."""
    spent: Spent = nothing_spent
    kept: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The kept results that have to be judged again, by their digests."""
    former: Former = field(default=nothing_kept, compare=False)
    """Tells which results of an address are kept; asked only for those whose text has changed."""
    answer: Answer = field(default=unanswered, compare=False)
    requested: frozenset[Address] = frozenset()
    """Addresses for which one further attempt is asked for by hand."""
    selected: frozenset[Address] | None = None
    """The addresses that the command named; None selects all."""
    rerun: frozenset[Address] = frozenset()
    """Addresses whose accepted result is to be made anew, as a person asks for it."""


class Missing(StrEnum):
    """A side of a difference that has no value (None is a value)."""

    MISSING = "(absent)"


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldDiff:
    """One field that differs: its path in the task's spec, before and after, secrets masked."""

    path: tuple[str | int, ...]
    before: Any
    after: Any


class RiskCategory(StrEnum):
    """What a change may mean, apart from what differs: a closed list."""

    NEW_PAID_RUN = "new_paid_run"
    RERUN_OF_ACCEPTED = "rerun_of_accepted"
    PERMISSION_WIDENED = "permission_widened"
    MODEL_CHANGED = "model_changed"
    ACCEPTANCE_WEAKENED = "acceptance_weakened"
    SECRET_EXPOSED = "secret_exposed"  # noqa: S105  # a word, no secret
    DATA_TO_NEW_HOST = "data_to_new_host"
    SIDE_EFFECTS = "side_effects"


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """What a change means that a person should know: one sentence, and the field of the task that it is about."""

    category: RiskCategory
    text: str
    path: tuple[str | int, ...] = ()
    """Within the task's spec; nothing where it is about the task as a whole."""
    place: Position | Callable[[], Position] | None = field(default=None, repr=False, compare=False)
    """Where that stands, or what looks it up: of most risks nobody asks."""

    @property
    def position(self) -> Position | None:
        """Return where the field stands in the documents."""
        return self.place() if callable(self.place) else self.place


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One planned item. `generation` and `attempt` say which run it starts or is about (0: none)."""

    address: Address
    action: Action
    reasons: tuple[Reason, ...]
    health: Health
    agent: str
    moved_from: Address | None = None
    """The address under which the task is recorded so far: that one has no change of its own."""
    paid: bool = False
    conditional: bool = False
    """It is done only when each of `after` is accepted; where a result is left open, it is the most that is done."""
    after: tuple[Address, ...] = ()
    """The tasks that have to be accepted before it may start a run, as far as they are not."""
    destructive: bool = False
    generation: int = 0
    attempt: int = 0
    fingerprint: str | None = None
    run: str | None = None
    verdict: str | None = None
    diffs: tuple[FieldDiff, ...] = ()
    own_diffs: tuple[FieldDiff, ...] | None = None
    """What would differ if all that it waits for answered as it did last; None where nobody can tell, or has asked."""
    task: Declared | None = field(default=None, repr=False)
    """What is declared; None where it no longer is."""
    record: Record | None = field(default=None, repr=False)
    """What is recorded; None where nothing is."""
    observed: TaskRecord | None = field(default=None, repr=False)
    """What the remote showed of the run that the change is about."""
    judgement: Judgement | None = field(default=None, repr=False)
    """What its kept result is by the declared assertions, where they are not those by which it was judged."""
    kept: Kept | None = field(default=None, repr=False)
    """The result of an older generation of the very text, which is accepted again in the place of a run."""
    refused: bool = False
    """It is held by `protect` or `onChangeActive`: what is declared is not carried out, and a person has to decide."""
    in_error: bool = False
    """The item could not be read or understood: it is held, and the command ends in error."""
    risks: tuple[Risk, ...] = ()
    """What it means, apart from what differs; nothing for one that does nothing."""
    estimate: Estimate | None = None
    """What the run is likely to take that it may start; None where it starts none, or nobody has asked."""
    retries: int = 0
    """How many further attempts `retry` may start beside the run that it starts, or follows: each is paid for."""

    @property
    def rejudges(self) -> bool:
        """Tell whether it only judges a kept result again, for which no remote is needed."""
        return self.action is Action.REJUDGE and self.judgement is not None

    @property
    def retakes(self) -> bool:
        """Tell whether all that it does is to accept a kept result again, for which no remote is needed.

        Not so for what has another name too: the files that its record has so far are moved first.
        """
        return self.action is Action.ADOPT and self.kept is not None and self.run is None and self.moved_from is None

    @property
    def will_accept(self) -> ResultRef | None:
        """Return the kept result that is accepted as soon as an apply begins: no run and no remote is needed for it."""
        if self.retakes and self.kept is not None:
            return self.kept.result
        judgement, record = self.judgement, self.record
        if self.action is not Action.REJUDGE or record is None or judgement is None:
            return None
        if judgement.verdict is not Verdict.ACCEPTED or not self.declares(record.generation.fingerprint):
            return None
        return next((one.result for one in record.generation.attempts if one.number == self.attempt), None)

    @property
    def retitles(self) -> bool:
        """Tell whether it sends a title to the recorded run."""
        return self.action is Action.UPDATE or (self.action is Action.MOVE and bool(self.diffs))

    @property
    def needs_remote(self) -> bool:
        """Tell whether it does more than what becomes of its record before anything is asked of a remote.

        What only its upstream decides on is not over before that.
        """
        if self.conditional:
            return True
        if self.rejudges or self.retakes:
            return False
        return self.action not in IDLE and (self.action is not Action.MOVE or self.retitles)

    @property
    def finished_task(self) -> DesiredTask:
        """Return what is declared, with nothing left open; raise ValueError where there is no such thing."""
        if isinstance(self.task, DesiredTask):
            return self.task
        raise ValueError(f"nothing declares {self.address}, or not all of it is known")

    def declares(self, fingerprint: str) -> bool:
        """Tell whether a fingerprint is that of what is declared, as far as that is known."""
        return isinstance(self.task, DesiredTask) and self.task.asks_for(fingerprint)


@dataclass(frozen=True, kw_only=True, slots=True)
class Basis:
    """What the remote showed, and the circumstances, when a plan was made."""

    observed: Observed
    circumstances: Circumstances
    dependents: Mapping[Address, Sequence[Address]] = field(default_factory=dict)
    """For each address, the tasks that need it to be accepted."""
    known: Mapping[Address, DesiredTask] = field(default_factory=dict, repr=False)
    """The tasks whose text is known, also those that were finished with recorded results."""


class Affected(StrEnum):
    """Why something that a plan leaves out matters to what it does."""

    UPSTREAM = "upstream"
    DEPENDENT = "dependent"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """An address that the command did not select, and that is affected.

    `of` names the tasks that need it, or those that it depends on itself: what runs, or is affected in turn.
    """

    address: Address
    why: Affected
    of: tuple[Address, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Every address of a project and what is to be done about it, `none` included."""

    id: str
    project: str
    environment: str
    lineage: str
    serial: int
    created_at: float
    changes: tuple[Change, ...]
    unselected: int = 0
    """How many addresses were left out because the command named others."""
    unlisted: int = 0
    """How many more are up to date, where nobody wants them listed."""
    refusals: tuple[Refusal, ...] = ()
    """The limits that it goes beyond: then nothing of it is carried out."""
    basis: Basis | None = field(default=None, repr=False)
    """What it was decided on: a change that leaves a result open is decided once more when it is there."""
    left_out: tuple[LeftOut, ...] = ()
    """Those of the unselected addresses that are known to be affected."""
    spending: Spending | None = None
    """How the project's budget stands; None where it has none."""
    commits: Mapping[CausingLine, Commit] = field(default_factory=dict, repr=False)
    """The commits that last touched the lines which its reasons name, where somebody looked."""

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """Return the creates that the remote was seen to have more than once."""
        return self.basis.observed.duplicates if self.basis else ()

    @property
    def pending(self) -> tuple[Change, ...]:
        """Return the changes that do something, in order."""
        return tuple(c for c in self.changes if c.action not in IDLE)

    @property
    def paid_runs(self) -> int:
        """Return how many runs the plan may start, the conditional ones counted as certain."""
        return sum(c.paid for c in self.changes)

    @property
    def retries(self) -> int:
        """Return how many further attempts `retry` may start."""
        return sum(c.retries for c in self.changes)

    @property
    def conditional_runs(self) -> int:
        """Return how many of these runs depend on how others end."""
        return sum(c.paid and c.conditional for c in self.changes)

    @property
    def risks(self) -> Mapping[RiskCategory, int]:
        """Return how many changes have a risk of each category that occurs."""
        found: dict[RiskCategory, int] = {}
        for change in self.changes:
            for category in {risk.category for risk in change.risks}:
                found[category] = found.get(category, 0) + 1
        return found

    @property
    def counts(self) -> Mapping[Action, int]:
        """Return how many changes there are of each action that occurs."""
        found: dict[Action, int] = {}
        for change in self.changes:
            found[change.action] = found.get(change.action, 0) + 1
        return found
