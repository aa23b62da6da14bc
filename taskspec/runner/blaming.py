"""Blaming: the lines that a plan names → the commits that last touched them, as git tells. Changes nothing anywhere.

It is bounded in files and time. Where git is missing, or the folder is in no repository, nothing is told: that is no
error.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.model import Plan
from taskspec.runner.asking_git import Git, OutOfTimeError, git_of
from taskspec.runner.digging import dug, taker

MOST_FILES: Final = 100
FARTHEST: Final = (20, 500)
"""So many commits of a file are looked through for the lines that are gone from it, and then so many."""
LONGEST: Final = 5.0
"""Seconds for all of it."""
_MOST_LINES: Final = 2_000
"""Lines of one file that are asked about."""
_NOT_COMMITTED: Final = "0" * 40
_DIGITS: Final = 8
_FORMAT: Final = "%H%x00%at%x00%an%x00%P"
_PATCH: Final = (
    "--patch",
    "--unified=0",
    "--no-renames",
    "--no-textconv",
    "--no-ext-diff",
    "--no-color",
    "-O/dev/null",
)


def lines_of(plan: Plan) -> tuple[CausingLine, ...]:
    """Return every line that the reasons of a plan name, each once, in order."""
    return tuple(dict.fromkeys(_lines(reason for change in plan.changes for reason in change.reasons)))


def blame_plan(plan: Plan, folder: Path, environ: Mapping[str, str]) -> Plan:
    """Return a plan with the commits of the lines that its reasons name, as far as they can be told."""
    lines = lines_of(plan)
    return replace(plan, commits=blame(lines, folder, environ)) if lines else plan


def blame(lines: Iterable[CausingLine], folder: Path, environ: Mapping[str, str]) -> Mapping[CausingLine, Commit]:
    """Return the commit of each line that git knows. The files of the lines are relative to the current folder.

    The repository is the one that `folder` is in.
    """
    found = dict[CausingLine, Commit]()
    by_file: dict[str, list[CausingLine]] = {}
    for line in lines:
        if "\0" not in line.file + line.removed:  # no file has such a name, and no program takes such a word
            by_file.setdefault(line.file, []).append(line)
    try:
        git = git_of(folder, environ, longest=LONGEST)
        if git is None:
            return found
        history, files = _History(git), list(by_file.items())[:MOST_FILES]
        for file, own in files:
            there = sorted({line.line for line in own if line.line and not line.removed})[:_MOST_LINES]
            known = history.commits(file, there) if there else {}
            found |= {line: known[line.line] for line in own if line.line in known and not line.removed}
        for file, own in files:
            if any(not (line.line or line.removed) for line in own):
                last = history.last(file)
                found |= {line: last for line in own if last is not None and not (line.line or line.removed)}
            gone = {line.removed for line in own if line.removed}
            took = history.took(file, gone) if gone else {}
            found |= {line: took[line.removed] for line in own if line.removed in took}
    except OutOfTimeError:
        pass
    return found


def _lines(reasons: Iterable[Reason]) -> Iterator[CausingLine]:
    for reason in reasons:
        if reason.line is not None:
            yield reason.line
        yield from _lines(reason.because)


class _History:
    """Asks git about the files of one repository; raises OutOfTimeError."""

    def __init__(self, git: Git) -> None:
        self._ask = git.ask
        self._is_shallow = git.is_shallow

    def commits(self, file: str, lines: Sequence[int]) -> Mapping[int, Commit]:
        """Return the commits of some lines of a file; nothing where git does not know it."""
        ranges = [word for line in lines for word in ("-L", f"{line},{line}")]
        path = os.path.realpath(file)
        told = self._ask("blame", "--porcelain", "--no-textconv", *ranges, "--", path)
        if told is not None:
            return dict(_told(told, is_shallow=self._is_shallow))
        return dict.fromkeys(lines, Commit()) if self._is_touched(path) else {}

    def last(self, file: str) -> Commit | None:
        """Return the last commit that touched a file."""
        path = os.path.realpath(file)
        if self._is_touched(path):
            return Commit()
        return self._known(self._ask("log", "-1", f"--format={_FORMAT}", "--", path) or "")

    def took(self, file: str, lines: Collection[str]) -> Mapping[str, Commit]:
        """Return the commits that took some lines out of a file: one search serves them all."""
        path, found = os.path.realpath(file), dict[str, Commit]()
        here = [*dug(self._ask("diff", *_PATCH, "HEAD", "--", path) or "")]
        left = list(lines)
        for most in FARTHEST:
            told = self._ask("log", f"-{most}", *_PATCH, f"--format=%x00{_FORMAT}", "--", path) if left else None
            changes = [*here, *dug(told or "")]
            takers = {line: taker(changes, line) for line in left}
            is_all = len(changes) < most
            left = [] if is_all else [line for line, (_, is_sure) in takers.items() if not is_sure]
            for line, (change, is_sure) in takers.items():
                if change is not None and (is_sure or is_all or most == FARTHEST[-1]):
                    commit = self._known(change.about) if change.about else Commit()
                    found |= {line: commit} if commit is not None else {}
        return found

    def _known(self, told: str) -> Commit | None:
        """Return the commit that git tells of; None for one that only seems to begin all, in a shallow clone."""
        commit, day, author, parents = (*told.strip("\n").split("\0"), "", "", "", "")[:4]
        return _commit(commit, author, day) if commit and (parents or not self._is_shallow) else None

    def _is_touched(self, path: str) -> bool:
        """Tell whether a file is not as the last commit has it."""
        told = self._ask("status", "--porcelain", "--untracked-files=all", "--ignore-submodules=all", "--", path)
        return bool(told)


def _told(porcelain: str, *, is_shallow: bool) -> Iterator[tuple[int, Commit]]:
    """Yield line and commit of each line of an annotated file."""
    known: dict[str, dict[str, str]] = {}
    commit, line = "", 0
    for row in porcelain.split("\n"):
        if row.startswith("\t"):
            about = known[commit]
            if not (is_shallow and "boundary" in about):
                yield line, _commit(commit, about.get("author", ""), about.get("author-time", ""))
            commit = ""
        elif not commit:
            first, *numbers = row.split(" ")
            if len(numbers) >= 2:
                commit, line = first, int(numbers[1])
                known.setdefault(commit, {})
        else:
            name, _, value = row.partition(" ")
            known[commit][name] = value


def _commit(commit: str, author: str, seconds: str) -> Commit:
    if commit == _NOT_COMMITTED:
        return Commit()
    day = datetime.fromtimestamp(int(seconds), UTC).date().isoformat() if seconds.isdecimal() else ""
    return Commit(id=commit[:_DIGITS], author=author, at=day)
