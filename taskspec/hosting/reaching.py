"""Reaching: settings → the platform that hosts the code, and its calls carried out. Decides nothing of them.

The token goes to the API of the platform alone: over TLS, or to this machine, and a redirect is not followed.
"""

import random
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from taskspec.ci import Platform
from taskspec.errors import OutcomeUnknownError, RemoteError, UnreachableError, UsageError
from taskspec.hosting.github import GitHub
from taskspec.hosting.gitlab import GitLab
from taskspec.settings import Settings
from taskspec.taskapi.drivers.asking import Server
from taskspec.taskapi.flow import Patience, advance, retrying
from taskspec.taskapi.messages import Call, Pause, Request, Response, T, is_sendable
from taskspec.taskapi.roots import LOOPBACK

if TYPE_CHECKING:
    from taskspec.hosting.model import Desk

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer: a hundred comments of a million characters have fewer, but for the oddest."""


class Reach:
    """The platform of a CI job: a desk, and the way to it."""

    def __init__(self, settings: Settings) -> None:
        """Raise UsageError where there is no token, or it would go where it must not."""
        origin, root = _origin(settings)
        token = settings.comment_token
        if not token or not is_sendable(token):
            raise UsageError(
                "There is no token to write comments with.",
                hint="Give the job GITHUB_TOKEN or TASKSPEC_COMMENT_TOKEN, or leave --comment out.",
            )
        is_github = settings.ci is not None and settings.ci.platform is Platform.GITHUB
        repository = settings.repository or ""
        self.desk: Desk = GitHub(root, repository) if is_github else GitLab(root, repository)
        accepted = "application/vnd.github+json" if is_github else "application/json"
        headers = {"accept": accepted, **_authority(token, is_github=is_github)}
        self._origin, self._headers, self._secrets = origin, headers, frozenset({token})

    def run(self, call: Call[T]) -> T:
        """Carry out a call and return its value; raises RemoteError."""
        server = Server(self._origin, headers=self._headers, secrets=self._secrets, max_response=LARGEST)
        told: Response | RemoteError | None = None
        patience = Patience(jitter=random.random, longest=20.0)
        with closing(server), closing(retrying(call, patience)) as steps:
            while True:
                try:
                    step = advance(steps, told)
                except StopIteration as end:
                    value: T = end.value
                    return value
                told = self._perform(server, step)

    def _perform(self, server: Server, step: Request | Pause) -> Response | RemoteError | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return server.ask(step)
        except UnreachableError as error:
            return UnreachableError(f"{self.desk.name} cannot be reached: {error.message}", hint=error.hint)
        except OutcomeUnknownError as error:
            return OutcomeUnknownError(f"{self.desk.name} gave no answer: {error.message}", hint=error.hint)


def can_comment(settings: Settings) -> bool:
    """Tell whether the job has a platform, and a token for its comments."""
    return bool(settings.comment_token and settings.hosting_api and settings.repository)


def _origin(settings: Settings) -> tuple[str, str]:
    """Return the origin of the API and its path; raise UsageError where a token must not go there."""
    api = settings.hosting_api or ""
    parts = urlsplit(api)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not settings.repository or not parts.hostname:
        raise UsageError("This is no job of GitHub or GitLab: there is no pull request to comment on.")
    if not is_safe or parts.username or parts.password:
        raise UsageError("The address of the platform's API is not one that a token may be sent to: it must be https.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}", parts.path.rstrip("/")


def _authority(token: str, *, is_github: bool) -> dict[str, str]:
    if is_github:
        return {"authorization": f"Bearer {token}", "x-github-api-version": "2022-11-28"}
    return {"private-token": token}
