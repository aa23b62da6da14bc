"""The calls of the task API: one function each, from a request to an answer. Decides nothing about runs itself."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response, StreamingResponse

from taskspec.diagnostics import nearest
from taskspec.engine import activity, changing, loans
from taskspec.engine.bodies import json_body, json_object
from taskspec.engine.listing import FILTERS, Query
from taskspec.engine.model import ORGANIZATION, Mode, RefusalError
from taskspec.engine.runs import utc_now
from taskspec.engine.streaming import RESERVED, envelope, task_event
from taskspec.engine.wire import told

if TYPE_CHECKING:
    from starlette.requests import Request

    from taskspec.engine.assembly import Engine

MAX_PER_PAGE = 1000
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


def known_agent(engine: "Engine", agent: str) -> str:
    """Return the id of an agent that the project declares, or refuse with those that it does."""
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
    after = await engine.store.change(request.path_params["id"], lambda found: loans.patched(found, body, utc_now()))
    assert after is not None
    engine.dispatcher.lender.hear_of(after, told=loans.tells_end(after, body))
    engine.log.append(after.task["id"], [task_event("task_updated", after.task)])
    return JSONResponse(after.task)


async def stop_task(request: "Request") -> Response:
    """Stop a run, and answer when nothing of it runs any more."""
    engine = writable(request)
    await engine.store.get(request.path_params["id"])
    return JSONResponse(await engine.dispatcher.stop(request.path_params["id"]))


async def list_agent_tasks(request: "Request") -> Response:
    """List an agent's runs, newest first; refuse one that the project does not declare and that never had any."""
    engine, agent = engine_of(request), request.path_params["id"]
    if agent not in engine.config.agents:
        found = await engine.store.history(Query(matches={"agent_id": [agent]}, per_page=1))
        if not found.rows:
            known_agent(engine, agent)
    return await _list(request, {"agent_id": agent})


async def list_user_tasks(request: "Request") -> Response:
    """List a user's runs, newest first."""
    return await _list(request, {"user_id": request.path_params["id"]})


async def _list(request: "Request", matches: dict[str, str]) -> Response:
    unknown = sorted({*request.query_params} - {*FILTERS, "per_page", "before"})
    if unknown:
        known = ", ".join(FILTERS)
        raise RefusalError(422, f"no filter `{unknown[0]}`; there are {known}. {nearest(unknown[0], FILTERS)}".strip())
    given = {name: [value for value in request.query_params.getlist(name) if value] for name in FILTERS}
    asked = {name: values for name, values in given.items() if values}
    if "status" in asked:
        asked["status"] = [changing.status_named(value).value for value in asked["status"]]
    query = Query(
        matches={**asked, **{name: [value] for name, value in matches.items()}},
        per_page=_number(request, "per_page", MAX_PER_PAGE),
        before=_number(request, "before", 2**63 - 1),
    )
    page = await engine_of(request).store.history(query)
    headers = {}
    if page.next_before is not None:
        following = urlencode({**asked, "per_page": query.per_page, "before": page.next_before}, doseq=True)
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
    if events:
        engine.log.append(run, [_pushed(task["id"], entry) for entry in events])
    return JSONResponse({})


def _is_event(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("type"), str) and entry["type"] not in RESERVED


def _pushed(run: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    who = entry.get("identity")
    event = envelope(run, entry["type"], told(entry.get("data")))
    return {**event, "identity": who} if isinstance(who, dict) and isinstance(who.get("name"), str) else event


async def show_activity(request: "Request") -> Response:
    """Answer with the thread of a run."""
    engine = engine_of(request)
    task, exchanges = await engine.store.conversation(request.path_params["task"])
    if task["agent_id"] != request.path_params["id"]:
        raise RefusalError(404, "Task not found")
    return JSONResponse(activity.thread(task, exchanges, engine.log.events(task["id"])))


async def list_agents(request: "Request") -> Response:
    """List the agents of the project."""
    engine = engine_of(request)
    return JSONResponse([_agent(engine, name) for name in sorted(engine.config.agents)])


async def show_agent(request: "Request") -> Response:
    """Answer with one agent of the project, whichever version is asked for; it confirms none, having none."""
    engine = engine_of(request)
    name = known_agent(engine, request.path_params["id"])
    fixed = {"unique_name": name, "framework": "agno", "model_provider": "local", "model_name": "command"}
    return JSONResponse({**_agent(engine, name), **fixed})


def _agent(engine: "Engine", name: str) -> dict[str, Any]:
    command = engine.config.agents[name].command
    return {
        "id": name,
        "name": name,
        "description": f"runs {command[0]} on this machine" if command else "runs on its workers",
        "icon": "terminal",
        "instructions": {},
        "status": "ACTIVE",
        "organization_id": ORGANIZATION,
        "created_at": engine.since,
    }
