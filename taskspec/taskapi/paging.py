"""Walking a list's pages to its end, whichever of the known ways the remote cuts it. Knows no records."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from taskspec.errors import ProtocolError
from taskspec.taskapi.classifying import payload
from taskspec.taskapi.links import next_target
from taskspec.taskapi.messages import Call, Request, Response, exchange

MAX_PAGES = 10_000


def all_rows(request: Request, asking: str) -> Call[list[Any]]:
    """Return the rows of all pages; raise ProtocolError rather than return a part of them."""
    rows: list[Any] = []
    seen = {request.query}
    for _ in range(MAX_PAGES):
        response = yield from exchange(request)
        body = payload(response, asking)
        rows += _rows(body, asking)
        query = _next_query(request, response, body, len(rows))
        if query is None:
            return rows
        if query in seen:
            raise ProtocolError(f"The remote's pages lead in a circle, asked to {asking}.")
        seen.add(query)
        request = replace(request, query=query)
    raise ProtocolError(f"The remote's list does not end within {MAX_PAGES} pages, asked to {asking}.")


def _rows(body: Any, asking: str) -> list[Any]:
    rows = body.get("items") if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise ProtocolError(
            f"The remote's answer to the request to {asking} is not a list.",
            hint="Check that the remote's base URL leads to the task API.",
        )
    return rows


def _next_query(request: Request, response: Response, body: Any, rows: int) -> tuple[tuple[str, str], ...] | None:
    """Return the query of the next page, or None after the last; `rows` is how many came until now."""
    target = next_target(response.headers.get("link", ""))
    if target is not None:
        return _linked_query(request, target)
    if not isinstance(body, Mapping):
        return None
    page = _number(body.get("page", 1))
    if not _goes_on(body, page, rows):
        return None
    if page is None:
        raise ProtocolError("The remote's list goes on, and does not say on which page it is.")
    kept = tuple((name, value) for name, value in request.query if name != "page")
    return (*kept, ("page", str(page + 1)))


def _goes_on(body: Mapping[str, Any], page: int | None, rows: int) -> bool:
    """Tell whether an envelope says that there is more after it."""
    if body.get("total_pages") is not None:
        last = _number(body["total_pages"])
        if last is None:
            raise ProtocolError("The remote's list does not say readably how many pages it has.")
        return last > 1 if page is None else page < last
    if isinstance(body.get("has_more"), bool):
        return bool(body["has_more"])
    total = _number(body.get("total"))
    return total is not None and rows < total and bool(body["items"])


def _number(value: Any) -> int | None:
    """Return a whole number, also one that was written as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _linked_query(request: Request, target: str) -> tuple[tuple[str, str], ...]:
    """Take nothing but the query from a link, so that neither the next request nor its key can go elsewhere."""
    url = urlsplit(target)
    if url.path and not url.path.endswith(request.path):
        raise ProtocolError("The remote's list goes on at another path than it began.")
    return tuple(parse_qsl(url.query, keep_blank_values=True))
