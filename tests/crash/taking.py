"""Accepting by hand: which kept results a person may take, and what must be so when they have taken one."""

import commanding
from endings import finished, unknown
from ledger import require
from table import AT_WORK

from taskspec.report.exiting import ExitCode


def acceptable(world, tasks):
    """Return declared addresses with a generation each, whose run completed and was recorded to have."""
    declared = {task.address for task in tasks}
    found = []
    for (address, generation, _), run in sorted(_completed(world).items()):
        if address in declared and address in world.durable.records and not run.life.empty:
            found.append((address, generation))
    return list(dict.fromkeys(found))


def accept(world, tasks, address, generation, *, dies_at=None, former=None):
    """Accept a kept result, and hold what came of it against what a person means by that."""
    before, runs = dict(world.durable.records), len(world.remote.runs)
    code = world.command(commanding.accept(address, generation), tasks, dies_at=dies_at, former=former)
    require(len(world.remote.runs) == runs, f"a result of {address} is accepted, and a run is paid for")
    now, task = dict(world.durable.records), finished(world, tasks)[address]
    changed = [one for one in (before.keys() | now.keys()) - {address} if before.get(one) is not now.get(one)]
    require(not changed, f"a result of {address} is accepted, and {changed} are other ones")
    if now.get(address) is before.get(address):
        require(code != ExitCode.OK, f"nothing is accepted for {address}, and the exit code is {code}")
        return code
    kept = now[address].accepted
    require(
        task is not None and kept.fingerprint == task.fingerprint, f"a result is accepted for another text of {address}"
    )
    require(kept.by_hand == generation, f"the result of g{kept.by_hand} of {address} is accepted, not of g{generation}")
    require(now[address].generation.number == kept.generation, f"the accepted result of {address} is an older one")
    last = before[address].generation.last
    if last is not None and last.run is not None:
        at_work = world.remote.runs[last.run].status(world.now) in AT_WORK
        require(not (at_work and last.verdict is None), f"{last.run} is at work, and is left unaccounted for")
    require(address not in unknown(world), f"the outcome of {address} is unknown, and a result is accepted")
    return code


def _completed(world):
    """Return the runs that have completed, by the attempts that they are, under the names of today."""
    ledger, found = world.ledger, {}
    for nonce, bound in ledger.bound.items():
        run = world.remote.runs[bound]
        if nonce not in ledger.let_go and run.status(world.now) == "completed":
            found[ledger.intents[nonce]] = run
    return found
