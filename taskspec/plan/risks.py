"""What a change means, apart from what differs, in categories that stay. Decides nothing.

A change is held against what was sent last: the spec of the last generation of which an attempt reached an agent, or
may have. Where there is none, a task is held against the defaults. What is not known counts as a risk.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from sys import intern
from typing import Any, Final

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.documents.model import Project
from taskspec.judging.asserting import Assertion, digest_of
from taskspec.plan import exposing, permitting, reaching
from taskspec.plan.model import IDLE, Action, Change, Declared, Plan, Risk, RiskCategory
from taskspec.plan.refusals import Refusal, RefusalKind
from taskspec.state.model import Attempt, Record
from taskspec.taskapi.remotes import RemoteIdentity

ANY: Final = "any"
"""Every category."""
MODEL: Final = (("agent",), ("agentVersion",), ("llm",), ("thinkMode",), ("harness", "cli"))
"""The fields that say who, or what, does the work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Background:
    """What a project has done so far, and what its templates can see, as far as a risk depends on it."""

    remote: RemoteIdentity
    """Where runs would be started."""
    remotes: tuple[RemoteIdentity, ...] = ()
    """Where recorded runs were."""
    hosts: frozenset[str] = frozenset()
    """The hosts that recorded tasks name."""
    remote_position: Position | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables of the process environment that templates see."""
    sensitive: frozenset[str] = frozenset()
    """The names of the sensitive variables."""


def background(
    project: Project, records: Mapping[Address, Record], remote: RemoteIdentity, environ: Mapping[str, str]
) -> Background:
    """Return what the changes of a project are held against."""
    sent: list[Record] = []
    reached: dict[RemoteIdentity, None] = {}
    for record in records.values():
        if attempts := _reached(record):
            sent.append(record)
            reached.update(dict.fromkeys([attempt.remote for attempt in attempts]))
    return Background(
        remote=remote,
        remotes=tuple(dict.fromkeys(replace(one, instance=None) for one in reached)),
        hosts=frozenset(host for record in sent for host, _ in reaching.hosts(record.generation.spec)),
        remote_position=project.source.position(("remote",)) if project.source is not None else None,
        environ=environ,
        sensitive=frozenset(name for name, variable in project.variables.items() if variable.sensitive),
    )


def with_risks(plan: Plan, behind: Background, former: Mapping[Address, Sequence[Assertion]] | None = None) -> Plan:
    """Return a plan whose changes tell their risks; `former` are assertions as they were sent, where that is known."""
    known = former or {}
    found = ((one, tuple(risks(one, behind, known.get(one.address)))) for one in plan.changes)
    return replace(plan, changes=tuple(replace(one, risks=those) if those else one for one, those in found))


def former_assertions(plan: Plan) -> Mapping[Address, Sequence[Assertion]]:
    """Return the assertions of tasks as they were when they were last applied, where that was noted."""
    records = ((change.address, change.record) for change in plan.changes)
    known = ((address, one.unsent) for address, one in records if one is not None and one.unsent is not None)
    return {address: unsent.get("assertions", ()) for address, unsent in known}


def shunned(changes: Iterable[Change], categories: Collection[str]) -> tuple[Refusal, ...]:
    """Return a refusal for each category of risk that a change has, and that is not to be taken (`any`: none is)."""
    if not categories:
        return ()
    found: dict[RiskCategory, dict[Address, None]] = {}
    for change in changes:
        for risk in change.risks:
            if risk.category in categories or ANY in categories:
                found.setdefault(risk.category, {})[change.address] = None
    return tuple(
        Refusal(
            kind=RefusalKind.RISK,
            limit=category.value,
            allowed=0,
            found=len(found[category]),
            addresses=tuple(found[category]),
        )
        for category in RiskCategory
        if category in found
    )


def risks(change: Change, behind: Background, former: Sequence[Assertion] | None = None) -> Iterator[Risk]:
    """Yield the risks of a change. One that does nothing has one alone: weaker assertions are taken over without a run.

    Where it is held, nothing is taken over.
    """
    if change.action is Action.HOLD or change.task is None:
        return
    task, record = change.task, change.record
    if change.action in IDLE:
        yield from _weaker_judging(task, record, former)
        return
    before = _before(record)
    if change.paid:
        yield from _runs(change, task, record)
        yield from permitting.widened(before, task)
        if not _is_new(record):
            yield from _other_model(before, task)
    yield from _weaker_acceptance(before, task, record, former)
    if change.paid:
        yield from exposing.exposed(before, task, behind.environ, behind.sensitive)
        yield from reaching.new_hosts(task, behind.hosts)
        yield from _other_remote(record, behind)


def _runs(change: Change, task: Declared, record: Record | None) -> Iterator[Risk]:
    perhaps = " if what it depends on is accepted" if change.conditional else ""
    yield Risk(
        category=RiskCategory.NEW_PAID_RUN,
        text=intern(f"a run of `{task.agent}` is started and paid for{perhaps}"),
        place=task.source.position,
    )
    if record is not None and record.accepted is not None:
        text = f"it has an accepted result already, of g{record.accepted.generation}: the run is paid for once more"
        yield Risk(category=RiskCategory.RERUN_OF_ACCEPTED, text=text, place=task.source.position)
    if task.policies.side_effects:
        yield Risk(
            category=RiskCategory.SIDE_EFFECTS,
            text="the run has side effects (`sideEffects: true`)",
            path=("sideEffects",),
            place=partial(task.source.position, ("sideEffects",), key=True),
        )


def _other_model(before: Mapping[str, Any], task: Declared) -> Iterator[Risk]:
    for path in MODEL:
        old, new = permitting.at(before, path), permitting.at(task.spec, path)
        if old != new:
            name = ".".join(path)
            text = f"`{name}` was {permitting.said(old)}, and is {permitting.said(new)}"
            yield Risk(
                category=RiskCategory.MODEL_CHANGED, text=text, path=path, place=partial(task.source.position, path)
            )


def _weaker_acceptance(
    before: Mapping[str, Any], task: Declared, record: Record | None, former: Sequence[Assertion] | None
) -> Iterator[Risk]:
    for name, text in _weaker_output(before, task.spec):
        yield Risk(
            category=RiskCategory.ACCEPTANCE_WEAKENED,
            text=text,
            path=(name,),
            place=partial(task.source.position, (name,)),
        )
    yield from _weaker_judging(task, record, former)


def _weaker_judging(task: Declared, record: Record | None, former: Sequence[Assertion] | None) -> Iterator[Risk]:
    if text := _weaker_assertions(task, record, former):
        yield Risk(
            category=RiskCategory.ACCEPTANCE_WEAKENED,
            text=text,
            path=("assertions",),
            place=partial(task.source.position, ("assertions",)),
        )


def _weaker_output(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "outputSchema" in before and before["outputSchema"] != after.get("outputSchema"):
        what = "changed" if "outputSchema" in after else "removed"
        yield "outputSchema", f"`outputSchema` was {what}: answers may be accepted that were not before"
    elif before.get("outputFormat") == "json" and after.get("outputFormat") != "json":
        yield "outputFormat", "the answer need not be JSON any more (`outputFormat`)"


def _weaker_assertions(task: Declared, record: Record | None, former: Sequence[Assertion] | None) -> str:
    """Return what is to be said of assertions that changed; where it is not known how, any change may be weaker."""
    if former is not None:
        gone = [number for number, one in enumerate(former, start=1) if one not in task.assertions]
        if len(gone) < 2:
            return f"assertion {gone[0]} of {len(former)} was changed or removed" if gone else ""
        which = f"{', '.join(map(str, gone[:-1]))} and {gone[-1]}"
        return f"assertions {which} of {len(former)} were changed or removed"
    judged = _judged(record)
    if judged is None or judged.assertions is None or judged.assertions == digest_of(task.assertions):
        return ""
    return "the assertions are other ones than those by which its last answer was judged"


def _other_remote(record: Record | None, behind: Background) -> Iterator[Risk]:
    """Say that a task goes to another remote than before; a task that is new, than all others of its project."""
    reached = _reached(record)
    known = [reached[-1].remote] if reached else list(behind.remotes)
    if not known or any(one.same_remote(behind.remote) for one in known):
        return
    text = f"it goes to {_named(behind.remote)}; before, runs went to {', '.join(map(_named, known))}"
    yield Risk(category=RiskCategory.DATA_TO_NEW_HOST, text=text, place=behind.remote_position)


def _named(remote: RemoteIdentity) -> str:
    organization = f" ({remote.organization})" if remote.organization else ""
    return f"`{remote.url or remote.type}`{organization}"


def _before(record: Record | None) -> Mapping[str, Any]:
    """Return what was sent last, as far as it is known."""
    if record is None or _is_new(record):
        return {}
    if _reached(record):
        return record.generation.spec
    return {"agent": record.accepted.agent if record.accepted else record.agent}


def _is_new(record: Record | None) -> bool:
    """Tell whether no agent was ever reached with anything of an address."""
    return record is None or (not _reached(record) and record.accepted is None and record.generation.number == 1)


def _reached(record: Record | None) -> list[Attempt]:
    return [attempt for attempt in record.generation.attempts if attempt.counts] if record is not None else []


def _judged(record: Record | None) -> Attempt | None:
    """Return the last attempt that was judged by the assertions of its time."""
    if record is None:
        return None
    attempts: Iterable[Attempt] = reversed(record.generation.attempts)
    last = next((attempt for attempt in attempts if attempt.result is not None), None)
    return last or (record.accepted.attempt if record.accepted else None)
