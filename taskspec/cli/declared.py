"""The declared tasks that a command line selects, for commands that only show them. Says nothing but that none is."""

from typing import TYPE_CHECKING

from taskspec.cli.printing import note
from taskspec.cli.wiring import Wiring
from taskspec.runner.model import Invocation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskspec.address import Address
    from taskspec.desired.model import DeferredTask, DesiredTask
    from taskspec.runner.preparing import Prepared


def declared(invocation: Invocation) -> "tuple[Prepared, Mapping[Address, DesiredTask | DeferredTask]]":
    """Return what the manifests declare, and the selected ones of its tasks; raises what `prepare` does."""
    from taskspec.runner.choosing import nothing_chosen
    from taskspec.runner.planning import selected_tasks
    from taskspec.runner.preparing import prepare

    ports = Wiring(invocation.settings)
    prepared = prepare(invocation, ports)
    selected = selected_tasks(prepared, invocation, ports)
    if not selected:
        note(nothing_chosen(invocation.selection))
    return prepared, selected
