"""A project folder → its YAML files and their bytes. Parses nothing, and never leaves the folder."""

import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.globbing import PathGlob, is_wild, start_of
from taskspec.documents.locating import shown
from taskspec.documents.parsing import MAX_BYTES
from taskspec.documents.project_files import is_closed

SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files that were found, in order, as absolute paths, and what could not be looked at."""

    files: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


class BadPatternError(ValueError):
    """A pattern of `manifests` names nothing that can be read."""


def list_manifests(folder: Path, results: str) -> Listing:
    """Find the YAML files of a folder: without dot-folders, virtual environments, node_modules and the results."""
    trouble: list[Diagnostic] = []
    found = {
        path: is_link
        for path, is_link in _walk(folder, "", trouble)
        if path.endswith(SUFFIXES) and not path.startswith(f"{results}/")
    }
    return Listing(files=_distinct(folder, found), diagnostics=tuple(trouble))


def match_manifests(folder: Path, pattern: str) -> Listing:
    """Find the files that a pattern (`*`, `?`, `**`) names; BadPatternError where it cannot."""
    normal = posixpath.normpath(pattern)
    if normal.startswith(("/", "~")) or ".." in normal.split("/") or "\0" in normal:
        raise BadPatternError("must be relative to the project folder and stay within it")
    if is_closed(normal):
        raise BadPatternError("leads to what git and taskspec keep")
    if not is_wild(normal):
        if not (folder / normal).is_file():
            raise BadPatternError("names no file")
        found = {normal: _is_bent(f"{folder}/{normal}")}
        trouble: list[Diagnostic] = []
    else:
        start, glob = start_of(normal), PathGlob(normal)
        trouble = []
        below = _walk(folder, f"{start}/" if start else "", trouble)
        bent = _is_bent(f"{folder}/{start}")
        found = {path: is_link or bent for path, is_link in below if glob.fits(path)}
    files = _distinct(folder, found)
    if not files:
        raise BadPatternError("matches no file within the project")
    return Listing(files=files, diagnostics=tuple(trouble))


def read(path: Path | str) -> bytes | Diagnostic:
    """Return a file's bytes, at most one more than a manifest may have."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so that a pipe is refused, and not waited for
        try:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode):
                return _content(descriptor, found.st_size)
            return _unreadable(path, "it is not a regular file")
        finally:
            os.close(descriptor)
    except OSError as trouble:
        return _unreadable(path, trouble.strerror or "unknown trouble")


def _content(descriptor: int, size: int) -> bytes:
    """Read to the end or to the bound, at once where the file has the size that it says it has."""
    content = os.read(descriptor, min(size, MAX_BYTES) + 1)
    whole = len(content) == size
    while not whole and len(content) <= MAX_BYTES and (more := os.read(descriptor, MAX_BYTES)):
        content += more
    return content[: MAX_BYTES + 1]


def list_folders(folder: Path) -> Iterator[str]:
    """Yield the folders, as absolute paths, in which manifests of a project may stand."""
    above = str(folder).rstrip("/")
    yield from (f"{above}/{inside}".rstrip("/") for inside, _ in _folders(folder, "", []))


def _walk(folder: Path, start: str, trouble: list[Diagnostic]) -> Iterator[tuple[str, bool]]:
    """Yield the files under `start` (empty, or a path that ends in `/`), relative to `folder`; true: it is a link."""
    for inside, here in _folders(folder, start, trouble):
        for entry in here:
            if not entry.is_dir(follow_symlinks=False):
                yield f"{inside}{entry.name}", entry.is_symlink()


def _folders(folder: Path, start: str, trouble: list[Diagnostic]) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Yield `start` and the folders below it that may hold what is ours, as `_walk` has it, each with its entries."""
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
        yield inside, here
        deeper = (entry for entry in here if entry.is_dir(follow_symlinks=False) and entry.name != "node_modules")
        waiting += [f"{inside}{entry.name}/" for entry in deeper]


def _distinct(folder: Path, found: Mapping[str, bool]) -> tuple[str, ...]:
    """Sort paths (true: it is a link); leave out links that lead out of the folder, or to what is found anyway."""
    above = str(folder).rstrip("/")
    plain = [f"{above}/{name}" for name in sorted(found) if not found[name]]
    reached = set(plain)
    for name in sorted(name for name in found if found[name]):
        real = Path(os.path.realpath(folder / name))
        inside = real.is_relative_to(folder) and not is_closed(str(real.relative_to(folder)))
        if inside and str(real) not in reached and real.is_file():
            reached.add(str(real))
            plain.append(str(real))
    return tuple(plain)


def _is_bent(path: str) -> bool:
    """Tell whether a link stands anywhere in an absolute path."""
    plain = path.rstrip("/")
    return os.path.realpath(plain) != plain


def _unreadable(path: Path | str, why: str) -> Diagnostic:
    return Diagnostic(
        summary="Cannot be read",
        detail=f"`{shown(path)}` cannot be read: {why}.",
        hint="Make it readable, or leave it out by naming the project's files in `manifests`.",
        position=Position(file=shown(path)),
    )
