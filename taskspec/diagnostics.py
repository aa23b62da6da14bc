"""Diagnostics: what is wrong in a document, where, and what to do. Prints nothing."""

import re
from ast import literal_eval
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from taskspec.errors import TaskspecError

_WORD: Final = re.compile(r"[\w$-]+")
_STEP: Final = re.compile(r"""\[(?P<index>-?\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]|\.?(?P<name>[\w$-]+)""")
_LONGEST: Final = 200
"""Characters of a name that is compared with others: the time grows with the square."""
_MOST: Final = 20_000


class Severity(StrEnum):
    """How much a diagnostic matters."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Position:
    """A place in a file: path as shown to the user, line and column counted from 1.

    Line 0: what `file` names is no file (an option, an environment variable).
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def as_json(self) -> dict[str, str | int]:
        """Return it as every JSON output of ours has it."""
        return {"file": self.file, "line": self.line, "column": self.column}


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnostic:
    """One finding: a constant summary, a detail in full sentences, and a way out."""

    summary: str
    detail: str = ""
    hint: str = ""
    position: Position
    severity: Severity = Severity.ERROR
    quotable: bool = True
    """Whether the line at its place may be shown: not where it may hold a secret."""

    @property
    def as_json(self) -> dict[str, str | int]:
        """Return it as every JSON output of ours has it."""
        return {
            "severity": self.severity,
            **self.position.as_json,
            "summary": self.summary,
            "detail": self.detail,
            "hint": self.hint,
        }


class ManifestError(TaskspecError):
    """The documents are wrong; carries every diagnostic."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("the manifests are wrong")
        self.diagnostics = tuple(diagnostics)


def path_text(path: Iterable[str | int], root: str = "") -> str:
    """Return a path as people write it, after the name of its root: `spec.files[0]`, `$['a key'].total`."""
    text = root
    for step in path:
        if isinstance(step, int) or not _WORD.fullmatch(step):
            text += f"[{step!r}]"
        else:
            text += f".{step}" if text else step
    return text


def path_of(text: str) -> tuple[str | int, ...]:
    """Return the path that `path_text` wrote; raise ValueError for a text that it would not write."""
    steps = _STEP.finditer(text)
    path = tuple(literal_eval(step["index"]) if step["index"] else step["name"] for step in steps)
    if path_text(path) != text:
        raise ValueError(f"`{text}` is no path")
    return path


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean …?` for the known name that is closest to `name`, or an empty string."""
    found = closest(name, known)
    return f"Did you mean `{found}`?" if found else ""


def closest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Return the known name that is closest to `name`, or an empty string where none is like it."""
    from difflib import get_close_matches

    if len(name) > _LONGEST:
        return ""
    candidates = [other for other in islice(known, _MOST) if len(other) <= _LONGEST]
    same = (other for other in candidates if other.casefold() == name.casefold())
    return next(same, "") or next(iter(get_close_matches(name, candidates, n=1, cutoff=likeness)), "")
