"""Aiming: the commands that a command names are meant for the environment that `--env` gave it. Writes to no stream."""

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Final

from taskspec.settings import DEFAULT_ENVIRONMENT

given_environment: Final[ContextVar[str | None]] = ContextVar("given_environment", default=None)
"""What `--env` says on the command line; None where it is not there, so that another command has the same one too."""


def meant(text: str) -> str:
    """Return words whose commands can be taken over as they are."""
    from taskspec.report.aiming import aimed

    return aimed(text, given_environment.get() or DEFAULT_ENVIRONMENT)


def all_meant(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines whose commands can be taken over as they are."""
    return map(meant, lines)
