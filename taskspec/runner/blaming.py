"""Blaming: the lines that a plan names → the commits that last touched them, as git tells. Changes nothing anywhere.

What a repository configures is not trusted: no hook, pager, monitor, filter or helper of it is started. It is bounded
in files and time; where git is missing, or the folder is in no repository, nothing is told, and that is no error.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from time import monotonic
from typing import Final

from taskspec.plan.causes import CausingLine, Commit, Reason
from taskspec.plan.model import Plan

MOST_FILES: Final = 100
MOST_GONE: Final = 20
"""How many lines that are gone are looked for."""
LONGEST: Final = 5.0
"""Seconds for all of it."""
_ONE: Final = 3.0
"""Seconds for one question."""
_MOST_LINES: Final = 2_000
"""Lines of one file that are asked about."""
_NOT_COMMITTED: Final = "0" * 40
_DIGITS: Final = 8
_SAFE: Final = (
    "--no-pager",
    "--no-optional-locks",
    "--literal-pathspecs",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.pager=cat",
    "-c", "core.attributesFile=/dev/null",
    "-c", "blame.ignoreRevsFile=",
    "-c", "log.showSignature=false",
    "-c", "protocol.allow=never",
    "-c", "color.ui=false",
)  # fmt: skip
_FORMAT: Final = "%H%x00%at%x00%an%x00%P"
_COMMANDS: Final = re.compile(r"filter\..*\.(?:clean|smudge|process|required)", re.IGNORECASE | re.DOTALL)
"""What a configuration has run on the content of files."""
_KEPT: Final = frozenset({"PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "SYSTEMROOT", "TMPDIR"})
"""What of the environment git may see: whoever calls us says there which folders are theirs (`safe.directory`)."""


class _OutOfTimeError(Exception):
    """Git takes too long."""


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
    program, found = which("git"), dict[CausingLine, Commit]()
    by_file: dict[str, list[CausingLine]] = {}
    for line in lines:
        if "\0" not in line.file + line.removed:  # no file has such a name, and no program takes such a word
            by_file.setdefault(line.file, []).append(line)
    if program is None:
        return found
    gone = MOST_GONE
    try:
        git = _Git(program, folder, environ)
        for file, own in list(by_file.items())[:MOST_FILES] if git.is_usable else ():
            there = sorted({line.line for line in own if line.line and not line.removed})[:_MOST_LINES]
            known = git.commits(file, there) if there else {}
            found |= {line: known[line.line] for line in own if line.line in known and not line.removed}
            for line in own:
                if (line.removed or not line.line) and gone:
                    gone -= 1
                    commit = git.last(file, line.removed, is_whole=not line.line)
                    found |= {line: commit} if commit is not None else {}
    except _OutOfTimeError:
        pass
    return found


def _lines(reasons: Iterable[Reason]) -> Iterator[CausingLine]:
    for reason in reasons:
        if reason.line is not None:
            yield reason.line
        yield from _lines(reason.because)


class _Git:
    """Asks git about one repository; raises _OutOfTimeError."""

    def __init__(self, program: str, folder: Path, environ: Mapping[str, str]) -> None:
        self._program = program
        self._folder = folder
        self._until = monotonic() + LONGEST
        self._environ = _environ_of(environ, ())
        told = self._ask("rev-parse", "--is-inside-work-tree", "--is-shallow-repository") or ""
        self.is_usable = told.startswith("true")
        self._is_shallow = told.strip().endswith("true") and self.is_usable
        if self.is_usable:
            listed = self._ask("config", "--list", "--name-only", "-z")
            self.is_usable = listed is not None
            names = dict.fromkeys(name for name in (listed or "").split("\0") if _COMMANDS.fullmatch(name))
            self._environ = _environ_of(environ, tuple(names))

    def commits(self, file: str, lines: Sequence[int]) -> Mapping[int, Commit]:
        """Return the commits of some lines of a file; nothing where git does not know it."""
        ranges = [word for line in lines for word in ("-L", f"{line},{line}")]
        path = os.path.realpath(file)
        told = self._ask("blame", "--porcelain", "--no-textconv", *ranges, "--", path)
        if told is not None:
            return dict(_told(told, is_shallow=self._is_shallow))
        return dict.fromkeys(lines, Commit()) if self._is_touched(path) else {}

    def last(self, file: str, removed: str, *, is_whole: bool) -> Commit | None:
        """Return the commit that took a line out of a file; where the file is meant as a whole, else its last."""
        path = os.path.realpath(file)
        is_open = self._has(path, removed) if removed else self._is_touched(path)
        if is_open:
            return Commit()
        searches = [[f"-S{removed}"]] if removed else []
        for search in [*searches, []] if is_whole else searches:
            told = self._ask("log", "-1", f"--format={_FORMAT}", "--no-textconv", "--no-ext-diff", *search, "--", path)
            commit, day, author, parents = (*(told or "").strip("\n").split("\0"), "", "", "", "")[:4]
            if commit and (parents or not self._is_shallow):
                return _commit(commit, author, day)
        return None

    def _has(self, path: str, text: str) -> bool:
        """Tell whether the last commit holds a text in a file."""
        return self._ask("grep", "-q", "-I", "-F", "-e", text, "HEAD", "--", path) is not None

    def _is_touched(self, path: str) -> bool:
        """Tell whether a file is not as the last commit has it."""
        told = self._ask("status", "--porcelain", "--untracked-files=all", "--ignore-submodules=all", "--", path)
        return bool(told)

    def _ask(self, *words: str) -> str | None:
        """Return what git answers; None where it refuses."""
        left = min(self._until - monotonic(), _ONE)
        if left <= 0:
            raise _OutOfTimeError
        try:
            done = subprocess.run(
                [self._program, *_SAFE, *words],
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _OutOfTimeError from error
        except (OSError, ValueError):
            return None
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _environ_of(environ: Mapping[str, str], emptied: Sequence[str]) -> dict[str, str]:
    """Return the environment of git: without what others set for it, and with some of its settings emptied."""
    kept = {name: value for name, value in environ.items() if name in _KEPT}
    settings = {"GIT_CONFIG_COUNT": str(len(emptied))} if emptied else {}
    for index, name in enumerate(emptied):
        settings[f"GIT_CONFIG_KEY_{index}"] = name
        settings[f"GIT_CONFIG_VALUE_{index}"] = "false" if name.lower().endswith(".required") else ""
    own = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    return kept | own | settings


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
