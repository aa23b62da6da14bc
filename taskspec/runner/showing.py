"""Showing a saved plan: why it could not be applied any more. Carries nothing out, and asks no remote."""

from taskspec.errors import StaleError, StateError
from taskspec.moments import utc
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.planning import read_state
from taskspec.runner.saved import SavedPlan, Use, project_in


def obstacles(saved: SavedPlan, invocation: Invocation, ports: Ports) -> list[str]:
    """Return why a plan would be refused, as far as that can be told from here."""
    found: list[str] = []
    if ports.chance.now() > saved.expires_at:
        found.append(f"it could be applied until {utc(saved.expires_at)}")
    project = project_in(saved, invocation)
    try:
        snapshot = read_state(project, ports)
        if not snapshot.lineage:
            return [*found, "there is no state here, so that nobody can tell whether it still holds"]
        store = ports.open_state(project, read_only=True)
        try:
            use = Use.of(saved, store, snapshot)
        finally:
            store.close()
    except (StaleError, StateError) as error:
        return [*found, error.message]
    if use.is_stale:
        found.append(f"the state has moved on since (from {saved.plan.serial} to {snapshot.serial})")
    elif use.is_begun:
        found.append("it was begun, and did not come to its end: applying it takes it up again")
    return found
