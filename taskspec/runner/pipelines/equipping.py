"""A project → the pipelines that its repository is to have. Overwrites nothing, and asks nobody."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taskspec.errors import TaskspecError
from taskspec.runner.pipelines.drawing import draw
from taskspec.runner.pipelines.model import Ci, Surveyed
from taskspec.runner.pipelines.requiring import installed_from, requirement_of
from taskspec.runner.pipelines.surveying import repository_of

_WORKFLOW: Final = ".github/workflows/taskspec.yml"
_PIPELINE: Final = ".gitlab-ci.yml"
_INCLUDED: Final = ".gitlab/taskspec.yml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Equipment:
    """Pipelines that are to be written: their texts by their paths, relative to the repository."""

    repository: Path
    files: Mapping[str, str]
    requirement: str | None
    """What the jobs install; None: what a variable of the CI service names."""
    surveyed: Surveyed
    services: tuple[Ci, ...]

    @property
    def is_included(self) -> bool:
        """Tell whether another pipeline has to include one of them."""
        return _INCLUDED in self.files


def equip(folder: Path, surveyed: Surveyed, services: Iterable[Ci], requirement: str | None) -> Equipment:
    """Draw pipelines; TaskspecError where another file has the place of one."""
    repository = repository_of(folder)
    wanted = requirement or requirement_of(installed_from(), surveyed.extras)
    distinct = tuple(dict.fromkeys(services))
    files = {}
    for ci in distinct:
        text = draw(ci, surveyed, wanted)
        files[_path(ci, repository, text)] = text
    return Equipment(repository=repository, files=files, requirement=wanted, surveyed=surveyed, services=distinct)


def write_pipelines(equipment: Equipment) -> tuple[str, ...]:
    """Write what is not there yet, and return it as paths relative to the repository."""
    written = []
    try:
        for path, text in equipment.files.items():
            target = equipment.repository / path
            if target.exists():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(path)
    except OSError as trouble:
        where = trouble.filename or equipment.repository
        raise TaskspecError(f"`{where}` cannot be written: {trouble.strerror or trouble}.") from trouble
    return tuple(written)


def _path(ci: Ci, repository: Path, text: str) -> str:
    """Return where a pipeline goes; TaskspecError where something else is there."""
    path = _WORKFLOW if ci is Ci.GITHUB else _PIPELINE
    if ci is Ci.GITLAB and _is_other(repository / path, text) and not _is_ours(repository / path, text):
        path = _INCLUDED
    if _is_other(repository / path, text):
        raise TaskspecError(
            f"Nothing was written: `{repository / path}` is there already, and is another one.",
            hint="To have it written anew, move it away, then compare the two.",
        )
    return path


def _is_ours(path: Path, text: str) -> bool:
    """Tell whether a file was written by `init` once: its first line says so."""
    with suppress(OSError):
        return path.read_bytes().partition(b"\n")[0] == text.partition("\n")[0].encode()
    return False


def _is_other(path: Path, text: str) -> bool:
    """Tell whether something else than a text stands at a path; a link that leads nowhere does."""
    if not os.path.lexists(path):
        return False
    try:
        return path.read_bytes() != text.encode()
    except OSError:
        return True
