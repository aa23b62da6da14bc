"""What must hold when all is quiet: nothing unknown, nothing unaccounted for, and an exit code that says how it is."""

from ledger import is_over, passes, require
from remote_runs import NEVER
from table import AT_WORK

from taskspec.address import address_hash
from taskspec.desired.model import DeferredTask
from taskspec.documents.model import OnChangeActive, OnRemove, When
from taskspec.report.exiting import ExitCode
from taskspec.runner.model import Refresh
from taskspec.state.model import Sending

MOST_APPLIES = 5
SETTLED_WITHIN = 60.0
"""Seconds after the quiet period: then every outcome is known."""


def settle_down(world, tasks, former=None):
    """Apply without any fault until nothing changes any more, and hold the end against the remote."""
    world.faults.over = True
    began, codes = world.now, []
    for _ in range(MOST_APPLIES):
        before = _at_work(world)
        codes.append(world.apply(tasks, former=former))
        if codes[-1] == ExitCode.OK or (codes[-2:] == [codes[-1]] * 2 and before == _at_work(world)):
            break
    declared = finished(world, tasks)
    accepted = [_is_good(world, address, task, declared) for address, task in declared.items()]
    opened = unknown(world)
    good, is_green = all(accepted) and not opened, codes[-1] == ExitCode.OK
    told = f"exit code {codes[-1]}, accepted: {accepted}, open: {opened}"
    require(is_green == good or (good and _is_left(world, declared)), told)
    _settled_in_time(world, opened, began)
    _accounted_for(world, declared)
    _others_untouched(world)
    _duplicates_told(world, tasks)


def _is_good(world, address, task, declared):
    """Tell whether a task has its accepted result, and its file; raise where it has not, and nothing says why."""
    record = world.durable.records.get(address)
    if _is_accepted(world, address, declared):
        content = world.durable.results[record.accepted.result.digest]
        require(world.files.get(address) == (record.accepted.run, content), f"the file of {address} is not its result")
        return True
    require(_is_explained(world, task, record, declared), f"{address} has no result, and nothing says why")
    return False


def _settled_in_time(world, opened, began):
    """Raise where an outcome is unknown for too long, unless a proxy has made two runs of it."""
    if not world.traits.get("keeps_titles"):
        return
    for address, intent in opened.items():
        waited = world.now - max(began, intent.intended_at)
        if intent.nonce in world.ledger.twins:  # a person has to say which it is
            continue
        most = world.quiet_period + SETTLED_WITHIN
        require(waited < most, f"the outcome of {address} is still unknown after {waited:.0f} s")


def intents(world):
    """Return the current attempt of each address that has one."""
    lasts = {address: record.generation.last for address, record in world.durable.records.items()}
    return {address: last for address, last in lasts.items() if last is not None}


def unknown(world):
    """Return the intents of which nobody knows what became of them, by address."""
    return {address: intent for address, intent in intents(world).items() if intent.sending is Sending.INTENDED}


def require_green(world, tasks):
    """Raise where what an exit code of 0 says is not so."""
    declared = finished(world, tasks)
    lacking = [address for address in declared if not _is_accepted(world, address, declared)]
    require(not lacking and not unknown(world), f"the exit code is 0, and {lacking} lack a result, or {unknown(world)}")


def finished(world, tasks):
    """Return what is declared by address; None for what depends on a result that is not there."""
    found = {}
    for task in tasks:
        found[task.address] = task
        if isinstance(task, DeferredTask):
            known = all(_is_accepted(world, used, found) for used in task.uses)
            records = {used: world.durable.records.get(used) for used in task.uses}
            results = {u: world.durable.results[r.accepted.result.digest] for u, r in records.items()} if known else {}
            found[task.address] = task.finish(results) if known else None
    return found


def _is_explained(world, task, record, declared):
    """Tell whether the remote, or an upstream task, is the reason for which a task has no accepted result."""
    if task is None or _is_blocked(world, task, declared) or _is_behind_unknown(world, task, declared):
        return True
    last = record.generation.last if record else None
    if last is not None and last.sending is Sending.INTENDED:
        return not world.traits.get("keeps_titles") or last.nonce in world.ledger.twins
    if last is None or not _asks_for(task, record.generation):
        return last is not None and _goes_on(world, last) and _keeps_running(task.policies)
    reached = [attempt for attempt in record.generation.attempts if attempt.run is not None]
    if not reached:
        return False
    run = world.remote.runs[reached[-1].run]
    status = run.status(world.now)
    if run.life.passes is not None and reached[-1].status == "error":  # nobody looks again by himself
        return True
    return status in {"failed", "error", "stopped", "paused"} or (status == "completed" and run.life.empty)


def _keeps_running(policies):
    """Tell whether a run may go on although another text is declared."""
    return policies.protect or policies.on_change_active is not OnChangeActive.REPLACE


def _goes_on(world, attempt):
    run = world.remote.runs.get(attempt.run)
    return run is not None and not is_over(run, world.now)


