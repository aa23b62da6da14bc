"""The activity log of a run: prompts, thoughts, tool calls and answers of all its turns as a thread. Performs no I/O.

The shapes are those that the published SDK reads; a single entry of no known shape would cost its readers the thread.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from taskspec.engine.turns import Exchange

_Entry = dict[str, Any]


def thread(task: Mapping[str, Any], exchanges: Sequence[Exchange], events: Iterable[Mapping[str, Any]]) -> _Entry:
    """Return the thread of a task from its turns and the events of its stream, in the order of their times."""
    entries = [_asked(f"{task['id']}-user", exchanges[0])]
    for number, each in enumerate(exchanges[1:], start=2):
        entries.append(_asked(f"{task['id']}-user-{number}", each))
    entries += _told(task["id"], events)
    last = entries[-1]["created_at"]
    for number, each in enumerate(exchanges, start=1):
        if each.result is not None:
            entry = f"{task['id']}-agent" + (f"-{number}" if number > 1 else "")
            entries.append(_message(entry, "agent", each.finished_at or last, {"text": each.result, "files": []}))
    entries.sort(key=lambda entry: datetime.fromisoformat(entry["created_at"]))
    found = {"id": task["id"], "created_at": task["created_at"], "messages": entries}
    user = task["input"]["user"]
    return {**found, "user": user} if user else found


def _asked(entry: str, exchange: Exchange) -> _Entry:
    message = _message(entry, "user", exchange.asked_at, {"text": exchange.text, "files": list(exchange.files)})
    return {**message, "user": exchange.user} if exchange.user else message


def _message(entry: str, role: str, at: str, content: _Entry) -> _Entry:
    return {"id": entry, "created_at": at, "role": role, "content": content}


def _told(run: str, events: Iterable[Mapping[str, Any]]) -> list[_Entry]:
    calls: dict[str, _Entry] = {}
    found = []
    for number, event in enumerate(events):
        content = event.get("data")
        entry = _entry(event["type"], content, calls) if isinstance(content, dict) else None
        if entry is not None:
            entry |= {"id": f"{run}-{number}", "created_at": event["time"]}
            found.append(entry)
    return found


def _entry(kind: str, told: Mapping[str, Any], calls: dict[str, _Entry]) -> _Entry | None:
    """Return what an event adds to the thread; a tool's result completes the entry of its call instead."""
    match kind:
        case "think" | "analyze":
            thought = {"title": str(told.get("title", "")), "thought": str(told.get("thought", ""))}
            return {"type": kind, "confidence": 1.0, **thought, **_texts(told, "action", "result", "analysis")}
        case "tool_call_request":
            name = told.get("tool_name") or told.get("operation_id") or ""
            call = {"tool_name": str(name), "payload": told.get("payload"), "reasoning": _reasoning(told)}
            calls[str(told.get("request_id"))] = call
            return call
        case "tool_call_result":
            call = calls.get(str(told.get("request_id")), {})
            call.update(result=told.get("result"), is_error=told.get("is_error") is True)
            return None
        case "sub_agent_trigger":
            agent = {"agent_id": str(told.get("agent_id", "")), "reasoning": _reasoning(told) or {}}
            return {**agent, **_texts(told, "query")}
        case _:
            return None


def _reasoning(told: Mapping[str, Any]) -> dict[str, str] | None:
    reasoning = told.get("reasoning")
    return _texts(reasoning, "title", "description") if isinstance(reasoning, dict) else None


def _texts(told: Mapping[str, Any], *keys: str) -> dict[str, str]:
    return {key: told[key] for key in keys if isinstance(told.get(key), str)}
