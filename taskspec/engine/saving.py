"""What a PATCH asks to change: a whole object also carries what its client merely read before. Changes nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from taskspec.engine.changing import Run, status_named
from taskspec.engine.model import ENDED, RefusalError, Status

FOUND_OUT = ("result", "tokens", "duration", "used_tools")
"""What became of a run. An empty value in a whole object says that its client knows of none, not that there is none."""
_EMPTY: tuple[Any, ...] = (None, 0, [])


def asked_of(run: Run, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a PATCH without what only shows when its whole object was read; a sparse one means all that it says.

    Raises RefusalError where a worker would begin an earlier turn of a continued run.
    """
    if "id" not in body:
        return dict(body)
    left_out = {key for key in FOUND_OUT if key in body and body[key] in _EMPTY}
    if _tells_of_earlier_turn(run, body):
        left_out |= {"status", *FOUND_OUT}
    elif _status_was_read_before(run, body):
        left_out.add("status")
    return {key: value for key, value in body.items() if key not in left_out}


def _tells_of_earlier_turn(run: Run, body: Mapping[str, Any]) -> bool:
    if run.continued_at is None:
        return False
    sent = body.get("input")
    if (
        body.get("status") == Status.EXECUTING
        and isinstance(sent, dict)
        and sent.get("text", "") != run.task["input"]["text"]
    ):
        raise RefusalError(409, "the task was continued with another message since this one was read")
    started, continued = _time(body.get("started_at")), _time(run.continued_at)
    return started is not None and continued is not None and started < continued


def _status_was_read_before(run: Run, body: Mapping[str, Any]) -> bool:
    """Tell whether the status of a whole object is older than the run's own: a run does not go back by accident."""
    if body.get("status") is None:
        return False
    status = status_named(body["status"])
    if run.task["status"] not in ENDED:
        return status is Status.PENDING
    return status not in ENDED and _time(body.get("finished_at")) != _time(run.task["finished_at"])


def _time(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
