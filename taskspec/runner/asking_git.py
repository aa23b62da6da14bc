"""Asking git about a repository, safely: nothing that it configures is started, and no question lasts. Decides nothing.

No hook, pager, monitor, filter or helper of a repository is trusted, whatever its configuration says. Where git is
missing, or the folder is in no repository, there is nobody to ask, and that is no error.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which
from time import monotonic
from typing import Final

_ONE: Final = 3.0
"""Seconds for one question, where nobody says otherwise."""
SAFE: Final = (
    "--no-pager",
    "--no-optional-locks",
    "-c", "safe.bareRepository=explicit",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.pager=cat",
    "-c", "core.attributesFile=/dev/null",
    "-c", "blame.ignoreRevsFile=",
    "-c", "log.showSignature=false",
    "-c", "protocol.allow=never",
    "-c", "color.ui=false",
)  # fmt: skip
"""What keeps git from starting what a repository configures."""
_COMMANDS: Final = re.compile(r"filter\..*\.(?:clean|smudge|process|required)", re.IGNORECASE | re.DOTALL)
"""What a configuration has run on the content of files."""
_KEPT: Final = frozenset({"PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "SYSTEMROOT", "TMPDIR"})
"""What of the environment git may see: whoever calls us says there which folders are theirs (`safe.directory`)."""


class OutOfTimeError(Exception):
    """Git takes too long."""


class Git:
    """Asks git about the repository that a folder is in; raises OutOfTimeError."""

    def __init__(self, program: str, folder: Path, environ: Mapping[str, str], *, longest: float, one: float) -> None:
        self._program = program
        self._folder = folder
        self._one = one
        self._until = monotonic() + longest
        self._environ = _environ_of(environ, ())
        words = ("--is-inside-work-tree", "--is-shallow-repository", "--absolute-git-dir", "--show-toplevel")
        inside, shallow, *places = (self.ask("rev-parse", *words) or "\n").split("\n")
        self.is_usable = inside == "true" and len(places) == 3 and _is_own(Path(places[0]), Path(places[1]))
        self.is_shallow = shallow == "true" and self.is_usable
        if self.is_usable:
            listed = self.ask("config", "--list", "--name-only", "-z")
            self.is_usable = listed is not None
            names = dict.fromkeys(name for name in (listed or "").split("\0") if _COMMANDS.fullmatch(name))
            self._environ = _environ_of(environ, tuple(names))

    def ask(self, *words: str) -> str | None:
        """Return what git answers; None where it refuses."""
        told = self.ask_bytes(*words)
        return None if told is None else told.decode("utf-8", "replace")

    def ask_bytes(self, *words: str, given: bytes = b"") -> bytes | None:
        """Return what git answers, byte for byte, to what it is given; None where it refuses."""
        left = min(self._until - monotonic(), self._one)
        if left <= 0:
            raise OutOfTimeError
        try:
            done = subprocess.run(
                [self._program, *SAFE, "--literal-pathspecs", *words],
                cwd=self._folder,
                env=self._environ,
                input=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=left,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise OutOfTimeError from error
        except (OSError, ValueError):
            return None
        return done.stdout if done.returncode == 0 else None


def git_of(folder: Path, environ: Mapping[str, str], *, longest: float, one: float = _ONE) -> Git | None:
    """Return who can be asked about the repository that a folder is in; None where nobody can. Raises OutOfTimeError.

    `longest` in seconds: for all questions together; `one`: for each.
    """
    program = which("git", path=environ.get("PATH"))
    git = Git(program, folder, environ, longest=longest, one=one) if program is not None else None
    return git if git is not None and git.is_usable else None


def _is_own(repository: Path, top: Path) -> bool:
    """Tell whether a repository is where git itself puts it: files of a checkout can look like one.

    No commit can hold a file of the name `.git`.
    """
    entry = top / ".git"
    try:
        if entry.is_dir():
            return os.path.realpath(entry) == os.path.realpath(repository)
        named = entry.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir:").strip()
    except OSError:
        return False
    return os.path.realpath(top / named) == os.path.realpath(repository)


def _environ_of(environ: Mapping[str, str], emptied: Sequence[str]) -> dict[str, str]:
    """Return the environment of git: without what others set for it, and with some of its settings emptied."""
    kept = {name: value for name, value in environ.items() if name in _KEPT}
    settings = {"GIT_CONFIG_COUNT": str(len(emptied))} if emptied else {}
    for index, name in enumerate(emptied):
        settings[f"GIT_CONFIG_KEY_{index}"] = name
        settings[f"GIT_CONFIG_VALUE_{index}"] = "false" if name.lower().endswith(".required") else ""
    own = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    own |= {"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
    return kept | own | settings
