"""A project folder → its YAML files and their bytes. Parses nothing, and never leaves the folder."""

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.globbing import PathGlob, is_wild, start_of
from taskspec.documents.locating import shown
from taskspec.documents.parsing import MAX_BYTES

SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files that were found, in order, and what could not be looked at."""

    files: tuple[Path, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


class BadPatternError(ValueError):
    """A pattern of `manifests` names nothing that can be read."""


def list_manifests(folder: Path, results: str) -> Listing:
    """Find the YAML files of a folder: without dot-folders, virtual environments, node_modules and the results."""
    trouble: list[Diagnostic] = []
    found = [path for path in _walk(folder, "", trouble) if path.endswith(SUFFIXES)]
    kept = (path for path in found if not path.startswith(f"{results}/"))
    return Listing(files=_distinct(folder, kept), diagnostics=tuple(trouble))


def match_manifests(folder: Path, pattern: str) -> Listing:
    """Find the files that a pattern (`*`, `?`, `**`) names; BadPatternError where it cannot."""
    normal = posixpath.normpath(pattern)
    if normal.startswith(("/", "~")) or ".." in normal.split("/") or "\0" in normal:
        raise BadPatternError("must be relative to the project folder and stay within it")
    if not is_wild(normal):
        if not (folder / normal).is_file():
            raise BadPatternError("names no file")
        found = [normal]
        trouble: list[Diagnostic] = []
    else:
        start, glob = start_of(normal), PathGlob(normal)
        trouble = []
        found = [path for path in _walk(folder, f"{start}/" if start else "", trouble) if glob.fits(path)]
    files = _distinct(folder, found)
    if not files:
        raise BadPatternError("matches no file within the project")
    return Listing(files=files, diagnostics=tuple(trouble))


def read(path: Path) -> bytes | Diagnostic:
    """Return a file's bytes, at most one more than a manifest may have."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so that a pipe is refused, and not waited for
        with open(descriptor, "rb") as file:  # noqa: PTH123  # a descriptor, no path
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return file.read(MAX_BYTES + 1)
            return _unreadable(path, "it is not a regular file")
    except OSError as trouble:
        return _unreadable(path, trouble.strerror or "unknown trouble")


def _walk(folder: Path, start: str, trouble: list[Diagnostic]) -> Iterator[str]:
    """Yield the files under `start` (empty, or a path that ends in `/`), relative to `folder`."""
    waiting = [start]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(folder / inside) as entries:
                here = [entry for entry in entries if not entry.name.startswith(".")]
        except FileNotFoundError:
            continue
        except OSError as error:
            trouble.append(_unreadable(folder / inside, error.strerror or "unknown trouble"))
            continue
        if any(entry.name == "pyvenv.cfg" for entry in here):
            continue
        for entry in here:
            if not entry.is_dir(follow_symlinks=False):
                yield f"{inside}{entry.name}"
            elif entry.name != "node_modules":
                waiting.append(f"{inside}{entry.name}/")


def _distinct(folder: Path, found: Iterator[str] | list[str]) -> tuple[Path, ...]:
    """Sort paths, and leave out links that lead out of the folder or to a file that is found anyway."""
    plain: list[Path] = []
    links: list[Path] = []
    straight: dict[str, bool] = {}
    for name in sorted(found):
        path = folder / name
        parent = name.rpartition("/")[0]
        if parent not in straight:
            straight[parent] = os.path.realpath(folder / parent) == str(folder / parent)
        (plain if straight[parent] and not path.is_symlink() else links).append(path)
    reached = set(plain)
    for link in links:
        real = Path(os.path.realpath(link))
        if real.is_relative_to(folder) and real not in reached and real.is_file():
            reached.add(real)
            plain.append(real)
    return tuple(plain)


def _unreadable(path: Path, why: str) -> Diagnostic:
    return Diagnostic(
        summary="Cannot be read",
        detail=f"`{shown(path)}` cannot be read: {why}.",
        hint="Make it readable, or leave it out by naming the project's files in `manifests`.",
        position=Position(file=shown(path)),
    )
