"""The places that can keep a state, as `spec.state` names them: text → value, or what is wrong with it. Opens none."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

LOCAL_PLACE: Final = "local"
_MASK: Final = "***"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""The names of this machine, to which nobody is on the way."""
_NAME: Final = "name="
"""The one parameter that belongs to taskspec, and to no server: under which name the state is kept."""
_SECRETS: Final = ("password", "secret", "token", "credential", "signature", "apikey", "api_key", "api-key")
_HOST: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:\d*)?")
"""A host of PostgreSQL's, of which there may be several, with its port."""
_USER: Final = re.compile(r"(?<=://)[^/?#@\s]+@")
"""Who is named in a URL that stands in another one, with the password."""


class PlaceKind(StrEnum):
    """The kinds of stores."""

    LOCAL = "local"
    POSTGRES = "postgresql"
    OBJECTS = "s3"
    HTTP = "https"


_KINDS: Final = {
    "postgresql": PlaceKind.POSTGRES,
    "postgres": PlaceKind.POSTGRES,
    "s3": PlaceKind.OBJECTS,
    "https": PlaceKind.HTTP,
    "http": PlaceKind.HTTP,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a state is kept. `url` is as it was given, without what belongs to taskspec; it may hold a password."""

    kind: PlaceKind
    url: str = LOCAL_PLACE
    name: str | None = None
    """The name under which the state is kept (`?name=…`, or `#…` of an address that is one state alone); None: the name
    of the project."""

    @property
    def text(self) -> str:
        """Return it as a manifest names it; it may hold a password."""
        if self.name is None:
            return self.url
        if self.kind is PlaceKind.HTTP:
            return f"{self.url}#{quote(self.name, safe='')}"
        return f"{self.url}{'&' if '?' in self.url else '?'}{_NAME}{quote(self.name, safe='')}"

    def __repr__(self) -> str:
        return f"Place({shown(self.url)})"


def place_of(text: str) -> Place:
    """Return the place that a text names; raise ValueError, with a predicate of it, for one that names none."""
    if text == LOCAL_PLACE:
        return Place(kind=PlaceKind.LOCAL)
    parts = _parts(text)
    if parts is None:
        raise ValueError(
            "is no URL that can be understood: write `/`, `?`, `#`, `@` in a password as %2F, %3F, %23, %40"
        )
    kind, host = _KINDS.get(parts.scheme), parts.hostname
    if kind is None or not text.startswith(f"{parts.scheme}://"):
        raise ValueError("must be `local`, or begin with postgresql://, s3:// or https://")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("must not hold a blank or an invisible character")
    if kind is not PlaceKind.POSTGRES and not host:
        raise ValueError("must name a bucket" if kind is PlaceKind.OBJECTS else "must name a host")
    if kind is PlaceKind.OBJECTS and "@" in parts.netloc:
        raise ValueError("must hold no key of S3: that comes from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("must begin with https://: over http:// everybody on the way can read it")
    if kind is PlaceKind.HTTP:
        url, mark, name = text.partition("#")
        if mark and not name:
            raise ValueError("must name a project after the `#`")
        return Place(kind=kind, url=url, name=unquote(name) or None)
    pairs = [pair for pair in parts.query.split("&") if pair]
    names = [unquote(pair.removeprefix(_NAME)) for pair in pairs if pair.startswith(_NAME)]
    if len(names) > 1 or "" in names:
        raise ValueError("must give `name` once, with a value")
    query = "&".join(pair for pair in pairs if not pair.startswith(_NAME))
    return Place(kind=kind, url=_joined(parts, parts.netloc, query), name=names[0] if names else None)


def secret_in(text: str) -> str | None:
    """Return what of a place is a secret, in words: it does not belong in a file; None where nothing is."""
    parts = _parts(text)
    if parts is None:
        return "a password" if "@" in text else None
    user, at, _ = parts.netloc.rpartition("@")
    if at and ":" in user:
        return "a password"
    if at and _KINDS.get(parts.scheme) is not PlaceKind.POSTGRES:
        return "a user's name or token"
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if _is_secret(key):
            return f"the secret `{key}`"
        if _USER.search(value):
            return f"a user's name or password in `{key}`"
    return None


def shown(text: str) -> str:
    """Return a place as it may be printed: without a password, and without parameters that are secrets."""
    parts = _parts(text)
    if parts is None or (not parts.netloc and "@" in text):
        return _shown_in_part(text)
    user, at, host = parts.netloc.rpartition("@")
    if at and _KINDS.get(parts.scheme) is PlaceKind.POSTGRES:
        name, colon, _ = user.partition(":")
        host = f"{unquote(name)}{colon and f':{_MASK}'}@{host}"
    elif at:
        host = f"{_MASK}@{host}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(f"{key}={_MASK if _is_secret(key) else _USER.sub(f'{_MASK}@', value)}" for key, value in pairs)
    return _joined(parts, host, query) if parts.scheme else text


def _parts(text: str) -> SplitResult | None:
    """Return the parts of a URL; None where it is none, as where a password was not written in percent signs.

    What seems to be the host then is a part of the password: no library may be given it, which would print it.
    """
    try:
        parts = urlsplit(text)
        user, _, hosts = parts.netloc.rpartition("@")
        if _KINDS.get(parts.scheme) is not PlaceKind.POSTGRES:
            return parts if parts.port != 0 else None
    except ValueError:
        return None
    is_whole = "@" not in user + parts.path and all(_HOST.fullmatch(one) for one in hosts.split(","))
    return parts if is_whole else None


def _shown_in_part(text: str) -> str:
    """Return what may be printed of what is no URL: what comes after all that may be a password."""
    scheme, mark, rest = text.partition("://")
    _, at, tail = rest.rpartition("@")
    found = _parts(f"{scheme}://{tail}") if mark and at else None
    if found is None or not found.netloc:
        return _MASK
    return f"{scheme}://{_MASK}@{shown(f'{scheme}://{tail}').removeprefix(f'{scheme}://')}"


def _joined(parts: SplitResult, host: str, query: str) -> str:
    """Put a URL together again; the library's own way drops the slashes before an empty host."""
    return f"{parts.scheme}://{host}{parts.path}{query and f'?{query}'}"


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRETS)
