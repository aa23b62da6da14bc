"""A folder → a new project in it. Overwrites nothing, and asks nobody."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from taskspec.documents.declaring import fitting_name
from taskspec.errors import TaskspecError
from taskspec.runner.starter import PROGRAMS, AgentProgram, starter


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """A new project: its name, and the files that were written, relative to its folder."""

    name: str
    files: tuple[str, ...]


def installed(search_path: str | None) -> list[AgentProgram]:
    """Return the agent programs that are on this machine."""
    return [program for program in PROGRAMS if shutil.which(program.command[0], path=search_path)]


def begin(folder: Path, name: str | None, found: list[AgentProgram], chosen: AgentProgram | None) -> Begun:
    """Write a new project; TaskspecError where a file of it is there already, before anything is written."""
    fitting = fitting_name(name or folder.absolute().name)
    files = starter(fitting, found, chosen)
    try:
        there = list(_in_the_way(folder, files))
        if there:
            raise TaskspecError(
                f"Nothing was written: in `{folder}` there is already {', '.join(f'`{path}`' for path in there)}.",
                hint="Name another folder: taskspec init FOLDER.",
            )
        _write(folder, files)
    except OSError as trouble:
        where = trouble.filename or folder
        raise TaskspecError(f"`{where}` cannot be written: {trouble.strerror or trouble}.") from trouble
    return Begun(name=fitting, files=tuple(files))


def _in_the_way(folder: Path, files: Iterable[str]) -> Iterator[str]:
    """Yield what is there already, or stands in the place of a folder that is needed; a link counts as it is."""
    for path in files:
        inside = (folder / path).parent
        if inside != folder and os.path.lexists(inside) and not inside.is_dir():
            yield str(inside.relative_to(folder))
        elif os.path.lexists(folder / path):
            yield path


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
