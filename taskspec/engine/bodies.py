"""Request bodies, within their limits. Knows nothing of what they ask for."""

import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from taskspec.engine.decoding import decoded
from taskspec.engine.model import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY_BYTES = 16_000_000


async def pieces(request: "Request", limit: int) -> AsyncIterator[bytes]:
    """Yield a body as it comes; refuse it as soon as it is longer than the limit."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_long(limit)
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise _too_long(limit)
        yield piece


async def json_body(request: "Request") -> Any:
    """Return the JSON value of a body, or refuse it."""
    body = b"".join([piece async for piece in pieces(request, MAX_BODY_BYTES)])
    try:
        return decoded(body)
    except UnicodeError as error:
        raise RefusalError(422, "the body cannot be read as JSON: it is not in UTF-8") from error
    except json.JSONDecodeError as error:
        raise RefusalError(422, f"the body cannot be read as JSON: {error.msg} at character {error.pos}") from error
    except ValueError as error:
        raise RefusalError(422, f"the body cannot be read as JSON: {error}") from error


async def json_object(request: "Request") -> dict[str, Any]:
    """Return the JSON object of a body, or refuse it."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise RefusalError(422, "the body must be a JSON object")
    return body


def _too_long(limit: int) -> RefusalError:
    return RefusalError(413, f"the body is longer than {limit // 1_000_000} MB")
