"""Attending: whether the workers that a plan needs have an engine to connect to. Waits for none."""

from taskspec.documents.model import LOCAL, Project
from taskspec.errors import UsageError
from taskspec.plan.model import Action, Change, Plan
from taskspec.runner.model import Need, Ports


async def require_attendable(plan: Plan, project: Project, ports: Ports) -> None:
    """Raise UsageError where a run needs a worker, and the only engine would be this command's own.

    Nobody knows its port and its key, so that the command would wait for ever.
    """
    waiting = [change for change in plan.pending if _needs_worker(change, project)]
    if not waiting:
        return
    async with ports.connect(project, Need.LOOK) as link:
        if link.end_runs is None:
            return
    first = waiting[0]
    raise UsageError(
        f"{first.address} is for the agent `{first.agent}`, whose runs wait for a worker, and no engine is running "
        "that a worker can connect to.",
        hint="Keep one running in another terminal with `taskspec serve`, and connect a worker to it.",
    )


def _needs_worker(change: Change, project: Project) -> bool:
    agent = project.agents.get(change.agent)
    runs = change.paid or change.conditional or change.action is Action.WAIT
    return project.remote.type == LOCAL and agent is not None and not agent.command and runs
