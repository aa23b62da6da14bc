"""The names of a project's file, and where one stands that was not named. Reads none."""

import os
from pathlib import Path
from shlex import quote
from typing import Final

PROJECT_FILES: Final = ("taskspec.yaml", "taskspec.yml")


def hint_above(folder: Path | str) -> str:
    """Return how the project above a folder is named; the empty text where there is none."""
    for above in Path(folder).parents:
        if any((above / name).is_file() for name in PROJECT_FILES):
            return f"The project is in `{os.path.relpath(above)}`: name it with `-C {quote(os.path.relpath(above))}`."
    return ""
