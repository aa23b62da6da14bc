"""Aiming: words in which the commands that they name are meant for an environment. Knows no command line."""

import re
from typing import Final

from taskspec.settings import DEFAULT_ENVIRONMENT

_COMMAND: Final = re.compile(
    r"(`taskspec (?!(?:schema|init|fmt|completion)\b)(?:(?:tasks|agents) )?+[a-z][a-z-]*)(?=[ `])(?! --env )"
)
"""A command as sentences name it, up to its own words; those that know no environment are left out."""


def aimed(text: str, environment: str) -> str:
    """Return words in which the commands that they name are meant for an environment."""
    if environment == DEFAULT_ENVIRONMENT:
        return text
    return _COMMAND.sub(lambda found: f"{found[1]} --env {environment}", text)
