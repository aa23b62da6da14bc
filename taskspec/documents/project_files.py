"""The names of a project's file, and where one stands that was not named. Reads none."""

import os
from pathlib import Path
from shlex import quote
from typing import Final

PROJECT_FILES: Final = ("taskspec.yaml", "taskspec.yml")
_CLOSED: Final = frozenset({".git", ".taskspec"})
"""What git keeps may be a token of the one who cloned, and what taskspec keeps may be an answer with a secret."""


def is_closed(path: str) -> bool:
    """Tell whether a path leads into a folder that no document reads: what stands there was not written by people."""
    return not _CLOSED.isdisjoint(part.lower() for part in path.split("/"))


def is_within(file: Path, folder: Path) -> bool:
    """Tell whether a file or folder that may be a link is one of a folder's own, and no closed one."""
    real, above = Path(os.path.realpath(file)), os.path.realpath(folder)
    return real.is_relative_to(above) and not is_closed(str(real.relative_to(above)))


def hint_above(folder: Path | str) -> str:
    """Return how the project above a folder is named; the empty text where there is none."""
    for above in Path(folder).parents:
        if any((above / name).is_file() for name in PROJECT_FILES):
            return f"The project is in `{os.path.relpath(above)}`: name it with `-C {quote(os.path.relpath(above))}`."
    return ""
