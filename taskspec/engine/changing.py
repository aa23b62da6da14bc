"""What requests and agents do to a task: create, patch, report, begin, end. Performs no I/O; `now` is an argument."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from taskspec.engine.inputs import accepted_input
from taskspec.engine.kinds import invalid
from taskspec.engine.model import ENDED, RefusalError, Status, Turn
from taskspec.engine.wire import CREATABLE, SETTABLE, accepted_tokens, accepted_value, blank_task, without_secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A task as it is stored, where it stands with the engine, and when its present turn began if it is a later one."""

    task: dict[str, Any]
    turn: Turn
    continued_at: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """How the execution of a run ended."""

    status: Status
    result: str | None
    tokens: dict[str, int] | None = None


def status_named(value: Any) -> Status:
    """Return the status that a client names, also as the platform's SDK prints it (`AgentExecutionStatus.Failed`)."""
    name = value.rpartition(".")[2].lower() if isinstance(value, str) else None
    if name not in set(Status):
        raise invalid("status", f"status must be one of {', '.join(Status)}")
    return Status(name)


def created(run: str, agent: str, body: Mapping[str, Any], now: str) -> Run:
    """Return the new run that a create call asks for."""
    task = blank_task(run, agent, now)
    task.update({key: accepted_value(key, body[key]) for key in CREATABLE if key in body})
    if isinstance(body.get("parent_execution_id"), str):
        task["parent_execution"] = body["parent_execution_id"]
    task["input"] = accepted_input(body.get("input"))
    return Run(task=task, turn=Turn.WAITING)


_LASTING = (
    *("title", "payload_extension", "source", "triggering_agent_id", "test_run_node_id", "agent_version"),
    *("parent_execution", "conversation_id", "conversation_kind", "execution_kind"),
)
"""What a later turn of a run keeps where it does not say otherwise; all else is asked for by each turn anew."""


def continued(run: Run, agent: str, body: Mapping[str, Any], now: str) -> Run:
    """Return an ended run as the later turn that a create call with its `id` asks for; refuse one that is active."""
    before = run.task
    if before["agent_id"] != agent:
        raise invalid("id", f"the task belongs to agent `{before['agent_id']}`; only that one can continue it")
    if before["status"] not in ENDED:
        raise RefusalError(409, f"the task is {before['status']}; it can be continued when it has ended, or is stopped")
    blank, task = blank_task(before["id"], agent, before["created_at"]), created(before["id"], agent, body, now).task
    kept = {key: before[key] for key in _LASTING if task[key] == blank[key]}
    people = {key: task["input"][key] or before["input"][key] for key in ("user", "principal")}
    again = {"created_at": before["created_at"], "input": {**task["input"], **people}}
    return Run(task={**task, **kept, **again}, turn=Turn.WAITING, continued_at=now)


def patched(run: Run, body: Mapping[str, Any], now: str) -> Run:
    """Return a run after a sparse or a whole-object PATCH; keys that are not a client's to set are left out."""
    changes = {key: accepted_value(key, body[key]) for key in SETTABLE if key in body}
    if "tool_call_payload_extension" in body:
        changes["payload_extension"] = accepted_value("payload_extension", body["tool_call_payload_extension"])
    task = {**run.task, **changes}
    if body.get("status") is None:
        return _placed(task, run.turn)
    status = status_named(body["status"])
    if task["is_manually_stopped"] or status == task["status"]:
        return _placed(task, run.turn)
    if run.turn is Turn.HELD:
        raise RefusalError(409, "an agent of this engine executes the task; stop it, or wait for its end")
    if status is Status.PENDING:
        raise RefusalError(409, "nothing would start the task again; a create that names its id continues it")
    return _placed(stamped(task, status, now), Turn.OVER)


def stopped(run: Run, now: str) -> Run:
    """Return a run after a stop; one that has ended is left as it is."""
    if run.task["status"] in ENDED:
        return run
    task = stamped({**run.task, "is_manually_stopped": True}, Status.STOPPED, now)
    return _placed(task, Turn.OVER)


