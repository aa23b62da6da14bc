"""The endpoint of an object store, looked at before the library has it, which panics, or prints it. Asks nobody."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from taskspec.errors import StateError

_VARIABLES: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


def require_endpoints(place: str, settings: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Raise StateError for an endpoint that is no URL, or holds a password: of the place, or of the environment."""
    if "endpoint" in settings:
        _require("`endpoint`", settings["endpoint"], place)
    for name in _VARIABLES:
        if environ.get(name):
            _require(name, environ[name], place)


def _require(name: str, url: str, place: str) -> None:
    netloc = _netloc(url)
    if netloc is None:
        raise StateError(
            f"The endpoint of the state at {place}, in {name}, is no URL.",
            hint="It is https://HOST or https://HOST:PORT.",
        )
    if "@" in netloc:
        raise StateError(
            f"The endpoint of the state at {place}, in {name}, holds a user's name or a password, which would be "
            "shown wherever it is named.",
            hint="Credentials are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )


def _netloc(url: str) -> str | None:
    """Return who is named in a URL and where it leads; None where it is none."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts.netloc if is_url else None
