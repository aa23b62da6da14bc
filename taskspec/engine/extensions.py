"""The calls that only the embedded engine answers: the handshake, and files by content. Touches no run."""

import os
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from taskspec.engine.bodies import pieces
from taskspec.engine.model import CLOSING
from taskspec.engine.routes import engine_of, writable
from taskspec.engine.uploads import MAX_UPLOAD_BYTES

if TYPE_CHECKING:
    from starlette.requests import Request


async def greet(request: "Request") -> Response:
    """Say who this engine is, so that a command knows whether to join it."""
    engine = engine_of(request)
    return JSONResponse(
        {
            "instance": engine.instance,
            "pid": os.getpid(),
            "mode": CLOSING if engine.dispatcher.closing else engine.mode.value,
            "agents_digest": engine.agents_digest,
            "active": await engine.dispatcher.active(),
        }
    )


async def put_file(request: "Request") -> Response:
    """Keep a file under its digest."""
    digest = request.path_params["digest"]
    size, new = await writable(request).uploads.receive(digest, pieces(request, MAX_UPLOAD_BYTES))
    return JSONResponse({"sha256": digest, "size": size}, status_code=201 if new else 200)


async def has_file(request: "Request") -> Response:
    """Tell by the status whether a file is here."""
    found = engine_of(request).uploads.has(request.path_params["digest"])
    return Response(status_code=200 if found else 404, media_type="application/json")
