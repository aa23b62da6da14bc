"""What a command has done, or how things stand, as one value that every report is made of. Reads and shows nothing.

All of its texts may come from a remote, an agent or a stranger's manifest: whoever shows them makes them harmless.
Times are seconds since the epoch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskspec.address import Address
from taskspec.ci import Revision
from taskspec.diagnostics import Diagnostic
from taskspec.events import ApplyFinished, ChangeFinished, Event
from taskspec.health import Health
from taskspec.plan.model import Change, Plan
from taskspec.report.exiting import ExitCode
from taskspec.state.model import Attempt, Verdict


class Kind(StrEnum):
    """What an account tells of."""

    VALIDATE = "validate"  # the documents alone: they are wrong, or were only to be checked
    PLAN = "plan"  # what would be done
    APPLY = "apply"  # what was done
    STANDING = "standing"  # what is recorded, whatever is declared


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """An event, and when it was heard."""

    at: float
    event: Event


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A result of a task; `content` is None where it cannot be read any more, or was not asked for."""

    generation: int
    attempt: int
    run: str
    at: float | None
    format: str
    digest: str
    size: int
    content: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationTold:
    """One thing that was asked for, with its attempts, and the result that was accepted of it or is only kept."""

    number: int
    fingerprint: str | None
    plan: str | None
    asked_at: float | None
    agent: str
    spec: Mapping[str, Any] | None = field(default=None, repr=False)
    """What was asked for, secrets masked; None where it was not kept."""
    revision: Revision | None = None
    attempts: Sequence[Attempt] = ()
    verdict: Verdict | None = None
    """That of the last attempt; None where it is not settled."""
    answer: Answer | None = None
    """What was accepted, by a judgement or by hand; None where nothing was."""
    unaccepted: Answer | None = None
    """The newest answer that is kept where nothing was accepted: it may be shown, and never be taken for a result."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskTold:
    """One address: what was to be done, what came of it, and how it stands now."""

    address: Address
    agent: str
    health: Health | None
    """How it stands at the end; None where it was never applied, or a plan is to replace what failed of it."""
    change: Change | None = None
    """What the plan says of it, and what that has become where it left something open; None where there is no plan."""
    finished: ChangeFinished | None = None
    """How that ended; None where it did not."""
    heard: Sequence[Heard] = ()
    spec: Mapping[str, Any] | None = field(default=None, repr=False)
    """What is declared, or else recorded, secrets masked."""
    labels: Mapping[str, str] = field(default_factory=dict)
    upstream: Sequence[Address] = ()
    before: Answer | None = None
    """The accepted result when the command began."""
    after: Answer | None = None
    """The accepted result at its end; the very same value as `before` where it is still that."""
    returning: Answer | None = None
    """The kept result that a plan, of which nothing is carried out yet, accepts again in the place of a run."""
    generations: Sequence[GenerationTold] = ()
    """Newest first; empty where nobody asked for them, and the first alone where only that was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """What a command ended with that was not about one task."""

    message: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What a command has done, or how things stand."""

    kind: Kind
    code: ExitCode
    """The exit code of the command: what no report may tell better."""
    began: float
    ended: float
    project: str = ""
    environment: str = ""
    tasks: Sequence[TaskTold] = ()
    plan: Plan | None = None
    heard: Sequence[Heard] = ()
    """Every event, in the order in which it was heard, those of the tasks included."""
    revision: Revision | None = None
    digest: str | None = None
    """The digest of the plan's file, where the plan was saved."""
    trouble: Trouble | None = None
    diagnostics: Sequence[Diagnostic] = ()
    notes: Sequence[str] = ()
    """What else a reader has to know, in sentences: that the plan was made offline, that trusted settings differ …"""
    drifted: int = 0
    """Of how many tasks the remote shows something else than is recorded, where somebody looked for that."""
    head: str = ""
    """The hash of the newest entry of the history."""

    @property
    def seconds(self) -> float:
        """Return how long it took: of an apply that came to its end, as it told then."""
        told = (one.event.seconds for one in reversed(self.heard) if isinstance(one.event, ApplyFinished))
        return next(told, self.ended - self.began)
