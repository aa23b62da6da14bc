"""Rewinding: a project folder as it was at a git revision, in a folder of its own for a while. Changes nothing there.

Git is asked in the safe way alone, and its files are written byte for byte: no filter, hook or attribute has a say, and
no link leads out of the folder. It is bounded in files, bytes and time.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from taskspec.errors import TaskspecError
from taskspec.runner.asking_git import Git, OutOfTimeError, git_of

MOST_FILES: Final = 100_000
MOST_BYTES: Final = 512 * 1024 * 1024
LONGEST: Final = 120.0
"""Seconds for all of it."""
_FETCH: Final = "Fetch the history: `fetch-depth: 0` of actions/checkout, `GIT_DEPTH: 0` on GitLab, or `git fetch`."
_FILE: Final = frozenset({"100644", "100755", "100664"})
_LINK: Final = "120000"
_KINDS: Final = ("refs/tags/", "refs/heads/", "refs/remotes/")
"""Where git looks for a name, in this order."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


class _Entry(NamedTuple):
    mode: str
    oid: str
    size: int
    path: PurePosixPath


@contextmanager
def rewound(folder: Path, revision: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Hold a folder with what a folder of a repository held at a revision; empty where it was not there.

    Raises TaskspecError where that cannot be told.
    """
    target = Path(os.path.realpath(tempfile.mkdtemp(prefix="taskspec-base-")))
    try:
        try:
            git = git_of(folder, environ, longest=LONGEST, one=LONGEST)
            if git is None:
                raise _unreadable(revision, "there is no git, or no repository that it may read here")
            _write(git, _commit(git, revision), revision, target)
        except OutOfTimeError as error:
            raise _unreadable(revision, f"git took longer than {LONGEST:g} seconds") from error
        except OSError as error:
            raise _unreadable(revision, error.strerror or "it cannot be written") from error
        yield target
    finally:
        shutil.rmtree(target, ignore_errors=True)


def first_there(folder: Path, revisions: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the first of some revisions that a clone has; the last one where it has none, or nobody can tell."""
    with suppress(OutOfTimeError):
        git = git_of(folder, environ, longest=LONGEST)
        found = (revision for revision in revisions if git is not None and _named(git, revision) is not None)
        return next(found, revisions[-1])
    return revisions[-1]


def require_outermost(folder: Path, revision: str, environ: Mapping[str, str]) -> None:
    """Raise TaskspecError for a folder in a submodule: whoever asks for a change says which repository that is."""
    why = "nobody can tell whether it is in a submodule"
    with suppress(OutOfTimeError):
        git = git_of(folder, environ, longest=LONGEST)
        told = git.ask("rev-parse", "--show-superproject-working-tree") if git is not None else ""
        if told is not None and not told.strip():
            return
        why = "the project is in a submodule, whose branches are not those of this repository" if told else why
    raise _unreadable(revision, why, "Run the command in the outermost repository, or in a clone of the inner one.")


def _commit(git: Git, revision: str) -> str:
    found = _named(git, revision)
    if found is not None:
        if len({named for kind in _KINDS if (named := _named(git, kind + revision)) is not None}) > 1:
            why = "more than one branch or tag has that name"
            raise _unreadable(revision, why, f"Name it in full: `refs/remotes/{revision}`, or its commit.")
        return found
    why = "this clone does not hold it (it is shallow)" if git.is_shallow else "this clone has no such revision"
    raise _unreadable(revision, why, _FETCH)


def _named(git: Git, revision: str) -> str | None:
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = (git.ask(*words) or "").strip()
    return found if _COMMIT.fullmatch(found) else None


def _unreadable(revision: str, why: str, hint: str = "") -> TaskspecError:
    return TaskspecError(f"The manifests at `{revision}` cannot be read: {why}.", hint=hint)


def _write(git: Git, commit: str, revision: str, target: Path) -> None:
    entries = list(_entries(git, commit, revision))
    if len(entries) > MOST_FILES or sum(entry.size for entry in entries) > MOST_BYTES:
        most = f"{MOST_FILES:,} files or {MOST_BYTES // 1024 // 1024} MiB"
        raise _unreadable(revision, f"the project folder has more than {most}", "Give the project a folder of its own.")
    contents = _contents(git, entries, revision)
    links: list[tuple[Path, str]] = []
    for entry, content in zip(entries, contents, strict=True):
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == _LINK:
            links.append((path, os.fsdecode(content)))
        else:
            path.write_bytes(content)
    for path, to in links:
        if to and "\0" not in to and not to.startswith("/"):
            path.symlink_to(to)
    for path, _ in links:  # a link may lead out by way of another
        if not Path(os.path.realpath(path)).is_relative_to(target):
            with suppress(FileNotFoundError):
                path.unlink()


def _entries(git: Git, commit: str, revision: str) -> Iterator[_Entry]:
    listed = git.ask_bytes("ls-tree", "-r", "-z", "-l", commit)
    if listed is None:
        raise _unreadable(revision, "git does not list its files", _FETCH)
    for line in listed.split(b"\0"):
        about, tab, name = line.partition(b"\t")
        if not tab:
            continue
        mode, _, oid, size = about.decode("ascii", "replace").split()
        path = PurePosixPath(os.fsdecode(name))
        if (mode in _FILE or mode == _LINK) and not path.is_absolute() and not {"..", ".git"} & {*path.parts}:
            yield _Entry(mode, oid, int(size) if size.isdecimal() else 0, path)


def _contents(git: Git, entries: Sequence[_Entry], revision: str) -> list[bytes]:
    """Return the contents of files, in their order, as `git cat-file --batch` tells them."""
    if not entries:
        return []
    told = git.ask_bytes("cat-file", "--batch", given="".join(f"{entry.oid}\n" for entry in entries).encode())
    found: list[bytes] = []
    place = 0
    for entry in entries:
        end = told.find(b"\n", place) if told is not None else -1
        head = told[place:end].split() if told is not None and end >= 0 else []
        if told is None or len(head) != 3 or head[0].decode("ascii", "replace") != entry.oid:
            raise _unreadable(revision, "this clone does not hold all of its files", _FETCH)
        size = int(head[2])
        found.append(told[end + 1 : end + 1 + size])
        place = end + 1 + size + 1
    return found
