"""Sketching: what became of the tasks between two revisions → a plan of what that asks for. Pure, and without a state.

It tells what would be run if everything of the earlier revision had its accepted result: what has been accepted is not
known. A task that uses the result of one that runs would run too, unless that answers as before.
"""

from collections.abc import Mapping
from dataclasses import replace

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired
from taskspec.diagnostics import path_text
from taskspec.health import Health
from taskspec.plan.causes import Reason
from taskspec.plan.contrasting import Contrast, Contrasted
from taskspec.plan.model import Action, Change, Declared, Plan
from taskspec.plan.move_reasons import moved
from taskspec.plan.retrying import with_retries
from taskspec.plan.upstream_reasons import known_after, waits_for_upstream

_TITLE = ("title",)


def sketched(
    found: Mapping[Address, Contrasted],
    after: Desired,
    revision: str,
    *,
    selected: frozenset[Address] | None = None,
    plan: str,
    now: float,
) -> Plan:
    """Return the plan of what differs from a revision, which is named as people know it. `now` in epoch seconds."""
    chosen = [address for address in found if selected is None or address in selected]
    changes: dict[Address, Change] = {}
    for address in chosen:
        changes[address] = _change(address, found[address], changes, revision)
    return with_retries(
        Plan(
            id=plan,
            project=after.project.name,
            environment=after.project.environment,
            lineage="",
            serial=0,
            created_at=now,
            changes=tuple(changes.values()),
            unselected=len(found) - len(chosen),
        )
    )


def _change(address: Address, one: Contrasted, changes: Mapping[Address, Change], revision: str) -> Change:
    task = one.after
    if task is None:
        reason = Reason(code="no_longer_declared", text=f"it is not declared any more, as it was at {revision}")
        agent = one.before.agent if one.before is not None else ""
        return Change(address=address, action=Action.FORGET, reasons=(reason,), health=Health.HEALTHY, agent=agent)
    own = _own(address, one, task, revision)
    open_ones = [change for needed in task.upstream if (change := changes.get(needed)) is not None and change.paid]
    if not open_ones:
        return own
    uses = task.uses if isinstance(task, DeferredTask) else frozenset[Address]()
    waited = [change for change in open_ones if own.paid or change.address in uses]
    if not waited:
        return own
    after = tuple(change.address for change in waited)
    known = isinstance(task, DeferredTask) and any(change.address in uses for change in waited)
    reason = known_after(task, waited) if known and isinstance(task, DeferredTask) else waits_for_upstream(task, waited)
    reasons = (*own.reasons, reason) if own.paid else (reason,)
    return replace(own, action=Action.CREATE, paid=True, conditional=True, after=after, reasons=reasons)


def _own(address: Address, one: Contrasted, task: Declared, revision: str) -> Change:
    """Return the change of a task as if it depended on no other."""
    sent = tuple(diff for diff in one.diffs if diff.path != _TITLE)
    change = Change(
        address=address,
        action=Action.NONE,
        reasons=(),
        health=Health.HEALTHY,
        agent=task.agent,
        fingerprint=getattr(task, "fingerprint", None),
        moved_from=one.moved_from,
        diffs=one.diffs,
        task=task,
    )
    renamed = (moved(task, one.moved_from, said=True),) if one.moved_from is not None else ()
    unsent = tuple(_unsent(name, task, revision) for name in one.unsent)
    if one.contrast is Contrast.NEW:
        new = Reason(code="not_recorded", text=f"it is new since {revision}", position=task.source.position())
        return replace(change, action=Action.CREATE, paid=True, reasons=(new,))
    if sent:
        why = tuple(_changed(name, task, revision) for name in dict.fromkeys(str(diff.path[0]) for diff in sent))
        return replace(change, action=Action.CREATE, paid=True, reasons=(*renamed, *why, *unsent))
    if renamed:
        return replace(change, action=Action.MOVE, reasons=(*renamed, *unsent))
    if one.diffs:
        return replace(change, action=Action.UPDATE, reasons=(_changed("title", task, revision), *unsent))
    same = Reason(code="unchanged", text=f"what is declared is as it was at {revision}")
    return replace(change, reasons=unsent or (same,))


def _changed(name: str, task: Declared, revision: str) -> Reason:
    text = f"`{name}` changed since {revision}"
    return Reason(code="spec_changed", text=text, position=task.source.position((name,)), field=name)


def _unsent(name: str, task: Declared, revision: str) -> Reason:
    is_assertion = name == "assertions"
    what = "its result is judged again" if is_assertion else "it needs no run"
    path: tuple[str | int, ...] = () if name == "labels" else (name,)
    return Reason(
        code="assertions_changed" if is_assertion else "unsent_changed",
        text=f"`{path_text((name,))}` changed since {revision}; {what}",
        position=task.source.position(path),
        field=name,
    )
