"""Who holds a data folder: the lock, the endpoint file, and the question to a live engine. Starts and ends none."""

import http.client
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from taskspec.state import locking

_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where a live engine listens, as its endpoint file says."""

    pid: int
    started: float | None
    url: str
    api_key: str = field(repr=False)
    instance: str
    agents_digest: str
    mode: str


class FolderLock:
    """The exclusive lock on a data folder, kept as long as the process holds the object open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def attempt(cls, folder: Path) -> Self | None:
        """Take the lock, or return None where somebody holds it."""
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        if locking.is_taken(_lock_path(folder)):  # taking is patient; whoever is to be joined is not waited for
            return None
        descriptor = locking.take(_lock_path(folder))
        return None if descriptor is None else cls(descriptor)

    def release(self) -> None:
        """Let others take the lock."""
        locking.drop(self._descriptor)


def publish(folder: Path, endpoint: Endpoint) -> None:
    """Write the endpoint file, for the owner's eyes only, in one step."""
    incoming = folder / "endpoint.json.new"
    incoming.unlink(missing_ok=True)
    descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(endpoint), file)
    incoming.replace(_endpoint_path(folder))


def withdraw(folder: Path) -> None:
    """Remove the endpoint file."""
    _endpoint_path(folder).unlink(missing_ok=True)


def published(folder: Path) -> Endpoint | None:
    """Return what the endpoint file says, or None where nobody holds the folder or no such file can be read.

    Where nobody holds the folder the file is a dead engine's, and a stranger may listen there: the key stays here.
    """
    try:
        if not locking.is_taken(_lock_path(folder)):
            return None
        return Endpoint(**json.loads(_endpoint_path(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def greeting(endpoint: Endpoint) -> Mapping[str, Any] | None:
    """Ask an engine who it is; None where nobody answers, or somebody else does."""
    parts = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/engine", headers={"x-api-key": endpoint.api_key})
        answer = connection.getresponse()
        found = json.loads(answer.read()) if answer.status == http.client.OK else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if not isinstance(found, dict) or (found.get("pid"), found.get("instance")) != (endpoint.pid, endpoint.instance):
        return None
    return found


def _lock_path(folder: Path) -> Path:
    return folder / "lock"


def _endpoint_path(folder: Path) -> Path:
    return folder / "endpoint.json"
