"""What it does to a run that a worker gets it, and loses it. Performs no I/O; `now` is an argument.

Every loan has a number, which is the run's `execution_attempts`: a worker sends it back with each whole object, so
that one which was given up for dead is not let begin what another worker has.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from taskspec.engine import changing, saving
from taskspec.engine.changing import Run, seconds_between, stamped, status_named
from taskspec.engine.model import ENDED, RefusalError, Status, Turn
from taskspec.engine.register import Register
from taskspec.engine.wire import without_secrets
from taskspec.engine.workers import Due

MAX_LOANS = 5
"""How often a run is lent at most."""
_AT_WORK = "a worker may still be at work on the turn before; wait until it has ended, or stop the worker"


def lent(run: Run, worker: str) -> Run | None:
    """Return a run that waits, or was lent and has not begun, as a worker gets it; None where it is not to begin."""
    if run.turn not in {Turn.WAITING, Turn.LENT} or run.task["status"] != Status.PENDING:
        return None
    return Run(task={**run.task, "worker_id": worker}, turn=Turn.LENT)


def begun_elsewhere(run: Run, worker: str) -> Run:
    """Return a new run that a worker has created for itself, and need not be given."""
    return Run(task={**run.task, "worker_id": worker}, turn=Turn.LENT)


def passed_on(run: Run, worker: str) -> Run | None:
    """Return a lent run whose worker has another id now, or None where it is lent no longer."""
    return replace(run, task={**run.task, "worker_id": worker}) if run.turn is Turn.LENT else None


def undelivered(run: Run) -> Run | None:
    """Return a lent run that its worker never got as one that waits, or None where it is lent no longer."""
    if run.turn is not Turn.LENT:
        return None
    return Run(task={**run.task, "worker_id": None}, turn=Turn.WAITING)


def undeliverable(run: Run, reason: str, now: str) -> Run | None:
    """Return a lent run that no worker can be given as failed, or None where it is lent no longer."""
    return _cut(run, Status.FAILED, reason, now) if run.turn is Turn.LENT else None


def taken_back(run: Run, why: Due, now: str, limit: str = "") -> Run | None:
    """Return a run as it is when its worker has it no longer; None where it has ended.

    One that waits already, or has begun in the meantime where that was what was missed, is returned as it is.
    """
    if run.turn is Turn.WAITING or (why is Due.UNCLAIMED and run.turn is Turn.LENT and run.task["started_at"]):
        return run
    if run.turn is not Turn.LENT:
        return None
    number = _number(run.task)
    if why is Due.TIMED_OUT:
        return _cut(run, Status.FAILED, f"timed out after {limit}", now)
    if number >= MAX_LOANS:
        return _cut(run, Status.ERROR, f"{why.value} {number} times", now)
    waiting = {"status": Status.PENDING.value, "started_at": None, "execution_attempts": number + 1, "worker_id": None}
    return Run(task={**run.task, **waiting}, turn=Turn.WAITING)


def patched(run: Run, body: Mapping[str, Any], now: str) -> Run:
    """Return a run after a PATCH, which may be the word of its worker; refuse to let one begin what it has not."""
    _check_beginning(run, body)
    body = _counting(run, saving.asked_of(run, body))
    told = {key: value for key, value in body.items() if key != "execution_attempts"}
    wanted = None if body.get("status") is None else status_named(body["status"])
    if run.turn is Turn.CUT or run.task["is_manually_stopped"]:
        unaware = wanted not in {None, run.task["status"]}
        kept = {key: value for key, value in told.items() if not (unaware and key in {"status", "result"})}
        return changing.patched(run, kept, now)
    if run.turn is not Turn.LENT:
        return changing.patched(run, told, now)
    after = changing.patched(run, {**told, "status": None}, now)
    return after if wanted in {None, Status.PENDING, after.task["status"]} else _moved(after, Status(wanted), now)


def tells_end(run: Run, body: Mapping[str, Any]) -> bool:
    """Tell whether a PATCH may be a worker's word that its work on a run is over; a bare stop is another's."""
    wanted = None if body.get("status") is None else status_named(body["status"])
    if wanted not in ENDED or _is_older(body.get("execution_attempts"), run):
        return False
    return wanted is not Status.STOPPED or "id" in body


def check_left(run: Run, register: Register, now: float) -> None:
    """Refuse to continue a run that was taken from a worker which may still be at work on it. Works in any thread."""
    taken = run.turn is Turn.CUT or run.task["status"] == Status.STOPPED
    if (taken and run.task["id"] in register.loans) or register.lingers(run.task["id"], now):
        raise RefusalError(409, _AT_WORK)


def _counting(run: Run, body: dict[str, Any]) -> dict[str, Any]:
    """Return what counts of a PATCH where several workers have had the run, of which each may still speak of it.

    Of an older loan only a result counts, and only of a run that has not ended. A result that is recorded stays: also
    a worker of an older loan that has read the run since then cannot be told from the one that completed it.
    """
    if "id" not in body:
        return body
    wanted = None if body.get("status") is None else status_named(body["status"])
    if run.task["status"] == Status.COMPLETED and _number(run.task) > 1:
        return {key: value for key, value in body.items() if key not in {"status", *saving.FOUND_OUT}}
    if not _is_older(body.get("execution_attempts"), run):
        return body
    if wanted is Status.COMPLETED and body.get("result") and run.task["status"] not in ENDED:
        return body
    if wanted in {None, Status.PENDING}:
        return {key: value for key, value in body.items() if key not in saving.FOUND_OUT}
    return {}


def _moved(run: Run, status: Status, now: str) -> Run:
    task = stamped(run.task, status, now)
    if status not in ENDED:
        return Run(task=task, turn=Turn.LENT)
    if not task["duration"] and task["started_at"] is not None:
        task["duration"] = seconds_between(task["started_at"], now)
    return Run(task=without_secrets(task), turn=Turn.OVER)


def _check_beginning(run: Run, body: Mapping[str, Any]) -> None:
    """Refuse the first word of a worker about a run that is not its own (any more): its agent is not called then."""
    if "id" not in body or body.get("status") != Status.EXECUTING:
        return
    if _is_older(body.get("execution_attempts"), run):
        raise RefusalError(409, "the run was taken back, because its worker did not begin it in time or fell silent")
    if run.task["is_manually_stopped"] and run.task["started_at"] is None:
        raise RefusalError(409, "the run was stopped before a worker began it")


def _is_older(number: Any, run: Run) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number < _number(run.task)


def _number(task: Mapping[str, Any]) -> int:
    return int(task["execution_attempts"] or 1)


def _cut(run: Run, status: Status, result: str, now: str) -> Run:
    task = stamped({**run.task, "result": result}, status, now)
    return Run(task=without_secrets(task), turn=Turn.CUT)
