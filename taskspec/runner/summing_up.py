"""Summing up: what a command knows at its end, and what the state holds then → its account. Changes nothing.

It works for a command that failed before there was a plan, and where the state cannot be read: then the account says
so, and has no answers. It takes no lock, and asks no remote.
"""

import re
from ast import literal_eval
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from taskspec.address import Address, is_address
from taskspec.desired.model import DesiredTask
from taskspec.diagnostics import Diagnostic, ManifestError
from taskspec.documents.model import Project
from taskspec.errors import TaskspecError
from taskspec.events import ApplyFinished, ApplyStarted, ChangeFinished, Effect, ResultNotWritten, ResultUnreadable
from taskspec.health import Health
from taskspec.plan.diffing import diff
from taskspec.plan.model import IDLE, Action, Change, Declared, Plan
from taskspec.report.account import Account, Heard, Kind, TaskTold, Trouble
from taskspec.report.exiting import ExitCode, foremost, of_health, of_verdict
from taskspec.report.gathering import by_address
from taskspec.report.narrating import of_result
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.originating import revision_of
from taskspec.runner.picking import WRONG, pick
from taskspec.runner.preparing import Prepared, prepare
from taskspec.runner.showing_answers import Answers, Generations, answers_of
from taskspec.runner.telling import recorded_health
from taskspec.settings import Settings
from taskspec.state.migrating import require_here
from taskspec.state.model import Accepted, Record

_USED: Final = re.compile(r"""tasks(?:\.(?P<name>\w+)|\[(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\])""")
"""The name of an input that is a result: `tasks.extract.result`, `tasks['report[emea]'].result.total`."""

