"""A target on the command line → where its project stands. Reads no document."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from taskspec.diagnostics import nearest
from taskspec.documents.declaring import Ground, fitting_name
from taskspec.documents.project_files import PROJECT_FILES, is_within
from taskspec.errors import UsageError
from taskspec.settings import DEFAULT_ENVIRONMENT

DATA_FOLDER: Final = ".taskspec"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a project stands: its ground, its project file, and the one file that the target names."""

    ground: Ground
    project_file: Path | None = None
    single: Path | None = None

    def alone(self) -> "Place":
        """Return the place of the single file as a project of its own."""
        if self.single is None:
            return self
        folder = self.single.parent
        data_folder = folder / DATA_FOLDER / self.single.name
        ground = replace(self.ground, name=fitting_name(self.single.stem), folder=folder, data_folder=data_folder)
        return Place(ground=ground, single=self.single)


def locate(target: Path, environment: str = DEFAULT_ENVIRONMENT, search_path: str | None = None) -> Place:
    """Find the project of a folder or a file; UsageError where there is nothing to find."""
    place = _found(target, search_path)
    return replace(place, ground=replace(place.ground, environment=environment))


def require_environment(name: str, declared: Iterable[str]) -> None:
    """Raise UsageError for an environment that the project does not declare; `default` always exists."""
    known = [*declared]
    if name not in {DEFAULT_ENVIRONMENT, *known}:
        listed = f"Declared: {', '.join(f'`{other}`' for other in known)}." if known else "It declares none."
        raise UsageError(
            f"The project declares no environment `{name}`.",
            hint=nearest(name, known) or f"{listed} Declare it under `spec.environments` of the project.",
        )


def _found(target: Path, search_path: str | None) -> Place:
    found = Path(os.path.realpath(target)) if "\0" not in str(target) else target
    if found.is_dir():
        return _folder(found, search_path)
    if not found.exists():
        raise UsageError(f"There is no file or folder `{target}`.", hint=_nearest(found))
    if not found.is_file():
        raise UsageError(f"`{target}` is neither a file nor a folder.", hint="Name a project folder, or a YAML file.")
    if found.name in PROJECT_FILES:
        return _folder(found.parent, search_path)
    for folder in found.parents:
        if (place := _folder(folder, search_path)).project_file is not None:
            return replace(place, single=found)
    return replace(_folder(found.parent, search_path), single=found).alone()


def shown(path: Path | str) -> str:
    """Return an absolute path as it is shown to the user: relative to the current directory where it is under it."""
    text, here = str(path), os.getcwd()  # noqa: PTH109  # once a file: five times faster than pathlib
    if text == here:
        return "."
    return text.removeprefix(here.rstrip("/") + "/")


def shown_in(folder: str, file: str) -> str:
    """Return a file of a folder as it is shown to the user."""
    return shown(f"{folder}/{file}")


def _folder(folder: Path, search_path: str | None) -> Place:
    project_file = next((folder / name for name in PROJECT_FILES if (folder / name).is_file()), None)
    if project_file is not None and not is_within(project_file, folder):
        raise UsageError(
            f"`{shown(project_file)}` is a link to a file outside of its folder.",
            hint="Put the project file itself there, or name the folder that it stands in.",
        )
    name = fitting_name(folder.name)
    ground = Ground(name=name, folder=folder, data_folder=folder / DATA_FOLDER, search_path=search_path)
    return Place(ground=ground, project_file=project_file)


def _nearest(missing: Path) -> str:
    try:
        siblings = [entry.name for entry in missing.parent.iterdir()]
    except (OSError, ValueError):
        return "Name a project folder, or a YAML file."
    return nearest(missing.name, siblings) or "Name a project folder, or a YAML file."
