"""plan, the short way where nothing was to be done and everything that this rested on is as it was. Changes nothing.

It rested on the documents and on what is recorded; on the remote only by who it is, and not on the time. What does rest
on more, or is to be listed task by task, is planned anew each time.
"""

from collections.abc import Mapping
from typing import Any, Final

from taskspec.documents.model import Project
from taskspec.documents.remembering import Memory
from taskspec.health import Health
from taskspec.observed.model import Observed
from taskspec.plan.model import Action, Plan
from taskspec.plan.unsent_reasons import NEEDING_NO_RUN
from taskspec.runner.answering import Question, decide_at
from taskspec.runner.model import Invocation, Ports, Refresh
from taskspec.runner.planning import plan
from taskspec.runner.preparing import Remark
from taskspec.runner.recognising import project_of, recognised, vouch, vouchers_of
from taskspec.runner.vouching import Valid, Vouchers

_KIND: Final = "converged"
_MOST: Final = 50_000
"""Tasks: to decide for so many a second time takes more memory than a plan may."""
_LATER: Final = 100 * 365 * 86_400.0
"""Seconds: what holds then as it does now does not rest on the time."""


def plan_or_recall(invocation: Invocation, ports: Ports, remark: Remark) -> Plan:
    """Return what would be done, and why; where nothing is, the tasks that are up to date may only be counted."""
    rests_on_more = invocation.refresh is Refresh.FULL or invocation.rerun is not None
    vouchers = None if rests_on_more else vouchers_of(invocation, _KIND)
    if vouchers is None or invocation.overridden:  # what is gone beyond has to be known by that name
        return plan(invocation, ports, remark)
    memory = Memory(invocation.settings.cache_folder, invocation.target)
    recalled = None if vouchers.nothing else _recalled(vouchers, memory, invocation, ports)
    if recalled is not None:
        return recalled

    def conclude(question: Question, made: Plan) -> None:
        if not _rests_on_more(question, made, ports):
            tasks = len(made.changes)
            valid = Valid(project=made.project, tasks=tasks, skipped=0)
            more = _more(question.prepared.desired.project, ports, question.snapshot.serial)
            if more is not None:
                vouch(vouchers, valid, question.prepared, memory, invocation, ports, more)

    return plan(invocation, ports, remark, memory=memory, conclude=conclude)


def _recalled(vouchers: Vouchers, memory: Memory, invocation: Invocation, ports: Ports) -> Plan | None:
    project = project_of(invocation)
    more = _more(project, ports) if project is not None else None
    if project is None or more is None:
        return None
    known = recognised(vouchers, project, memory, invocation, ports, more)
    if known is None:
        return None
    return Plan(
        id=ports.chance.nonce(),
        project=project.name,
        environment=project.environment,
        lineage="",
        serial=more["serial"],
        created_at=ports.chance.now(),
        changes=(),
        unlisted=known.tasks,
    )


def _more(project: Project, ports: Ports, serial: int | None = None) -> Mapping[str, Any] | None:
    """Return what a plan rests on beside the documents; None where the state is not at that serial any more."""
    store = ports.open_state(project, read_only=True)
    try:
        recorded, digest = store.digest()
    finally:
        store.close()
    if serial is not None and recorded != serial:
        return None
    return {"state": digest, "serial": recorded, "remote": ports.offline(project).identity}


def _rests_on_more(question: Question, made: Plan, ports: Ports) -> bool:
    """Tell whether there is something to do or to say, or whether the plan rests on a result, a run or the time.

    What denies a plan is asked each time.
    """
    if made.refusals or question.prepared.desired.project.policies:
        return True
    if question.contents or question.kept or question.prepared.skipped or made.unselected or not made.lineage:
        return True
    if len(made.changes) > _MOST or not _is_converged(made):
        return True
    return not _is_converged(decide_at(question, ports, Observed(), ports.chance.now() + _LATER))


def _is_converged(made: Plan) -> bool:
    return all(
        change.action is Action.NONE
        and change.health is Health.HEALTHY
        and not change.risks
        and all(reason.code not in NEEDING_NO_RUN for reason in change.reasons)
        for change in made.changes
    )
