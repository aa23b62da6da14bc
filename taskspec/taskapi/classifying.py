"""What an answer means: a payload, or one of the errors of `errors.py`. Retries nothing.

The remote's words are quoted, shortened; they are untrusted text for whoever prints them.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from taskspec.errors import (
    AuthenticationError,
    ConflictError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RefusedError,
    RemoteError,
)
from taskspec.taskapi.messages import Response

TIMEOUT, CONFLICT, RATE_LIMITED = 408, 409, 429
MAX_DETAIL = 500
_BILLING = re.compile(r"billing|payment|credit|subscription|upgrade|usage limit|plan limit|spending", re.IGNORECASE)


def payload(response: Response, asking: str) -> Any:
    """Return the JSON of a successful answer; raise the error that any other answer stands for.

    `asking` says what was asked for, as in "list the tasks of agent `x`".
    """
    require_success(response, asking)
    return decoded(response, asking)


def require_success(response: Response, asking: str) -> None:
    """Raise the error that an unsuccessful answer stands for."""
    if not is_success(response):
        raise refusal(response, asking)


def is_success(response: Response) -> bool:
    """Tell whether the remote says that it did what was asked."""
    return 200 <= response.status < 300


def is_transient(response: Response) -> bool:
    """Tell whether the same request may get a better answer later."""
    if response.status == RATE_LIMITED:
        return not is_billing(response)
    return response.status == TIMEOUT or response.status >= 500


def is_billing(response: Response) -> bool:
    """Tell whether a 429 speaks of money rather than of speed: the vendor answers both with it."""
    return _BILLING.search(detail(response)) is not None


def refusal(response: Response, asking: str) -> RemoteError:
    """Return the error that an unsuccessful answer stands for."""
    status, words = response.status, detail(response)
    text = f"The remote did not {asking}: it answered {status}{_quoted(words)}."
    kind: type[RemoteError] = RefusedError
    hint = ""
    match status:
        case 401 | 403:
            kind, hint = AuthenticationError, "Check the API key, its organization and its permissions."
        case 404:
            kind = NotFoundError
        case 409:
            kind = ConflictError
        case 400 | 413 | 415 | 422:
            kind = InvalidError
        case 429:
            return _rate_limited(response, text)
        case _ if 300 <= status < 400:
            hint = "Redirects are not followed, so that the key goes nowhere else: correct the remote's base URL."
        case _ if status == TIMEOUT or status >= 500 or status < 200:
            kind = OutcomeUnknownError
    return kind(text, hint=hint, status=status, detail=words)


def creation_refusal(response: Response, asking: str) -> RemoteError:
    """Return the error of an unsuccessful create, where a conflict too leaves the outcome unknown."""
    error = refusal(response, asking)
    if response.status != CONFLICT:
        return error
    return OutcomeUnknownError(error.message, status=error.status, detail=error.detail)


def decoded(response: Response, asking: str) -> Any:
    """Return the JSON of an answer; raise ProtocolError where it is not JSON."""
    kind = response.headers.get("content-type", "")
    if "json" not in kind.lower():
        shown = f"`{kind[:80]}`" if kind else "no content type"
        raise ProtocolError(
            f"The remote's answer to the request to {asking} is not JSON ({shown}).",
            hint="Check that the remote's base URL leads to the task API.",
        )
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"The remote's answer to the request to {asking} is broken JSON.") from error


def detail(response: Response) -> str:
    """Return the remote's own words on an error, in one line of at most 500 characters."""
    text = response.content[: 16 * MAX_DETAIL].decode(errors="replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = text
    if isinstance(body, Mapping):
        body = body.get("detail", body)
    if isinstance(body, list):
        body = "; ".join(_validation_line(entry) for entry in body)
    line = " ".join((body if isinstance(body, str) else json.dumps(body)).split())
    return line if len(line) <= MAX_DETAIL else line[: MAX_DETAIL - 1] + "…"


def requested_wait(response: Response) -> float | None:
    """Return the seconds that an answer asks to wait (`Retry-After` in both forms, or the rate limit's reset)."""
    stated = response.headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdigit():
        return float(stated)
    if stated:
        moment = _http_date(stated)
        return None if moment is None else max(0.0, moment - response.at)
    reset = response.headers.get("x-ratelimit-reset", "").strip()
    if response.status == RATE_LIMITED and reset.isascii() and reset.isdigit():
        return max(0.0, float(reset) - response.at)
    return None


def _rate_limited(response: Response, text: str) -> RateLimitedError:
    billing = is_billing(response)
    hint = "This is a billing limit: waiting does not help." if billing else "Wait, or lower the parallelism."
    error = RateLimitedError(text, status=response.status, detail=detail(response), hint=hint)
    error.billing = billing
    error.retry_after = requested_wait(response)
    return error


def _validation_line(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    place = entry.get("loc")
    path = ".".join(str(part) for part in place) if isinstance(place, list) else ""
    return f"{path}: {entry.get('msg', '')}" if path else str(entry.get("msg", entry))


def _quoted(text: str) -> str:
    return f" ({text})" if text else ""


def _http_date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
