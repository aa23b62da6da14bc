"""How many runs an apply may, and must, start for a task: the decision table in a few lines. Shares no code with it."""

from dataclasses import dataclass, replace

from ledger import passes

from taskspec.documents.model import OnChangeActive, When
from taskspec.state.model import Sending, StopCause

MANY = 100
LONGEST_LOOK = 300.0
"""Seconds in which an apply has seen how a run is, also where reads fail."""
UP_TO_A_PERSON = frozenset({"paused", "changed, held"})
"""The rows that are others as soon as a person stops the run."""
AT_WORK = frozenset({"pending", "executing", "paused"})


@dataclass(frozen=True)
class Row:
    """A row that fires, with the least that an apply without any fault starts, and the most that any apply may."""

    name: str
    least: int
    most: int


def row_of(world, task, record, *, anew=False):
    """Return the row of a task that is declared; `record` is what is kept of it, under whatever name.

    `anew`: a person asks for its accepted result once more.
    """
    row = _row_of(world, task, record)
    if not anew or record is None or not _has_result(task, record):
        return row
    least = max(row.least, int(row.name == "accepted"))
    return Row(f"{row.name}, anew", least, max(row.most, task.policies.retry.max_attempts + ("unknown" in row.name)))


def _has_result(task, record):
    """Tell whether the accepted result is one of what is declared, or passes for it."""
    kept, generation = record.accepted, record.generation
    if kept is None:
        return False
    if _is_never(task) or kept.fingerprint == task.fingerprint:
        return True
    return _is_same(task, record) and generation.fingerprint == kept.fingerprint


def _row_of(world, task, record):
    attempts = task.policies.retry.max_attempts
    if record is None:
        return Row("nothing", 1, attempts)
    generation, kept = record.generation, record.accepted
    has_result = kept is not None and (_is_never(task) or kept.fingerprint == task.fingerprint)
    same, due = _is_same(task, record), kept is not None and _is_due(world, task, kept)
    left = 0 if _is_never(task) and kept is not None else attempts
    if kept is not None and same and kept.generation == generation.number:
        return Row("due", 1, attempts) if due else Row("accepted", 0, 0)
    counting = [attempt for attempt in generation.attempts if attempt.sending in {Sending.INTENDED, Sending.BOUND}]
    has_result = has_result or (same and kept is not None and kept.fingerprint == generation.fingerprint)
    if not counting:
        return Row("not reached, has its result", 0, 0) if has_result and not due else Row("not reached", 1, attempts)
    if counting[-1].sending is Sending.INTENDED:
        spared = has_result and not due and (_is_never(task) or not (same and len(counting) > 1))
        if spared:
            found = same and any(run.nonce == counting[-1].nonce for run in world.remote.runs.values())
            return Row("unknown, has its result", 0, max(0, left - len(counting)) if found else 0)
        return Row("unknown", 0, attempts + 1)
    run = world.remote.runs[counting[-1].run]
    left = max(0, left - len(counting))
    goes_on = run.status(world.now + LONGEST_LOOK) in AT_WORK
    row = _by_run(task, counting[-1], run.status(world.now), same, has_result, due, left, goes_on)
    if row.name == "changed" and world.ledger.counted.get(task.fingerprint):
        return replace(row, least=0)  # the text had an accepted result before, which may be taken again
    return row


def _by_run(task, attempt, status, same, has_result, due, left, goes_on):
    attempts = task.policies.retry.max_attempts
    if has_result and not same:
        return Row("returned", 0, attempts if due else 0)
    if not same:
        held = (
            status in AT_WORK
            and goes_on
            and task.policies.on_change_active is OnChangeActive.HOLD
            and attempt.stop is None
        )
        least = int(status not in AT_WORK and attempt.status == status)
        return Row("changed, held", 0, 0) if held else Row("changed", least, attempts)
    if status == "paused" and attempt.stop is None:
        return Row("paused", 0, left)  # only where the time-out stops it meanwhile
    if status == "completed" and attempt.status != "completed":
        return Row("not judged", 0, left)
    if attempt.stop in {StopCause.REPLACE, StopCause.RETRY} and not (_is_never(task) and has_result):
        return Row("to be replaced", 0, attempts)
    if task.policies.rerun.when is When.ALWAYS:
        return Row("always", 0, attempts)
    return Row("ended or at work", 0, left)


def _is_same(task, record):
    """Tell whether the last generation asked for what is declared, or passes for it."""
    rerun, generation = task.policies.rerun, record.generation
    if generation.fingerprint == task.fingerprint:
        return True
    if rerun.when is When.NEVER:
        return record.accepted is None or record.accepted.fingerprint == generation.fingerprint
    return passes(generation.spec, task.spec, rerun.ignore)


def _is_never(task):
    return task.policies.rerun.when is When.NEVER


def _is_due(world, task, kept):
    rerun = task.policies.rerun
    if rerun.when is When.NEVER:
        return False
    if rerun.after is not None:
        return world.now - kept.at >= rerun.after
    return rerun.when is When.ALWAYS


def recorded_under(world, task, former):
    """Return what is kept of a task: under its address, under the one that it says it had, or that of equal text."""
    records = world.durable.records
    removed = {address: record for address, record in records.items() if address not in world.declared}
    if task.address in records:
        return records[task.address]
    said = {old for new, old in former.items() if old in removed and new not in records and new in world.declared}
    if former.get(task.address) in said:
        return removed[former[task.address]]
    equal = [r for a, r in removed.items() if a not in said and r.generation.fingerprint == task.fingerprint]
    return equal[0] if len(equal) == 1 else None
