"""Who wrote the lines that a plan names: asked of git where a plan is shown that has changes. Asks nothing else."""

from taskspec.plan.model import Plan
from taskspec.runner.model import Invocation


def blamed(plan: Plan, invocation: Invocation) -> Plan:
    """Return a plan with the commits of the lines that its reasons name."""
    if not any(reason.position or reason.because for change in plan.changes for reason in change.reasons):
        return plan
    from taskspec.runner.blaming import blame_plan

    target = invocation.target
    return blame_plan(plan, target if target.is_dir() else target.parent, invocation.settings.environ)
