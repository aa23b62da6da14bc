"""What `pip` is told to install as taskspec in CI. Never its bare name: on PyPI that is another project's."""

import json
import re
from collections.abc import Iterable
from importlib import metadata
from typing import Any, Final
from urllib.parse import urlsplit

from taskspec.errors import UsageError

_PROJECT: Final = "taskspec"
EXAMPLE: Final = f"{_PROJECT} @ git+https://github.com/acme/taskspec@COMMIT"
"""What a requirement looks like."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


def required(text: str) -> str:
    """Return a requirement as it was given; UsageError for one that names no place, or could not be written down."""
    if "://" not in text:
        raise UsageError(
            f"`{text}` does not say where taskspec comes from: on PyPI its name belongs to another project.",
            hint=f"Name a URL: --install '{EXAMPLE}'.",
        )
    if not text.isprintable() or "$" in text or text.startswith("-"):
        raise UsageError(
            "What --install names must be one line, hold no `$`, and be no option of pip.",
            hint=f"Name a URL: --install '{EXAMPLE}'.",
        )
    return text


def installed_from() -> str | None:
    """Return what this installation says of where it comes from (PEP 610); None where it says nothing."""
    try:
        return metadata.distribution(_PROJECT).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None


def requirement_of(direct_url: str | None, extras: Iterable[str]) -> str | None:
    """Return a requirement for the very commit of an installation; None where others could not fetch it."""
    told = _read(direct_url)
    url, vcs = told.get("url"), told.get("vcs_info")
    if not isinstance(url, str) or not isinstance(vcs, dict) or not _is_open(url):
        return None
    commit = vcs.get("commit_id")
    if vcs.get("vcs") != "git" or not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        return None
    wanted = ",".join(extras)
    try:
        return required(f"{_PROJECT}{wanted and f'[{wanted}]'} @ git+{url}@{commit}")
    except UsageError:
        return None


def _read(direct_url: str | None) -> dict[str, Any]:
    try:
        told = json.loads(direct_url or "")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_open(url: str) -> bool:
    """Tell whether a URL leads to another machine, and holds no password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (parts.scheme == "https" and "@" not in parts.netloc) or (parts.scheme == "ssh" and not parts.password)
