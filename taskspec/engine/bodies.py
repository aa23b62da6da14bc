"""Request bodies, within their limits. Knows nothing of what they ask for."""

import json
import math
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

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
        value = _DECODER.decode(body.decode("utf-8-sig"))
        if b"\\ud" in body or b"\\uD" in body:  # only these spell half a character, which no answer could hold
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusalError(422, "the body is not valid JSON") from error
    return value


async def json_object(request: "Request") -> dict[str, Any]:
    """Return the JSON object of a body, or refuse it."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise RefusalError(422, "the body must be a JSON object")
    return body


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _too_long(limit: int) -> RefusalError:
    return RefusalError(413, f"the body is longer than {limit // 1_000_000} MB")
