"""The ending of a run that the database would not take, kept beside the run's events. Decides nothing."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from taskspec.engine.changing import Ending
from taskspec.engine.model import ENDED, Status
from taskspec.engine.wire import accepted_tokens
from taskspec.state.folders import make_folder, write_file


def keep(folder: Path, ending: Ending) -> None:
    """Keep the ending of the run of this folder, durably."""
    make_folder(folder)
    write_file(_path(folder), json.dumps(asdict(ending)).encode())


def kept(folder: Path) -> Ending | None:
    """Return the ending that is kept, or None where there is none that can be read."""
    try:
        found: Any = json.loads(_path(folder).read_bytes())
        status, result = Status(found["status"]), found["result"]
    except (OSError, ValueError, TypeError, LookupError):
        return None
    if status not in ENDED or not isinstance(result, str | None):
        return None
    return Ending(status=status, result=result, tokens=accepted_tokens(found.get("tokens")))


def drop(folder: Path) -> None:
    """Forget an ending that the database has taken."""
    _path(folder).unlink(missing_ok=True)


def _path(folder: Path) -> Path:
    return folder / "ending.json"
