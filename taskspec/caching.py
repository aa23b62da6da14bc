"""The user's own cache folder: what others could have written is never taken from it. Knows not what its files hold.

Everything in it may be lost, cut short or changed at any time: whatever goes wrong means that nothing is kept.
"""

import hashlib
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import Final

_DIGEST: Final = 32
_CHECKOUTS: Final = (".git", ".hg", ".jj", ".svn", "taskspec.yaml", "taskspec.yml")
_MAX_BYTES: Final = 512 * 1024 * 1024


def digest(content: bytes) -> bytes:
    """Return the digest by which contents are told apart."""
    return hashlib.blake2b(content, digest_size=_DIGEST).digest()


def own_folder(cache_folder: Path, kind: str) -> Path | None:
    """Return the folder for one kind of files, made where it is missing; None where others could write there."""
    try:
        cache_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = cache_folder / kind
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder if _kept_by_us(cache_folder) and is_only_ours(folder.lstat()) else None
    except OSError:
        return None


def is_only_ours(found: os.stat_result) -> bool:
    """Tell whether a file or folder is this user's, no link, and closed to everybody else."""
    return found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode) and not found.st_mode & 0o077


def load(path: Path) -> bytes | None:
    """Return what was saved, if it is still what was saved, by this user."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123  # a descriptor, no path
            found = os.fstat(descriptor)
            if not (is_only_ours(found) and stat.S_ISREG(found.st_mode)) or found.st_size > _MAX_BYTES:
                return None
            kept, content = file.read(_DIGEST), file.read()
    except OSError:
        return None
    return content if kept == digest(content) else None


def save(path: Path, content: bytes) -> None:
    """Put a file in the place of what was there, at once and whole; of two who do so, the later one wins."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123  # a descriptor, no path
                file.writelines((digest(content), content))
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
    except OSError:
        pass


def thin_out(folder: Path, most: int) -> None:
    """Remove the files that were written longest ago, until there are no more than `most`."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in entries)
        for _, path in found[: max(len(found) - most, 0)]:
            Path(path).unlink(missing_ok=True)
    except OSError:
        pass


@cache
def edition() -> bytes:
    """Return what tells this program from every other version of it, and from other versions of what it stands on.

    Taken from the files themselves, not from a version number: what an edited source tree gives is never mixed up.
    """
    from importlib.util import find_spec

    package = Path(__file__).parent
    names = [*package.rglob("*.py"), *package.rglob("*.json"), *(package.parent / "schemas").glob("*.json")]
    for other in ("jinja2", "jsonschema", "jsonschema_rs", "markupsafe", "yaml"):
        spec = find_spec(other)
        names += [Path(spec.origin)] if spec is not None and spec.origin else []
    parts = [sys.version, sys.implementation.cache_tag or ""]
    for name in sorted(names):
        found = name.stat()
        parts.append(f"{name}\0{found.st_size}\0{found.st_mtime_ns}")
    return digest("\n".join(parts).encode("utf-8", "surrogateescape"))


def _kept_by_us(folder: Path) -> bool:
    """Tell whether nobody else can put another folder or file in the place of ours."""
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        return False
    above = [folder.resolve(), *folder.resolve().parents]
    return not any(map(_open_to_others, above[1:])) and not any(map(_is_checkout, above))


def _is_checkout(folder: Path) -> bool:
    """Tell whether a folder holds what somebody has committed: what lies in it may come from them."""
    return any(os.path.lexists(folder / name) for name in _CHECKOUTS)


def _open_to_others(folder: Path) -> bool:
    found = folder.stat()
    anybody = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
    return bool(anybody) or found.st_uid not in {0, os.getuid()}
