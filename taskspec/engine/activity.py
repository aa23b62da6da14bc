"""The activity log of a run: its prompt, its thoughts and tool calls, its answer, as one thread. Performs no I/O."""

from collections.abc import Iterable, Mapping
from typing import Any


def thread(task: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the thread of a task from the task and the events of its stream."""
    sent, created = task["input"], task["created_at"]
    messages: list[dict[str, Any]] = [_message(task, "user", created, {"text": sent["text"], "files": sent["files"]})]
    calls: dict[Any, dict[str, Any]] = {}
    for number, event in enumerate(events):
        entry = _entry(f"{task['id']}-{number}", event, calls)
        if entry is not None:
            messages.append(entry)
    if task["result"] is not None:
        at = task["finished_at"] or created
        messages.append(_message(task, "agent", at, {"text": task["result"], "files": []}))
    found = {"id": task["id"], "created_at": created, "messages": messages}
    return {**found, "user": sent["user"]} if sent["user"] else found


def _message(task: Mapping[str, Any], role: str, at: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"{task['id']}-{role}", "created_at": at, "role": role, "content": dict(content)}


def _entry(entry: str, event: Mapping[str, Any], calls: dict[Any, dict[str, Any]]) -> dict[str, Any] | None:
    """Return what an event adds to the thread; a tool's result completes the entry of its call instead."""
    data, at = event.get("data"), event.get("time")
    if not isinstance(data, dict):
        return None
    match event["type"]:
        case "think" | "analyze" as kind:
            thought = {"title": str(data.get("title", "")), "thought": str(data.get("thought", ""))}
            return {"id": entry, "created_at": at, "type": kind, "confidence": 1.0, **thought}
        case "tool_call_request":
            call = {"tool_name": str(data.get("tool_name", "")), "payload": data.get("payload")}
            calls[str(data.get("request_id"))] = found = {"id": entry, "created_at": at, **call}
            return found
        case "tool_call_result":
            call = calls.get(str(data.get("request_id")), {})
            call.update(result=data.get("result"), is_error=bool(data.get("is_error")))
            return None
        case _:
            return None
