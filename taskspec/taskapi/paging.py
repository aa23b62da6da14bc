"""Walking a list's pages to its end, whichever of the known ways the remote cuts it. Knows no records."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from taskspec.errors import UnansweredError
from taskspec.taskapi.classifying import payload
from taskspec.taskapi.messages import Call, Request, Response, exchange

MAX_PAGES = 10_000
_NEXT = re.compile(r"<([^>]*)>\s*(?:;[^,<]*)?;\s*rel=\"?next\"?", re.IGNORECASE)


def all_rows(request: Request, asking: str) -> Call[list[Any]]:
    """Return the rows of all pages; raise UnansweredError rather than return a part of them."""
    rows: list[Any] = []
    seen = {request.query}
    for _ in range(MAX_PAGES):
        response = yield from exchange(request)
        body = payload(response, asking)
        rows += _rows(body, asking)
        query = _next_query(request, response, body)
        if query is None:
            return rows
        if query in seen:
            raise UnansweredError(f"The remote's pages lead in a circle, asked to {asking}.")
        seen.add(query)
        request = replace(request, query=query)
    raise UnansweredError(f"The remote's list does not end within {MAX_PAGES} pages, asked to {asking}.")


def _rows(body: Any, asking: str) -> list[Any]:
    rows = body.get("items") if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        raise UnansweredError(
            f"The remote's answer to the request to {asking} is not a list.",
            hint="Check that the remote's base URL leads to the task API.",
        )
    return rows


def _next_query(request: Request, response: Response, body: Any) -> tuple[tuple[str, str], ...] | None:
    link = _NEXT.search(response.headers.get("link", ""))
    if link:
        return _linked_query(request, link[1])
    if not isinstance(body, Mapping):
        return None
    page, last = body.get("page", 1), body.get("total_pages")
    if not isinstance(page, int) or not isinstance(last, int) or page >= last:
        return None
    kept = tuple((name, value) for name, value in request.query if name != "page")
    return (*kept, ("page", str(page + 1)))


def _linked_query(request: Request, target: str) -> tuple[tuple[str, str], ...]:
    """Take nothing but the query from a link, so that neither the next request nor its key can go elsewhere."""
    url = urlsplit(target)
    if url.path and not url.path.endswith(request.path):
        raise UnansweredError("The remote's list goes on at another path than it began.")
    return tuple(parse_qsl(url.query, keep_blank_values=True))