_MOST: Final = 5
"""How many tasks that were not selected are told of one by one."""
_MOVED_ON: Final = (
    "The state has changed since this ended: what is told of the answers may be the doing of another command."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What a command knows of itself at its end."""

    kind: Kind
    code: ExitCode
    began: float
    ended: float
    plan: Plan | None = None
    heard: Sequence[Heard] = ()
    digest: str | None = None
    trouble: Trouble | None = None
    diagnostics: Sequence[Diagnostic] = ()
    notes: Sequence[str] = ()
    drifted: int = 0
    """As in the account."""
    name: str = ""
    """How the project is called, where it cannot be read."""
    environment: str = ""
    settings: Settings | None = None
    """What tells of the CI job, and where git is; None: nobody is asked what was checked out."""


def account(
    course: Course,
    project: Callable[[], Project],
    ports: Ports,
    generations: Generations | None = None,
) -> Account:
    """Return the account of a command that has ended; `project` finds the project, and may fail to."""
    found, notes = None, list(course.notes)
    with suppress(TaskspecError):  # what is wrong with it is the trouble that the command tells itself
        found = project()
    plan = course.plan
    named = Account(
        kind=course.kind,
        code=course.code,
        began=course.began,
        ended=course.ended,
        project=plan.project if plan else found.name if found else course.name,
        environment=plan.environment if plan else found.environment if found else course.environment,
        plan=plan,
        heard=course.heard,
        revision=revision_of(found, course.settings) if course.settings is not None else None,
        digest=course.digest,
        trouble=course.trouble,
        diagnostics=course.diagnostics,
        drifted=course.drifted,
        head=next((h.event.head for h in reversed(course.heard) if isinstance(h.event, ApplyFinished)), ""),
    )
    if plan is None:
        return replace(named, notes=notes)
    with answers_of(found, ports, notes) as kept:
        tasks = _Changes(course, plan, kept, generations).tasks()
        notes.extend(_untold(course.heard, {task.address for task in tasks}))
        if kept is not None:
            notes.extend(kept.notes())
            if kept.has_moved_on(named.head):
                notes.append(_MOVED_ON)
    return replace(named, tasks=tasks, notes=notes)


def _untold(heard: Sequence[Heard], told: Collection[Address]) -> Iterator[str]:
    """Yield what is wrong with the result files of tasks that no account tells of: they were not selected."""
    found = [one.event for one in heard if isinstance(one.event, ResultNotWritten | ResultUnreadable)]
    others = [event for event in found if event.address not in told]
    for event in others[:_MOST]:
        yield f"`{event.address}` is not selected: {of_result(event)}"
    if len(others) > _MOST:
        yield f"So it is with the result files of {len(others) - _MOST} more that are not selected."


def standing(invocation: Invocation, ports: Ports, generations: Generations | None = None) -> Account:
    """Return how the selected tasks stand, as the state tells, with what is declared of them where that is right.

    Raises ManifestError for what is wrong with the project itself, and StateError where the state cannot be read.
    """
    began = ports.chance.now()
    project = project_of(invocation)
    notes: list[str] = []
    prepared: Prepared | None = None
    wrong: TaskspecError | None = None
    try:
        prepared = prepare(invocation, ports)
    except TaskspecError as error:
        wrong = error
        notes.append(WRONG)
    declared: Mapping[Address, Declared] = prepared.desired.tasks if prepared else {}
    store = ports.open_state(project, read_only=True)
    try:
        require_here(store)
        snapshot = store.read()
        kept = Answers(store, snapshot)
        chosen = pick(invocation, ports, snapshot, declared)
        every = [address for address in dict.fromkeys([*declared, *snapshot.records]) if address in chosen]
        tasks = [_stands(address, declared.get(address), kept, generations) for address in every]
        notes.extend(kept.notes())
        head = store.head()
    finally:
        store.close()
    found = foremost(of_health(task.health) for task in tasks if task.health is not None)
    return Account(
        kind=Kind.STANDING,
        code=found if wrong is None else foremost((found, ExitCode.ERROR)),
        began=began,
        ended=ports.chance.now(),
        project=project.name,
        environment=project.environment,
        tasks=tasks,
        notes=notes,
        head=head,
        trouble=Trouble(message=wrong.message, hint=wrong.hint) if wrong is not None else None,
        diagnostics=wrong.diagnostics if isinstance(wrong, ManifestError) else (),
    )


class _Changes:
    """Tells of each change of a plan what came of it."""

    def __init__(self, course: Course, plan: Plan, kept: Answers | None, generations: Generations | None) -> None:
        self._plan = plan
        self._kept = kept
        self._generations = generations
        self._has_begun = any(isinstance(one.event, ApplyStarted) for one in course.heard)
        self._heard = by_address(course.heard)

    def tasks(self) -> list[TaskTold]:
        """Return what there is to tell of each address, in the order of the plan."""
        return [self._told(change) for change in self._plan.changes]

    def _told(self, change: Change) -> TaskTold:
        kept, address = self._kept, change.address
        heard = self._heard.get(address, ())
        finished = next((h.event for h in reversed(heard) if isinstance(h.event, ChangeFinished)), None)
        now = kept.records.get(address) if kept else None
        health = self._health(change, finished, now)
        earlier = change.record.accepted if change.record else None
        later = (now.accepted if now else None) if self._has_begun else earlier
        is_same = earlier is not None and later is not None and _is_same(earlier, later)
        is_shown = change.action is not Action.NONE or health is not Health.HEALTHY or not (is_same or earlier is later)
        before = kept.answer(earlier, is_shown=is_shown) if kept else None
        after = before if is_same else kept.answer(later, is_shown=is_shown) if kept else None
        return TaskTold(
            address=address,
            agent=change.agent,
            health=health,
            change=_decided(change, finished, now) if self._has_begun else change,
            finished=finished,
            heard=heard,
            spec=_spec(change.task, now or change.record, has_run=self._has_begun),
            labels=change.task.labels if change.task else {},
            upstream=change.task.upstream if change.task else _upstream(now or change.record),
            before=before,
            after=after,
            returning=kept.returning(change) if kept and not self._has_begun else None,
            generations=kept.generations(address, self._generations) if kept else (),
        )

    def _health(self, change: Change, finished: ChangeFinished | None, now: Record | None) -> Health | None:
        """Return how a task stands; in an apply that has begun and did not finish it, no better than unknown."""
        if finished is not None:
            return graver(finished.health, finished.verdict)
        if self._has_begun:
            found = recorded_health(now) if now is not None else Health.UNKNOWN
            return found if found is not Health.HEALTHY or change.action is Action.NONE else Health.UNKNOWN
        if change.health is Health.HEALTHY and (change.record is None or _is_to_mend(change, change.record)):
            return None
        return change.health


def _is_to_mend(change: Change, record: Record) -> bool:
    """Tell whether a plan takes a task to be healthy only as it is going to do something about what is recorded."""
    accepted, last = record.accepted, record.generation.last
    has_result = accepted is not None and accepted.generation == record.generation.number
    acts = change.action not in {*IDLE, Action.WAIT}
    return acts and not has_result and last is not None and of_verdict(last.verdict) is not ExitCode.OK


def _decided(change: Change, finished: ChangeFinished | None, now: Record | None) -> Change:
    """Return what a change that left something open has become: its action, and what was asked for in truth."""
    before = change.record.generation if change.record is not None else None
    made = now.generation if now is not None else None
    is_made = made is not None and (before is None or made.number > before.number)
    is_over = finished is not None and finished.effect is not Effect.CUT
    if not change.conditional or not (is_made or is_over):
        return change
    decided = replace(change, conditional=False, own_diffs=None)
    if is_made and made is not None:
        diffs = diff(before.spec if before is not None else {}, made.spec)
        return replace(decided, generation=made.number, diffs=diffs)
    if finished is not None and finished.action in IDLE:
        diffs = () if finished.action == Action.NONE else change.diffs
        return replace(
            decided,
            action=Action(finished.action),
            generation=0,
            attempt=0,
            paid=False,
            diffs=diffs,
            risks=(),
            estimate=None,
            retries=0,
        )
    return decided


def graver(health: Health, verdict: str | None) -> Health:
    """Return a health that is no better than a verdict: what was rejected is never healthy."""
    if health is not Health.HEALTHY:
        return health
    match of_verdict(verdict):
        case ExitCode.OK:
            return health
        case ExitCode.NEEDS_INPUT:
            return Health.NEEDS_INPUT
        case ExitCode.UNHEALTHY:
            return Health.UNHEALTHY
        case _:
            return Health.UNKNOWN


def _stands(address: Address, task: Declared | None, kept: Answers, generations: Generations | None) -> TaskTold:
    record = kept.records.get(address)
    answer = kept.answer(record.accepted, is_shown=True) if record else None
    return TaskTold(
        address=address,
        agent=task.agent if task else record.agent if record else "",
        health=recorded_health(record) if record else None,
        spec=_spec(kept.filled(task) if task else None, record, has_run=False),
        labels=task.labels if task else {},
        upstream=task.upstream if task else _upstream(record),
        before=answer,
        after=answer,
        generations=kept.generations(address, generations),
    )


def _is_same(before: Accepted, after: Accepted) -> bool:
    """Tell whether two accepted results are the same one: of one generation and run, and of equal content."""
    return (before.generation, before.run, before.result) == (after.generation, after.run, after.result)


def _spec(task: Declared | None, record: Record | None, *, has_run: bool) -> Mapping[str, Any] | None:
    """Return what is declared, or else recorded; where results were left open, what they have made of it."""
    if isinstance(task, DesiredTask) or (task is not None and (record is None or not has_run)):
        return task.spec
    return record.generation.spec if record is not None else None


def _upstream(record: Record | None) -> tuple[Address, ...]:
    """Return the tasks whose results went into what was asked for last."""
    inputs: Iterable[str] = (record.generation.inputs or ()) if record else ()
    found = filter(None, map(_USED.match, inputs))
    used = (one["name"] or str(literal_eval(one["quoted"])) for one in found)
    return tuple(dict.fromkeys(Address(name) for name in used if is_address(name)))
