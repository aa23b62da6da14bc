"""The calls of the task API: one function each, from a request to an answer. Decides nothing about runs itself."""

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response, StreamingResponse

from taskspec.diagnostics import nearest
from taskspec.engine import activity, changing
from taskspec.engine.bodies import json_body, json_object
from taskspec.engine.model import ORGANIZATION, Mode, RefusalError
from taskspec.engine.runs import FILTERS, Asked, Query, utc_now
from taskspec.engine.streaming import envelope, task_event
from taskspec.engine.wire import encoded

if TYPE_CHECKING:
    from starlette.requests import Request

    from taskspec.engine.assembly import Engine

MAX_PER_PAGE = 1000
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_JSON = "application/json"


def engine_of(request: "Request") -> "Engine":
    """Return the engine that answers a request."""
    engine: Engine = request.scope["engine"]
    return engine


def writable(request: "Request") -> "Engine":
    """Return the engine, or refuse where it serves only what is stored."""
    engine = engine_of(request)
    if engine.mode is Mode.READ:
        raise RefusalError(409, "this engine serves only what is stored; no command that runs agents is at work")
    return engine


async def create_task(request: "Request") -> Response:
    """Accept a new run; the same idempotency key and body find the first one."""
    engine = writable(request)
    agent = _known_agent(engine, request.path_params["id"])
    body = await json_object(request)
    if body.get("id") is not None:
        await engine.store.get(str(body["id"]))
        raise RefusalError(422, "to continue a task is not supported by the embedded engine yet")
    version = request.headers.get("x-agent-version")
    run = changing.created(str(uuid.uuid4()), agent, {**body, "agent_version": version}, utc_now())
    engine.uploads.checked(run.task["input"]["files"])
    task, replayed = await engine.store.create(run, _asked(request, [agent, version, body]))
    if replayed:
        return JSONResponse(task, headers={"Idempotency-Replayed": "true"})
    engine.log.append(task["id"], [task_event("task_created", task)])
    engine.dispatcher.enqueue(task["id"])
    return JSONResponse(task)


def _asked(request: "Request", asked: Any) -> Asked | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    return Asked(key=key, body_hash=hashlib.sha256(encoded(_sorted(asked)).encode()).hexdigest())


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(entry) for entry in value] if isinstance(value, list) else value


def _known_agent(engine: "Engine", agent: str) -> str:
    known = engine.config.agents
    if agent not in known:
        names = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
        detail = f"no agent `{agent}`; the project declares: {names}. {nearest(agent, known)}"
        raise RefusalError(404, detail.strip())
    return agent


async def show_task(request: "Request") -> Response:
    """Answer with a whole task."""
    return JSONResponse(await engine_of(request).store.get(request.path_params["id"]))


async def patch_task(request: "Request") -> Response:
    """Change what a client may change of a task."""
    engine = writable(request)
    body = await json_object(request)
    after = await engine.store.change(request.path_params["id"], lambda found: changing.patched(found, body, utc_now()))
    assert after is not None
    engine.log.append(after.task["id"], [task_event("task_updated", after.task)])
    return JSONResponse(after.task)


async def stop_task(request: "Request") -> Response:
    """Stop a run, and answer when nothing of it runs any more."""
    engine = writable(request)
    await engine.store.get(request.path_params["id"])
    return JSONResponse(await engine.dispatcher.stop(request.path_params["id"]))


async def report_task(request: "Request") -> Response:
    """Record a task that was executed elsewhere; its `id` finds the record again."""
    engine = writable(request)
    agent = _known_agent(engine, request.path_params["id"])
    body = await json_object(request)
    run = str(uuid.uuid4()) if body.get("id") is None else body["id"]
    if not isinstance(run, str) or _RUN_ID.fullmatch(run) is None:
        raise RefusalError(422, "an id has up to 128 letters, digits, `_` and `-`")
    now = utc_now()
    fresh = changing.created(run, agent, {"input": {}}, now)
    after = await engine.store.upsert(fresh, lambda found: changing.reported(found, body, now))
    engine.log.append(run, [task_event("task_updated", after.task)])
    return JSONResponse(after.task)


async def list_agent_tasks(request: "Request") -> Response:
    """List an agent's runs, newest first."""
    return await _list(request, {"agent_id": request.path_params["id"]})


async def list_user_tasks(request: "Request") -> Response:
    """List a user's runs, newest first."""
    return await _list(request, {"user_id": request.path_params["id"]})


async def _list(request: "Request", matches: dict[str, str]) -> Response:
    asked = {name: request.query_params[name] for name in FILTERS if request.query_params.get(name)}
    if "status" in asked:
        asked["status"] = changing.status_named(asked["status"]).value
    query = Query(
        matches={**asked, **matches},
        per_page=_number(request, "per_page", MAX_PER_PAGE),
        before=_number(request, "before", 2**63 - 1),
    )
    page = await engine_of(request).store.history(query)
    headers = {}
    if page.next_before is not None:
        following = urlencode({**asked, "per_page": query.per_page, "before": page.next_before})
        headers["Link"] = f'<{request.url.replace(query=following)}>; rel="next"'
    return Response(f"[{','.join(page.rows)}]", media_type=_JSON, headers=headers)


def _number(request: "Request", name: str, most: int) -> int | None:
    text = request.query_params.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most):
        raise RefusalError(422, f"{name} must be a whole number from 1 to {most}")
    return int(text)


async def stream_events(request: "Request") -> Response:
    """Replay a run's events, follow it, and close after its end."""
    engine, run = engine_of(request), request.path_params["id"]
    await engine.store.get(run)
    stream = engine.log.follow(run, lambda: engine.store.get(run))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def push_events(request: "Request") -> Response:
    """Append a client's events to a run's stream."""
    engine, run = writable(request), request.path_params["id"]
    body = await json_body(request)
    task = await engine.store.get(run)
    events = [entry for entry in body if _is_event(entry)] if isinstance(body, list) else None
    if events is None:
        raise RefusalError(422, "the body must be a list of events")
    engine.log.append(run, [envelope(task["id"], entry["type"], entry.get("data")) for entry in events])
    return JSONResponse({})


def _is_event(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("type"), str) and entry["type"] != "task_finished"


async def show_activity(request: "Request") -> Response:
    """Answer with the thread of a run."""
    engine = engine_of(request)
    task = await engine.store.get(request.path_params["task"])
    if task["agent_id"] != request.path_params["id"]:
        raise RefusalError(404, "Task not found")
    return JSONResponse(activity.thread(task, engine.log.events(task["id"])))


async def list_agents(request: "Request") -> Response:
    """List the agents of the project."""
    engine = engine_of(request)
    return JSONResponse(
        [
            {
                "id": name,
                "name": name,
                "description": f"runs {agent.command[0]} on this machine",
                "icon": "terminal",
                "instructions": {},
                "status": "ACTIVE",
                "organization_id": ORGANIZATION,
                "created_at": engine.since,
            }
            for name, agent in sorted(engine.config.agents.items())
        ]
    )


async def show_agent(request: "Request") -> Response:
    """Answer with one agent of the project."""
    name = _known_agent(engine_of(request), request.path_params["id"])
    fixed = {"organization_id": ORGANIZATION, "framework": "agno", "model_provider": "local", "model_name": "command"}
    return JSONResponse({"id": name, "name": name, "unique_name": name, **fixed})