def _is_at_work(world, attempt):
    """Tell whether a run is at work now; one in `error` is not, though it may go on."""
    run = world.remote.runs.get(attempt.run)
    return run is not None and run.status(world.now) in AT_WORK


def _is_left(world, declared):
    """Tell whether a policy leaves to a person what is none of what is declared: a run that goes on, or a record."""
    return any(
        address not in declared
        or (_goes_on(world, attempt) and not _is_of_declared(declared, address, world.durable.records[address]))
        for address, attempt in intents(world).items()
    )


def _is_of_declared(declared, address, record):
    task = declared.get(address)
    is_never = task is not None and task.policies.rerun.when is When.NEVER
    return task is not None and (
        task.fingerprint == record.generation.fingerprint if is_never else _asks_for(task, record.generation)
    )


def _is_blocked(world, task, declared):
    """Tell whether a task has to wait: for one without its result, or for one that has to run anew and waits too."""
    return any(
        not _is_accepted(world, upstream, declared)
        or (_runs_anew(declared[upstream]) and _is_blocked(world, declared[upstream], declared))
        for upstream in task.upstream
    )


def _is_behind_unknown(world, task, declared):
    """Tell whether a task waits, through others perhaps, for one that nobody knows the outcome of."""
    return any(
        upstream in unknown(world)
        or (declared[upstream] is not None and _is_behind_unknown(world, declared[upstream], declared))
        for upstream in task.upstream
    )


def _at_work(world):
    """Return the addresses whose current run is at work: one that is left alone may end while others are waited for."""
    return {address for address, attempt in intents(world).items() if _is_at_work(world, attempt)}


def _runs_anew(task):
    return task.policies.rerun.when is When.ALWAYS or task.policies.rerun.after is not None


def _is_accepted(world, address, declared):
    """Tell whether what is declared has its accepted result; what runs again has it once the last run gave it."""
    record, task = world.durable.records.get(address), declared.get(address)
    if not task or not record or not record.accepted:
        return False
    kept, generation, rerun = record.accepted, record.generation, task.policies.rerun
    if kept.generation == generation.number:
        return _asks_for(task, generation)
    is_always = rerun.when is When.ALWAYS and rerun.after is None
    has_begun = is_always or any(attempt.run is not None for attempt in generation.attempts)
    is_never = rerun.when is When.NEVER
    is_asked = generation.fingerprint == task.fingerprint or (not is_never and _asks_for(task, generation))
    if is_asked and has_begun:
        return is_never and not _is_at_work(world, generation.last)
    asked = {task.fingerprint, generation.fingerprint} if is_asked else {task.fingerprint}
    return is_never or kept.fingerprint in asked


def _asks_for(task, generation):
    """Tell whether a generation passes for what is declared."""
    rerun = task.policies.rerun
    if generation.fingerprint == task.fingerprint or rerun.when is When.NEVER:
        return True
    return bool(rerun.ignore) and passes(generation.spec, task.spec, rerun.ignore)


def _others_untouched(world):
    """Raise where a run of another project was stopped, or given another title."""
    for run in map(world.remote.runs.get, world.ledger.foreign):
        require(run.stopped_at == NEVER and not run.titles, f"{run.id} of another project was touched")


def _duplicates_told(world, tasks):
    """Raise where a plan in full says nothing of runs that are one create which the remote has twice."""
    known = {**{task.address: task for task in tasks}, **world.durable.records}
    doubled = [run for run in world.remote.runs.values() if run.nonce in world.ledger.twins]
    doubled = {run.id for run in doubled if any(address_hash(address) == run.owner for address in known)}
    if not doubled or not tasks:
        return
    world.now += world.remote.lag + 1.0
    code = world.apply(tasks, refresh=Refresh.FULL)
    require(doubled <= world.duplicates, f"{sorted(doubled - world.duplicates)} are duplicates, and nobody tells")
    require(code in {ExitCode.UNKNOWN, ExitCode.ERROR}, f"there are duplicates, and the exit code is {code}")


def _accounted_for(world, declared):
    """Raise where a run of ours is on the remote that nobody will ever look at again."""
    ledger = world.ledger
    current = {intent.nonce: intent for intent in intents(world).values()}
    for run in world.remote.runs.values():
        nonce = run.nonce
        if run.id in ledger.foreign or nonce in ledger.let_go | ledger.left:
            continue
        unknown = nonce in current and current[nonce].sending is Sending.INTENDED
        require(unknown or nonce in ledger.bound, f"nobody knows of {run.id}")
        is_twin = nonce in ledger.twins and ledger.bound.get(nonce) != run.id
        if is_over(run, world.now) or unknown or is_twin:
            continue
        address = ledger.intents[nonce][0]
        require(nonce in current, f"{run.id} of {address} is still at work, and another text is declared")
        record = world.durable.records[address]
        kept = address in declared or record.on_remove is OnRemove.HOLD or record.protect
        require(kept, f"{run.id} is still at work, and nothing declares {address}")
