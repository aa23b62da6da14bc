"""The calls that begin a run, continue one, or record one that ran elsewhere. Decides nothing about runs itself."""

import hashlib
import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from taskspec.engine import changing, loans, wire
from taskspec.engine.bodies import json_object
from taskspec.engine.changing import Run
from taskspec.engine.keys import Asked
from taskspec.engine.kinds import invalid
from taskspec.engine.model import RefusalError
from taskspec.engine.routes import known_agent, writable
from taskspec.engine.runs import utc_now
from taskspec.engine.streaming import task_event

if TYPE_CHECKING:
    from starlette.requests import Request

    from taskspec.engine.assembly import Engine

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CANONICAL = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


async def create_task(request: "Request") -> Response:
    """Accept a new run, or a later turn of one; the same idempotency key and body find the first one."""
    engine = writable(request)
    agent = known_agent(engine, request.path_params["id"])
    body = await json_object(request)
    version = request.headers.get("x-agent-version")
    asked = _asked(request, [agent, version, wire.asked(body)])
    body = {**body, "agent_version": version}
    if body.get("id") is not None:
        return await _continue_task(engine, agent, body, asked)
    run = changing.created(str(uuid.uuid4()), agent, body, utc_now())
    engine.uploads.checked(run.task["input"]["files"])
    if holder := engine.dispatcher.lender.register.holder_named(agent, body):
        run = loans.begun_elsewhere(run, holder)
    task, replayed = await engine.store.create(run, asked)
    if not replayed:
        engine.log.begin(task)
        engine.dispatcher.lender.keep(task)
    return _accepted(engine, task, replayed=replayed)


async def _continue_task(engine: "Engine", agent: str, body: dict[str, Any], asked: Asked | None) -> Response:
    run, now, asked_at = body["id"], utc_now(), engine.dispatcher.lender.now
    if not isinstance(run, str):
        raise invalid("id", "id must be the id of the task to continue")

    def decide(found: Run) -> Run:
        after = changing.continued(found, agent, body, now)
        loans.check_left(found, engine.dispatcher.lender.register, asked_at)
        engine.uploads.checked(after.task["input"]["files"])
        return after

    task, replayed = await engine.store.continue_(run, decide, now, asked)
    if not replayed:
        engine.log.append(run, [task_event("task_updated", task)])
    return _accepted(engine, task, replayed=replayed)


def _accepted(engine: "Engine", task: dict[str, Any], *, replayed: bool) -> Response:
    if replayed:
        return JSONResponse(task, headers={"Idempotency-Replayed": "true"})
    engine.dispatcher.enqueue(task["agent_id"], task["id"])
    return JSONResponse(task)


def _asked(request: "Request", asked: Any) -> Asked | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    return Asked(key=key, body_hash=hashlib.sha256(_CANONICAL.encode(asked).encode()).hexdigest())


async def report_task(request: "Request") -> Response:
    """Record a task that was executed elsewhere; its `id` finds the record again."""
    engine = writable(request)
    agent = known_agent(engine, request.path_params["id"])
    body = await json_object(request)
    run = str(uuid.uuid4()) if body.get("id") is None else body["id"]
    if not isinstance(run, str) or _RUN_ID.fullmatch(run) is None:
        raise invalid("id", "an id has up to 128 letters, digits, `_` and `-`")
    now = utc_now()
    fresh = changing.created(run, agent, {"input": {}}, now)
    after, new = await engine.store.upsert(fresh, lambda found: changing.reported(found, agent, body, now))
    engine.dispatcher.lender.hear_of(after, told=True)
    engine.log.append(run, [task_event("task_created" if new else "task_updated", after.task)])
    return JSONResponse(after.task)


async def report_metrics(request: "Request") -> Response:
    """Record what a run has cost, where that is not known yet."""
    engine, agent = writable(request), request.path_params["id"]
    body = await json_object(request)
    run = body.get("execution_id")
    if not isinstance(run, str):
        raise invalid("execution_id", "execution_id must be the id of a task")

    def decide(found: Run) -> Run | None:
        if found.task["agent_id"] != agent:
            raise RefusalError(404, "Task not found")
        return changing.measured(found, body)

    after = await engine.store.change(run, decide)
    if after is not None:
        engine.log.append(run, [task_event("task_updated", after.task)])
    return JSONResponse({})
