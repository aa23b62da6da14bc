"""The calls of workers: register and get runs, give signs of life, ask what a key may do. Decides nothing itself."""

import hmac
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response, StreamingResponse

from taskspec.engine.bodies import json_object
from taskspec.engine.model import Mode, RefusalError
from taskspec.engine.routes import known_agent, writable

if TYPE_CHECKING:
    from starlette.requests import Request

    from taskspec.engine.assembly import Engine


async def register_worker(request: "Request") -> Response:
    """Register a worker for an agent, and stream the runs that it gets."""
    engine = _lending(request)
    agent = known_agent(engine, request.path_params["id"])
    stream = engine.dispatcher.lender.serve(agent)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def hear_worker(request: "Request") -> Response:
    """Take a notice of a worker: a heartbeat, whether it takes more runs, or its end."""
    lender, worker = _lending(request).dispatcher.lender, request.path_params["id"]
    body = await json_object(request)
    match body.get("event"):
        case "worker-finished":
            lender.farewell(worker)
        case "worker-capacity-update":
            content = body.get("data")
            lender.hear(worker, busy=bool(content.get("is_busy")) if isinstance(content, dict) else None)
        case _:
            lender.hear(worker)
    return JSONResponse({})


async def show_allowance(request: "Request") -> Response:
    """Tell for which agents a key is good: all of the project, or none."""
    engine = writable(request)
    key = (await json_object(request)).get("api_key")
    if not isinstance(key, str) or not hmac.compare_digest(key.encode(), engine.api_key.encode()):
        return JSONResponse({"agent_ids": []})
    return JSONResponse({"agent_ids": sorted(engine.config.agents)})


def _lending(request: "Request") -> "Engine":
    engine = writable(request)
    if engine.mode is not Mode.DISPATCH or engine.dispatcher.closing:
        raise RefusalError(409, "this engine starts no runs; workers are served by `taskspec serve`")
    return engine
