"""What must be so when a command was asked to end, and has: its exit code, and what `cancel` tells of the runs."""

from types import SimpleNamespace

from endings import intents
from ledger import require
from table import AT_WORK

from taskspec.report.exiting import ExitCode
from taskspec.runner.cancelling import _left


def require_ended(world, code, *, heard):
    """Raise where a command that was asked to end did not say so, or a run that goes on is told by nobody.

    One that does not listen, as it is at its end already, may end as it would have, but for the better.
    """
    is_said = code == ExitCode.TERMINATED or not (heard or code == ExitCode.OK)
    require(is_said, f"it was asked to end, and its exit code is {code}")
    disk = world.durable
    store = SimpleNamespace(read=lambda: SimpleNamespace(records=disk.records), holding=lambda: disk.holder)
    told = _left(store, None, woken=False)
    current = {attempt.nonce: address for address, attempt in intents(world).items()}
    for run in world.remote.runs.values():
        address = current.get(run.nonce)
        if address is None or run.nonce in world.ledger.twins or run.status(world.now) not in AT_WORK:
            continue
        if run.life.passes is None and run.applies_at <= world.now:
            require(address in {*told.running, *told.unknown}, f"{run.id} of {address} goes on, and nobody tells")
