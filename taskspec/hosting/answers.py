"""What the answers of a platform mean: a document, or why there is none. Repeats nothing."""

import json
from collections.abc import Mapping
from typing import Any, Final

from taskspec.errors import AuthenticationError, NotFoundError, ProtocolError, RefusedError, RemoteError
from taskspec.taskapi.classifying import detail
from taskspec.taskapi.messages import Call, Request, Response, exchange

_DENIED: Final = frozenset({401, 403})
_GONE: Final = frozenset({404, 410})


def is_done(response: Response) -> bool:
    """Tell whether the platform did what was asked."""
    return 200 <= response.status < 300


def is_gone(response: Response) -> bool:
    """Tell whether what was asked for is not there, or not for us."""
    return response.status in _GONE


def is_denied(response: Response) -> bool:
    """Tell whether the token may not do what was asked."""
    return response.status in _DENIED


def refused(response: Response, platform: str, what: str) -> RemoteError:
    """Return the error of an answer that is no success; `what` was to be done, as in "list the comments"."""
    words = detail(response)
    text = f"{platform} did not {what}: it answered {response.status}{f' ({words})' if words else ''}."
    if is_denied(response):
        hint = "The token of a pull request from a fork may only read; else give the job the right to write them."
        return AuthenticationError(text, hint=hint, status=response.status)
    if is_gone(response):
        return NotFoundError(text, hint="Check the repository, and what the token may see.", status=response.status)
    return RefusedError(text, status=response.status)


def document_of(response: Response, platform: str, what: str) -> Any:
    """Return the JSON of a success; raise RemoteError for all else."""
    if not is_done(response):
        raise refused(response, platform, what)
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{platform} did not {what}: its answer is no JSON.") from error


def items_of(response: Response, platform: str, what: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list; raise RemoteError for all else."""
    found = document_of(response, platform, what)
    if not isinstance(found, list):
        raise ProtocolError(f"{platform} did not {what}: its answer is no list.")
    return [item for item in found if isinstance(item, Mapping)]


def pages(request: Request, platform: str, what: str, *, size: int, most: int = 50) -> Call[list[Mapping[str, Any]]]:
    """Read a list page by page, to its end or to the last page that is looked at."""
    found: list[Mapping[str, Any]] = []
    for page in range(1, most + 1):
        query = (*request.query, ("per_page", str(size)), ("page", str(page)))
        one = Request(method="GET", path=request.path, query=query, headers=request.headers, repeatable=True)
        items = items_of((yield from exchange(one)), platform, what)
        found += items
        if len(items) < size:
            break
    return found


def text_at(value: Any, *steps: str) -> str:
    """Return the text at a path of an answer; the empty text where there is none."""
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def number_at(value: Any, step: str) -> int:
    """Return the number at a key of an answer; raise ProtocolError where there is none."""
    found = value.get(step) if isinstance(value, Mapping) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise ProtocolError(f"An answer of the platform has no `{step}`.")
    return found
