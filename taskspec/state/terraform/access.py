"""How a server of Terraform's HTTP protocol is reached: a URL and the environment → a value. Asks nobody.

The environment speaks as to Terraform (`TF_HTTP_…`), and as in a job of GitLab (`CI_JOB_TOKEN`). A variable that is
meant for another state than ours counts for nothing.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from taskspec.documents.places import place_of, secret_in, shown
from taskspec.errors import StateError

_COUNTING: Final = re.compile(r".*/api/(?:v4/projects|packages)/[^/]+/terraform/state/[^/]+")
"""Paths of GitLab and Gitea, which take each serial once."""
_METHOD: Final = re.compile(r"[A-Z]+")
_RETRIES: Final = {"TF_HTTP_RETRY_MAX": 2, "TF_HTTP_RETRY_WAIT_MIN": 1, "TF_HTTP_RETRY_WAIT_MAX": 30}
_JOB_USER: Final = "gitlab-ci-token"
_NO_USER: Final = "taskspec"
"""Whoever gives a token alone: servers that take tokens look at no name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One address and the method that it is asked with. `path` has the query too."""

    method: str
    origin: str
    path: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """How often a question that may be repeated is, and after how many seconds each time."""

    most: int
    shortest: float
    longest: float

    def pause(self, attempt: int) -> float:
        """Return the seconds before the next attempt; the first is 0."""
        return float(min(self.longest, self.shortest * 2**attempt))


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How a state is reached."""

    place: str
    """As it may be printed."""
    read: Target
    write: Target
    lock: Target
    unlock: Target
    headers: Mapping[str, str] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    retries: Retries
    counts_serials: bool
    """The server is known to refuse a serial that it has already."""
    names_user: bool
    """It is told who asks."""


def access_to(url: str, environ: Mapping[str, str]) -> Access:
    """Return how the state at a URL is reached; raise StateError for what cannot be right."""
    parts = urlsplit(url)
    origin, path = _origin(parts), _path(parts)
    if (secret := secret_in(origin + path)) is not None:
        raise StateError(
            f"The place of the state, {shown(url)}, holds {secret} in its query, which servers write into their logs.",
            hint="Give it in TF_HTTP_PASSWORD, with TF_HTTP_USERNAME.",
        )
    ours = environ if _is_ours(origin, path, environ.get("TF_HTTP_ADDRESS")) else {}
    lock = ours.get("TF_HTTP_LOCK_ADDRESS")
    unlock = ours.get("TF_HTTP_UNLOCK_ADDRESS") or lock
    methods = ("LOCK", "UNLOCK") if lock else ("POST", "DELETE")
    beside = _joined(parts.path.rstrip("/") + "/lock", parts.query)
    user, password = _credentials(parts, origin, environ)
    basic = b64encode(f"{user}:{password}".encode()).decode()
    return Access(
        place=shown(url),
        read=Target(method="GET", origin=origin, path=path),
        write=Target(method=_method(ours, "TF_HTTP_UPDATE_METHOD", "POST"), origin=origin, path=path),
        lock=_target(lock, origin, beside, _method(ours, "TF_HTTP_LOCK_METHOD", methods[0]), "TF_HTTP_LOCK_ADDRESS"),
        unlock=_target(
            unlock, origin, beside, _method(ours, "TF_HTTP_UNLOCK_METHOD", methods[1]), "TF_HTTP_UNLOCK_ADDRESS"
        ),
        headers={"authorization": f"Basic {basic}"} if password else {},
        secrets=frozenset({password, basic} if password else ()),
        retries=_retries(ours),
        counts_serials=_COUNTING.fullmatch(parts.path) is not None,
        names_user=bool(password),
    )


def _credentials(parts: SplitResult, origin: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return a user and a password: of the URL, of Terraform's variables, of the job of GitLab; empty without any."""
    if parts.password or parts.username:
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return (user, password) if password else (_NO_USER, user)
    meant_for = environ.get("TF_HTTP_ADDRESS")
    if environ.get("TF_HTTP_PASSWORD") and (not meant_for or _origin_of(meant_for) == origin):
        return environ.get("TF_HTTP_USERNAME") or _NO_USER, environ["TF_HTTP_PASSWORD"]
    homes = {_origin_of(environ[name]) for name in ("CI_API_V4_URL", "CI_SERVER_URL") if environ.get(name)}
    if environ.get("CI_JOB_TOKEN") and origin in homes:
        return _JOB_USER, environ["CI_JOB_TOKEN"]
    return "", ""


def _is_ours(origin: str, path: str, address: str | None) -> bool:
    """Tell whether Terraform's variables are meant for this state: an address that they name says so."""
    if not address:
        return True
    try:
        parts = urlsplit(address)
        return (_origin(parts), _path(parts)) == (origin, path)
    except ValueError:
        return False


def _target(address: str | None, origin: str, path: str, method: str, name: str) -> Target:
    if not address:
        return Target(method=method, origin=origin, path=path)
    try:
        place_of(address)
        parts = urlsplit(address)
        return Target(method=method, origin=_origin(parts), path=_path(parts))
    except ValueError as error:
        raise StateError(
            f"The address of the state's lock, {shown(address)} (of {name}), {error}.",
            hint=f"Correct {name}, or remove it: without it, the lock of GitLab and Gitea is used.",
        ) from None


def _method(environ: Mapping[str, str], name: str, otherwise: str) -> str:
    method = environ.get(name) or otherwise
    if not _METHOD.fullmatch(method):
        raise StateError(f"The environment variable {name} names no method of HTTP.", hint="Use POST, PUT, LOCK, …")
    return method


def _retries(environ: Mapping[str, str]) -> Retries:
    numbers = []
    for name, otherwise in _RETRIES.items():
        text = environ.get(name) or str(otherwise)
        if not text.isascii() or not text.isdigit() or len(text) > 4:
            raise StateError(f"The environment variable {name} is no number.", hint="Give it as a whole number.")
        numbers.append(int(text))
    return Retries(most=numbers[0], shortest=numbers[1], longest=numbers[2])


def _origin(parts: SplitResult) -> str:
    """Return scheme, host and port; the port that a scheme has anyway is left out."""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")


def _origin_of(url: str) -> str | None:
    try:
        return _origin(urlsplit(url))
    except ValueError:
        return None


def _path(parts: SplitResult) -> str:
    return _joined(parts.path or "/", parts.query)


def _joined(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path
