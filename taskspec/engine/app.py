"""The engine's ASGI application: the gate that every request passes, and the table of routes. Answers none itself."""

import hmac
import ipaddress
import logging
import re
import sqlite3
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Match, Route, Router

from taskspec.engine import creating, extensions, routes, worker_routes
from taskspec.engine.model import RefusalError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from taskspec.engine.assembly import Engine

CAPABILITIES = "idempotency-key, uploads, pages"
_TASKS = "/agent-execution"
_GREETING = "/engine"
_TABLE: tuple[tuple[str, str, "Callable[..., Awaitable[Any]]"], ...] = (
    ("GET", _TASKS + "/executions/history/user/{id}", routes.list_user_tasks),
    ("GET", _TASKS + "/executions/history/{id}", routes.list_agent_tasks),
    ("GET", _TASKS + "/{id}/status", routes.show_task),
    ("PATCH", _TASKS + "/{id}/update", routes.patch_task),
    ("GET", _TASKS + "/{id}/events", routes.stream_events),
    ("POST", _TASKS + "/{id}/events/push", routes.push_events),
    ("POST", _TASKS + "/{id}/report_task", creating.report_task),
    ("POST", _TASKS + "/{id}", creating.create_task),
    ("DELETE", _TASKS + "/{id}", routes.stop_task),
    ("POST", "/agents-metrics/{id}/execution", creating.report_metrics),
    ("GET", "/activity/{id}/{task}", routes.show_activity),
    ("GET", "/agents/list", routes.list_agents),
    ("GET", "/agents/{id}", routes.show_agent),
    ("GET", "/events/{id}", worker_routes.register_worker),
    ("GET", "/events/{id}/", worker_routes.register_worker),
    ("POST", "/events/{id}", worker_routes.hear_worker),
    ("POST", "/metadata/api_key_allowance", worker_routes.show_allowance),
    ("GET", _GREETING, extensions.greet),
    ("PUT", "/files/{digest}", extensions.put_file),
    ("HEAD", "/files/{digest}", extensions.has_file),
)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SLASHES = re.compile("/{2,}")
_HOST = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?")
_NO_SUCH_METHOD = 405
_NONE: "Mapping[str, str]" = {}
_HTTP_PORT = 80
"""Which port is meant where a client names none."""
_logger = logging.getLogger("taskspec.engine")


class Gate:
    """Lets in who has the key and comes straight; says on every answer which engine it is."""

    def __init__(self, engine: "Engine", port: int) -> None:
        self._engine = engine
        self._key = engine.api_key.encode()
        self._host = engine.config.host
        self._port = port
        self._table = [_route(prefix, *row) for prefix in ("", "/{org}") for row in _TABLE]
        self._router = Router(self._table, redirect_slashes=False, default=_not_found)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request."""
        assert scope["type"] == "http"
        headers = Headers(scope=scope)
        answering = _Answering(send, self._marks(headers))
        try:
            self._let_in(headers)
            path = _SLASHES.sub("/", scope["path"])
            self._check_health(path)
            inner = {**scope, "app": self, "engine": self._engine, "path": path, "root_path": ""}
            await self._router(inner, receive, answering)
        except RefusalError as refusal:
            await answering.refuse(scope, receive, refusal.status, refusal.detail)
        except HTTPException as refusal:
            allowed = {"Allow": self._methods(scope)} if refusal.status_code == _NO_SUCH_METHOD else {}
            await answering.refuse(scope, receive, refusal.status_code, refusal.detail, allowed)
        except ClientDisconnect:
            return
        except sqlite3.Error as error:
            _logger.warning("%s %s failed: the database: %s", scope["method"], scope["path"], error)
            await answering.refuse(scope, receive, 500, f"the engine's database failed: {error}")
        except Exception:
            _logger.exception("%s %s failed; please report this", scope["method"], scope["path"])
            await answering.refuse(scope, receive, 500, "the engine failed; engine.log in its folder says why")

    def _check_health(self, path: str) -> None:
        failure = self._engine.dispatcher.failure
        if failure is not None and path != _GREETING:
            raise RefusalError(500, failure)

    def _methods(self, scope: "Scope") -> str:
        """Return the methods that are served at a path."""
        inner = {**scope, "path": _SLASHES.sub("/", scope["path"]), "root_path": ""}
        found = [route for route in self._table if route.matches(inner)[0] is not Match.NONE]
        return ", ".join(sorted({method for route in found for method in route.methods or ()}))

    def _marks(self, headers: Headers) -> dict[str, str]:
        marks = {"Taskspec-Engine": self._engine.instance, "Taskspec-Capabilities": CAPABILITIES}
        key = headers.get("idempotency-key")
        return {**marks, "Idempotency-Key": key} if key is not None and _KEY.fullmatch(key) else marks

    def _let_in(self, headers: Headers) -> None:
        if len(headers.getlist("host")) > 1:
            raise RefusalError(400, "a request has one Host header")
        if not is_own_host(headers.get("host", ""), self._host, self._port):
            raise RefusalError(403, "this Host header does not name the engine")
        if "origin" in headers:
            raise RefusalError(403, "requests of web pages are refused")
        if not hmac.compare_digest(headers.get("x-api-key", "").encode(), self._key):
            raise RefusalError(401, "Invalid or missing API key")
        if "idempotency-key" in headers and not _KEY.fullmatch(headers["idempotency-key"]):
            raise RefusalError(422, "an Idempotency-Key has 1 to 255 visible ASCII characters")


class _Answering:
    """Sends an answer with the engine's marks, and a refusal only where nothing was sent yet."""

    def __init__(self, send: "Send", marks: dict[str, str]) -> None:
        self._send = send
        self._marks = marks
        self._begun = False

    async def __call__(self, message: "Message") -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            MutableHeaders(scope=message).update(self._marks)
        await self._send(message)

    async def refuse(
        self, scope: "Scope", receive: "Receive", status: int, detail: Any, headers: "Mapping[str, str]" = _NONE
    ) -> None:
        """Answer with a refusal in the API's own form."""
        if not self._begun:
            await JSONResponse({"detail": detail}, status_code=status, headers=headers)(scope, receive, self)


def is_own_host(header: str, host: str, port: int) -> bool:
    """Tell whether a Host header names the engine at `host`; names that anybody's DNS may point here do not."""
    found = _HOST.fullmatch(header)
    if found is None or (found[2] or str(_HTTP_PORT)) != str(port):
        return False
    name = found[1].strip("[]").lower()
    if name in {"127.0.0.1", "localhost", "::1", host.lower()}:
        return True
    return host in {"0.0.0.0", "::"} and _is_address(name)  # noqa: S104 - compared, not bound


def _route(prefix: str, method: str, path: str, endpoint: "Callable[..., Awaitable[Any]]") -> Route:
    route = Route(prefix + path, endpoint)
    route.methods = {method}  # exactly: where GET is served, HEAD would begin a stream, or register a worker
    return route


async def _not_found(scope: "Scope", _receive: "Receive", _send: "Send") -> None:
    raise RefusalError(404, f"no such call: {scope['method']} {scope['path']}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
