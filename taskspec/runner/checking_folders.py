"""What a doctor checks of a folder: whether this user could write in it. Writes nothing there."""

import os
from collections.abc import Iterable
from pathlib import Path


def unwritable(folder: Path, files: Iterable[Path] = ()) -> str | None:
    """Return why nothing could be written in a folder, nor in those files of it; a folder that is not there is made."""
    place = next((above for above in (folder, *folder.parents) if os.path.lexists(above)), folder)
    if not os.path.isdir(place):  # noqa: PTH112  # unlike Path.is_dir it takes what it may not look at for none
        return f"{place} is no folder"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"{place} cannot be written by this user"
    locked = next((file for file in files if os.path.lexists(file) and not os.access(file, os.W_OK)), None)
    return f"{locked} cannot be written by this user" if locked is not None else None
