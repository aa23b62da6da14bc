"""What guards a plan beyond its decisions: risks, limits, the budget, policies. Changes nothing of what it does."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from taskspec.address import Address
from taskspec.desired.model import Desired
from taskspec.diagnostics import nearest
from taskspec.documents.model import Project
from taskspec.errors import UsageError
from taskspec.observed.model import Observed
from taskspec.plan.limiting import LIMITS, refusals
from taskspec.plan.model import Plan
from taskspec.plan.risks import Background, background, former_assertions, shunned, with_risks
from taskspec.plan.spending import BUDGET, Usage, overspent, spending, usage, without
from taskspec.plan.vanishing import MISSING, vanished
from taskspec.state.model import Snapshot
from taskspec.state.store import StateReader
from taskspec.taskapi.remotes import RemoteIdentity

OVERRIDABLE = (*LIMITS, MISSING, *BUDGET)
"""What every project lets a person go beyond; beside its own policies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """What a plan is held against: the state it was made from, what was used so far, and what is not to be kept."""

    snapshot: Snapshot
    used: Usage
    estimates: Mapping[Address, int | None]
    overridden: Collection[str]
    fail_on: Collection[str]
    """The categories of risk on which it is to be refused."""


def guarded(plan: Plan, desired: Desired, observed: Observed, remote: RemoteIdentity, guards: Guards) -> Plan:
    """Return a plan with its risks, with how the budget stands, and with everything that refuses it."""
    project, records, overridden = desired.project, guards.snapshot.records, guards.overridden
    behind = background(project, records, remote, desired.environ) if plan.pending else Background(remote=remote)
    plan = with_risks(plan, behind, former_assertions(plan))
    stands = spending(project.budget, guards.used, plan.changes, guards.estimates)
    if project.budget.is_declared:
        plan = replace(plan, spending=without(stands, overridden))
    refused = (
        *vanished(records, observed.runs, overridden),
        *refusals(plan.changes, len(records), project.limits, project.source, overridden),
        *overspent(stands, plan.changes, project.source, overridden),
        *shunned(plan.changes, guards.fail_on),
    )
    if project.policies:
        from taskspec.plan.policing import denials

        refused = (*refused, *denials(plan, project, overridden))
    return replace(plan, refusals=refused) if refused else plan


def used_so_far(project: Project, snapshot: Snapshot, reader: StateReader, now: float) -> Usage:
    """Return what the runs of a project have used; the history is read only where a budget is declared."""
    budget = project.budget
    if not budget.is_declared or not snapshot.lineage:
        return Usage()
    since = None if budget.per is None else now - budget.per
    return usage((entry.note for entry in reader.history()), snapshot.records, since)


def require_overridable(overridden: Collection[str], project: Project) -> None:
    """Raise UsageError for a name that is neither a limit nor a policy of the project."""
    known = (*OVERRIDABLE, *(policy.name for policy in project.policies))
    for name in sorted(overridden):
        if name not in known:
            listed = f"It may be {', '.join(f'`{one}`' for one in known)}."
            hint = f"{nearest(name, known)} {listed}".lstrip()
            raise UsageError(f"`{name}` is no limit and no policy of this project.", hint=hint)
