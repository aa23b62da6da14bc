"""A create that is repeated where the remote makes sure that there is only one task. Never sends a blind second one.

The library creates by it; `apply` keeps a protocol of its own, with its intents in the state.
"""

from collections.abc import Callable

from taskspec.errors import (
    ConflictError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    UnreachableError,
    UsageError,
)
from taskspec.taskapi.classifying import CONFLICT
from taskspec.taskapi.endpoints import CREATE_TIMEOUT, create_task, greet
from taskspec.taskapi.flow import Patience
from taskspec.taskapi.messages import Call, ClosedError, Pause, is_sendable
from taskspec.taskapi.records import NewTask, TaskRecord

GREETING_TIMEOUT = 5.0
"""The remote is asked once whether it keeps keys, and has so many seconds to answer."""
LOOK = "The task may exist: list the tasks of the agent before you create it again."


def create_once(
    agent_id: str,
    task: NewTask,
    *,
    idempotency_key: str,
    honours: Callable[[], bool],
    patience: Patience,
    timeout: float = CREATE_TIMEOUT,
) -> Call[TaskRecord]:
    """Create a task, at most once, sending it again where that is safe; `timeout` is the total time of one sending.

    `honours` says whether the remote is known to keep idempotency keys; where it is not, it is asked. Raises
    OutcomeUnknownError where any sending may have made the task, whatever came after it.
    """
    if task.agent_version is not None and not is_sendable(task.agent_version):
        raise UsageError("The agent's version holds characters that cannot be sent.", hint="Use visible ASCII.")
    unsettled: OutcomeUnknownError | None = None
    trouble: RemoteError
    failures = 0
    while True:
        try:
            return (yield from create_task(agent_id, task, idempotency_key=idempotency_key, timeout=timeout))
        except OutcomeUnknownError as error:
            if error.status == CONFLICT:
                raise _conflict(error, unsettled) from error
            unsettled, trouble = _hinted(error), error
            may_repeat = honours() or (yield from _is_announced())
            stated = None
        except ClosedError as error:
            if unsettled is None:
                raise
            raise OutcomeUnknownError(f"{unsettled.message} {error.message}", hint=LOOK) from error
        except (UnreachableError, RefusedError) as error:
            trouble = error
            may_repeat = not isinstance(error, RefusedError) or _passes(error)
            stated = error.retry_after if isinstance(error, RateLimitedError) else None
        failures += 1
        pause = patience.pause(failures, stated) if may_repeat else None
        if pause is None:
            raise _final(trouble, unsettled)
        yield Pause(seconds=pause)


def _is_announced() -> Call[bool]:
    """Ask the remote whether it keeps idempotency keys; one that cannot be asked does not."""
    try:
        greeting = yield from greet(within=GREETING_TIMEOUT)
    except (RemoteError, ClosedError):
        return False
    return "idempotency-key" in greeting.capabilities


def _passes(error: RefusedError) -> bool:
    return isinstance(error, RateLimitedError) and not error.billing


def _conflict(error: OutcomeUnknownError, unsettled: OutcomeUnknownError | None) -> RemoteError:
    """Tell what a 409 says: a plain "no" to the first sending, nothing about one before it."""
    if unsettled is not None:
        return _final(error, unsettled)
    hint = "The idempotency key may be used by another task, or the task to continue is still at work."
    return ConflictError(error.message, hint=hint, status=error.status, detail=error.detail)


def _final(last: RemoteError, unsettled: OutcomeUnknownError | None) -> RemoteError:
    """Return the error to give up with: a sending whose outcome is unknown stays unknown."""
    if unsettled is None or last is unsettled:
        return last
    message = f"{unsettled.message} Sent again: {last.message}"
    return OutcomeUnknownError(message, hint=LOOK, status=last.status, detail=last.detail)


def _hinted(error: OutcomeUnknownError) -> OutcomeUnknownError:
    error.hint = f"{LOOK} {error.hint}".strip()
    return error