def begun(run: Run, now: str) -> Run | None:
    """Return a waiting run as the engine takes it, or None where it is no longer to be started."""
    if run.turn is not Turn.WAITING or run.task["status"] != Status.PENDING:
        return None
    return replace(run, task=stamped(run.task, Status.EXECUTING, now), turn=Turn.HELD)


def put_back(run: Run) -> Run:
    """Return a taken run, whose agent was never started, as one that still waits."""
    task = {**run.task, "status": Status.PENDING.value, "started_at": None}
    return Run(task=task, turn=Turn.WAITING)


def ended(run: Run, ending: Ending, now: str) -> Run:
    """Return a run after its agent has ended."""
    if run.task["status"] in ENDED:
        return _placed(run.task, Turn.OVER)
    task = stamped({**run.task, "result": ending.result}, ending.status, now)
    task["is_manually_stopped"] = ending.status is Status.STOPPED
    task["tokens"] = ending.tokens or task["tokens"]
    if task["started_at"] is not None:
        task["duration"] = seconds_between(task["started_at"], now)
    return _placed(task, Turn.OVER)


def measured(run: Run, body: Mapping[str, Any]) -> Run | None:
    """Return a run with the tokens and the duration that a report of metrics names, or None where it has both."""
    spent, duration = body.get("llm_tokens"), body.get("duration")
    if not isinstance(spent, dict | None):
        raise invalid("llm_tokens", "llm_tokens must be an object")
    if duration is not None:
        duration = accepted_value("duration", duration)
    task = {**run.task, "duration": run.task["duration"] or duration or 0}
    task["tokens"] = run.task["tokens"] or _sum([accepted_tokens(part) for part in (spent or {}).values()])
    return None if task == run.task else Run(task=task, turn=run.turn, continued_at=run.continued_at)


def _sum(parts: Iterable[dict[str, int] | None]) -> dict[str, int] | None:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part or {})
    return dict(total) if total else None


def reported(run: Run, agent: str, body: Mapping[str, Any], now: str) -> Run:
    """Return a run after the report of a task that was executed elsewhere."""
    if run.task["agent_id"] != agent:
        raise invalid("id", f"the task belongs to agent `{run.task['agent_id']}`")
    if run.turn is Turn.HELD:
        raise RefusalError(409, "an agent of this engine executes the task; a report cannot replace it")
    keys = ("result", "tokens", "duration", "used_tools")
    task = {**run.task, **{key: accepted_value(key, body[key]) for key in keys if key in body}}
    if body.get("input") is not None:
        if not isinstance(body["input"], str):
            raise invalid("input", "input must be a string")
        task["input"] = {**task["input"], "text": body["input"]}
    if task["result"] is None and isinstance(body.get("llm_response"), str):
        task["result"] = body["llm_response"]
    success = body.get("is_success", True)
    if not isinstance(success, bool | None):
        raise invalid("is_success", "is_success must be true or false")
    status = Status.COMPLETED if success else Status.FAILED
    return _placed(task if task["is_manually_stopped"] else stamped(task, status, now), Turn.OVER)


def stamped(task: Mapping[str, Any], status: Status, now: str) -> dict[str, Any]:
    """Return a task with another status and the times that go with it."""
    kept = task["finished_at"] if task["status"] in ENDED else None
    times: dict[str, Any] = {"finished_at": (kept or now) if status in ENDED else None}
    if status is Status.EXECUTING and task["started_at"] is None:
        times["started_at"] = now
    if status is Status.PAUSED:
        times["paused_at"] = now
    return {**task, **times, "status": status.value}


def seconds_between(start: str, end: str) -> float:
    """Return the seconds between two times as the engine writes them, never less than none."""
    passed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return max(0.0, round(passed.total_seconds(), 3))


def _placed(task: Mapping[str, Any], turn: Turn) -> Run:
    """Return a run; what only a running agent needs to know is not kept where none will run."""
    return Run(task=without_secrets(task) if turn is Turn.OVER else dict(task), turn=turn)
