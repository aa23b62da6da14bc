"""Saved plans: made, read, and made ready to be carried out. Carries nothing out.

A plan is used once. Its beginning and its end stand in the history of the state, as what concerns no single address.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from taskspec.address import Address
from taskspec.contracts import Contract, load_schema
from taskspec.desired.sealing import sealed
from taskspec.desired.unsealing import project_of, unsealed
from taskspec.documents.model import Project
from taskspec.documents.replacing import write_private
from taskspec.documents.supplying import read_values
from taskspec.documents.trusting import guarded_like
from taskspec.errors import LimitError, StaleError, TaskspecError, UsageError
from taskspec.moments import seconds_of, utc
from taskspec.plan.capping import capped, differences
from taskspec.plan.decoding import plan_of
from taskspec.plan.filing import filed, read, written
from taskspec.plan.model import Action, Change, Plan
from taskspec.plan.risks import shunned
from taskspec.report.refusing import refused, way_out
from taskspec.runner.answering import Question
from taskspec.runner.model import Invocation, Ports, Refresh
from taskspec.runner.planning import read_state
from taskspec.runner.preparing import Prepared, given_by, surroundings_of
from taskspec.state.model import Note, Snapshot
from taskspec.state.store import Lease, StateReader, StateStore

WHOLE: Final = Address("")
"""In the history: what concerns no single address."""
EXPIRES: Final = 7 * 86_400.0
"""Seconds for which a plan may be applied, where nobody says otherwise."""
MOST: Final = 256 * 1024 * 1024
"""Bytes of a saved plan."""
_HEAD: Final = 100
"""So many bytes tell a saved plan from another file."""
_SENDING: Final = frozenset({Action.WAIT, Action.SETTLE, Action.REJUDGE})
"""The actions that start no run by themselves, but may lead to a further attempt."""
_TOLD: Final = 5
_AGAIN: Final = "Make a new one with `taskspec plan --out`."
_ANEW: Final = "Plan again: `taskspec plan --out`, or in a CI job `taskspec reconcile` without --plan."


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedPlan:
    """A plan that was read from a file."""

    document: Mapping[str, Any] = field(repr=False)
    plan: Plan

    @property
    def digest(self) -> str:
        """Return the digest of the whole document."""
        return str(self.document["digest"])

    @property
    def expires_at(self) -> float:
        """Return until when it may be applied, in seconds since the epoch."""
        return seconds_of(self.document["saved"]["expiresAt"])

    @property
    def selected(self) -> frozenset[Address] | None:
        """Return the addresses that it is about; None where it is about all."""
        told = self.document["saved"]["selected"]
        return None if told is None else frozenset(map(Address, told))

    @property
    def rerun(self) -> frozenset[Address]:
        """Return the addresses whose accepted results are to be made anew."""
        return frozenset(map(Address, self.document["saved"]["rerun"]))

    @property
    def paid(self) -> frozenset[Address]:
        """Return the addresses for which it starts runs."""
        return frozenset(change.address for change in self.plan.changes if change.paid)

    def refresh(self, asked: Refresh) -> Refresh:
        """Return which runs to look at: those that were looked at when it was made, and those that are asked for."""
        return max(asked, Refresh(self.document["saved"]["refresh"]), key=list(Refresh).index)


def save(question: Question, plan: Plan, path: Path, ports: Ports, state: str, lasts: float = EXPIRES) -> str:
    """Write a plan to a file that only its owner can read; return its digest. Raises ManifestError and TaskspecError.

    `state` is the digest of the records that it was made from.
    """
    if path.suffix in {".yaml", ".yml"}:
        raise UsageError(f"`{path}` would be taken for a manifest.", hint="Write, for example, --out plan.json.")
    target = Path(os.path.realpath(path))  # a link stays one
    if target.exists() and not target.is_file():
        raise UsageError(f"`{path}` is no file that a plan could be in.", hint="Write, for example, --out plan.json.")
    desired = question.prepared.desired
    sending = {c.address for c in plan.changes if c.task is not None and _may_send(c)}
    identity = ports.offline(desired.project).identity
    known = plan.basis.known if plan.basis is not None else {}
    tasks = {a: task if a in sending else known.get(a, task) for a, task in desired.tasks.items()}
    document = filed(
        plan,
        {
            "remote": {"type": identity.type, "url": identity.url, "organization": identity.organization},
            "state": state,
            "overridden": sorted(question.prepared.overridden),
            "selected": None if question.selected is None else sorted(question.selected),
            "desired": sealed(replace(desired, tasks=tasks), sending),
            "rerun": sorted(question.rerun | {c.address for c in plan.changes if c.moved_from in question.rerun}),
            "refresh": question.refresh.value,
        },
        expires_at=plan.created_at + lasts,
    )
    try:
        write_private(target, written(document))
    except OSError as error:
        raise TaskspecError(f"`{path}` cannot be written: {error.strerror}.") from error
    return str(document["digest"])


def _may_send(change: Change) -> bool:
    """Tell whether all that is sent with a run of a change has to be known when the plan is carried out."""
    return change.paid or change.conditional or change.action in _SENDING


def is_saved_plan(word: str) -> bool:
    """Tell whether a word of the command line names a file that is no manifest, and is or was a saved plan.

    One whose first bytes were changed is refused as a plan, and is not looked at as a manifest.
    """
    path = Path(word)
    if path.suffix in {".yaml", ".yml"} or not path.is_file():
        return False
    try:
        with path.open("rb") as content:
            begins = content.read(_HEAD)
    except OSError:
        return False
    return path.suffix == ".json" or begins[:1] == b"{" or b'"toolVersion"' in begins


def load(path: Path) -> SavedPlan:
    """Return the plan of a file; raise StaleError for all that is none, or was changed."""
    try:
        if path.stat().st_size > MOST:
            raise StaleError(f"`{path}` is larger than any saved plan", hint=_AGAIN)
        document = read(path.read_bytes())
    except OSError as error:
        raise TaskspecError(f"`{path}` cannot be read: {error.strerror}.") from error
    if not Contract(load_schema("plan.v1")).fits(document):
        raise StaleError("the plan is refused: it is not of the form of a saved plan", hint=_AGAIN)
    return SavedPlan(document=document, plan=plan_of(document))


def opened(
    saved: SavedPlan, invocation: Invocation, ports: Ports, expected: str | None = None, guards: Project | None = None
) -> Prepared:
    """Return what a plan asks for, ready to be decided on once more, and held against the `guards` of a project.

    Raises StaleError, LimitError and MissingSecretError where it cannot be carried out, whatever is recorded.
    """
    if expected is not None and expected.removeprefix("sha256:") != saved.digest.removeprefix("sha256:"):
        raise StaleError(f"the plan is refused: its digest is {saved.digest}, and {expected} is expected", hint=_AGAIN)
    if ports.chance.now() > saved.expires_at:
        raise StaleError(f"the plan is refused: it could be applied until {utc(saved.expires_at)}", hint=_AGAIN)
    if saved.plan.refusals:
        limit = saved.plan.refusals[0].limit
        raise LimitError(f"the plan was refused by `{limit}` when it was made", hint="Plan again within the limits.")
    if shun := shunned(saved.plan.changes, invocation.fail_on):
        raise LimitError(f"nothing was started: {refused(shun[0])}", hint=way_out(shun[0]))
    project = project_in(saved, invocation)
    _require_target(saved, project, ports)
    _require_lineage(saved, read_state(project, ports))
    supplied = [read_values(path)[0] for path in invocation.variable_files]
    desired = unsealed(
        saved.document["saved"]["desired"],
        project,
        given_by(invocation, supplied, project),
        surroundings_of(invocation, project, ports),
    )
    if guards is not None:
        desired = replace(desired, project=guarded_like(desired.project, guards))
    overridden = frozenset(saved.document["saved"]["overridden"]) | invocation.overridden
    return Prepared(desired=desired, overridden=overridden, fail_on=invocation.fail_on)


def project_in(saved: SavedPlan, invocation: Invocation) -> Project:
    """Return the project of a plan, in the folder in which the command runs."""
    target = invocation.target
    folder = Path(os.path.realpath(target if target.is_dir() else target.parent))
    return project_of(saved.document["saved"]["desired"], folder)


def _require_target(saved: SavedPlan, project: Project, ports: Ports) -> None:
    identity, told = ports.offline(project).identity, saved.document["saved"]["remote"]
    if (identity.type, identity.url, identity.organization) != (told["type"], told["url"], told["organization"]):
        made_for = told["organization"] or told["url"] or told["type"]
        raise StaleError(
            f"the plan is refused: it was made for another remote ({made_for})",
            hint="Give the organization, key and base URL with which it was made.",
        )


def _require_lineage(saved: SavedPlan, snapshot: Snapshot) -> None:
    if snapshot.lineage != saved.plan.lineage:
        raise StaleError(
            "the plan is refused: it was made from another state",
            hint="Name the project with -C, and make the plan where it is to be applied.",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """A saved plan and the state that it meets, when it is to be carried out."""

    saved: SavedPlan
    is_begun: bool
    """It was begun before, and is taken up again."""
    is_stale: bool
    """Something else has changed the state since it was made."""

    @classmethod
    def of(cls, saved: SavedPlan, store: StateReader, snapshot: Snapshot) -> "Use":
        """Return how a plan meets a state; raise StaleError where it is used up, or was made from another one."""
        _require_lineage(saved, snapshot)
        ours = [e.note for e in store.history(WHOLE) if e.note.data.get("plan") == saved.plan.id]
        if any(note.what == "done" for note in ours):
            raise StaleError(f"the plan is refused: it was applied on {utc(ours[0].at)}", hint=_AGAIN)
        if ours:
            return cls(saved=saved, is_begun=True, is_stale=not _only_this(saved, store, snapshot.serial))
        found = store.digest()
        return cls(saved=saved, is_begun=False, is_stale=found != (saved.plan.serial, saved.document["saved"]["state"]))

    def held(self, now: Plan, snapshot: Snapshot) -> Plan:
        """Return what may be done of the plan, given what would be decided now; raise StaleError for a stale one."""
        planned = self.saved.plan
        if self.is_stale:
            raise StaleError(_overtaken(now, planned, snapshot.serial), hint=_ANEW)
        return capped(now, planned)

    def beginning(self, plan: Plan, at: float, *, changes: bool) -> tuple[Note, ...]:
        """Return what the history is told before the first effect, where there is to be any.

        `changes`: records are taken over before it. When the plan is taken up again that is told too, since nobody
        could tell whose doing it was.
        """
        if not changes and (self.is_begun or not plan.pending):
            return ()
        data = {"plan": plan.id, "digest": self.saved.digest}
        return (Note(address=WHOLE, at=at, what="begun", data=data),)

    def end(self, plan: Plan, store: StateStore, lease: Lease, at: float) -> None:
        """Record that the plan was carried out, so that it is not once more; raises StateError."""
        begun = any(e.note.data.get("plan") == plan.id for e in store.history(WHOLE, limit=1))
        if begun:
            note = Note(address=WHOLE, at=at, what="done", data={"plan": plan.id})
            store.commit(lease, store.digest()[0], [note])


def _only_this(saved: SavedPlan, store: StateReader, serial: int) -> bool:
    """Tell whether all that has happened since the plan was begun, up to a serial, was its own doing.

    Everything that it does is told: a serial of which the history has nothing is somebody else's.
    """
    following = serial + 1
    for entry in store.history():
        if entry.serial < following - 1 or entry.note.data.get("plan") != saved.plan.id:
            return False
        if entry.note.address == WHOLE:
            return True
        following = entry.serial
    return False


def _overtaken(now: Plan, planned: Plan, serial: int) -> str:
    """Return why a plan is stale: what has become of its items since."""
    found = differences(now, planned).items()
    told = [f"{address}: {_of(before)} → {_of(today)}" for address, (before, today) in found]
    more = f", and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    since = f"the plan is stale: the state has moved on since (from {planned.serial} to {serial})"
    return f"{since}: {'; '.join(told[:_TOLD])}{more}" if told else f"{since}, though its items are as they were"


def _of(change: Change | None) -> str:
    return "nothing" if change is None else f"{change.action.value} ({change.reasons[0].text})"
