"""Globs over texts and paths: `*` and `?` stand for characters, what is in quotes for itself. Reads no folder."""

import json
from functools import lru_cache

from taskspec.address import compiled_glob, pieces


def plain(text: str) -> str:
    """Return a text without the quotes around its pieces; raise ValueError where such a piece cannot be read."""
    return "".join(_unquoted(piece) for piece in pieces(text))


def fits(glob: str, text: str) -> bool:
    """Tell whether a text fits a glob as a whole, in time that grows with the product of their lengths at most."""
    return compiled_glob(glob, _unquoted).fullmatch(text) is not None


def path_fits(glob: str, path: str) -> bool:
    """Tell whether a path, or a folder above it, fits a glob: `*` stays within a name, `**` goes across folders."""
    wanted = [name for name in _names(glob) if name not in {"", "."}]
    names = [name for name in path.split("/") if name not in {"", "."}]
    if not wanted or plain(glob).startswith("/") is not path.startswith("/"):
        return False
    reached = _skipped({0}, wanted)
    for name in names:
        reached = _skipped({step for at in reached for step in _steps(at, wanted, name)}, wanted)
        if len(wanted) in reached:
            return True
    return False


@lru_cache(maxsize=1024)
def _names(glob: str) -> tuple[str, ...]:
    """Return the globs of the single names of a path: a `/` parts them, in quotes too."""
    names = [""]
    for piece in pieces(glob):
        if len(piece) > 1:
            first, *others = (json.dumps(part) if part else "" for part in _unquoted(piece).split("/"))
        else:
            first, *others = piece.split("/")
        names[-1] += first
        names += others
    return tuple(names)


def _steps(at: int, wanted: list[str], name: str) -> tuple[int, ...]:
    """Return the places in the glob at which one may stand after a name."""
    if wanted[at] == "**":
        return (at, at + 1)
    return (at + 1,) if fits(wanted[at], name) else ()


def _skipped(reached: set[int], wanted: list[str]) -> set[int]:
    """Add the places behind each `**`, which may stand for no folder at all; the last stands for a name at least."""
    found = set(reached)
    for at in range(min(found, default=0), len(wanted) - 1):
        if at in found and wanted[at] == "**":
            found.add(at + 1)
    return found


def _unquoted(piece: str) -> str:
    return str(json.loads(piece)) if len(piece) > 1 else piece
