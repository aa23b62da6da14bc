"""Withholding: which values and texts of a project a saved plan may hold, and which stay out of it. Renders nothing.

What templates use nowhere but where secrets belong is a secret too, whatever it is called: a variable, a variable of
the process environment, the text of a file.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from taskspec.address import Address
from taskspec.desired.dotted import is_template
from taskspec.desired.including import ProjectTexts
from taskspec.desired.model import Cell, Desired
from taskspec.desired.normalising import SENT, is_secret_place
from taskspec.desired.scope import WrongTemplateError
from taskspec.diagnostics import Diagnostic, ManifestError, Position

SUMMARY: Final = "Cannot be saved"
_WORD: Final = re.compile(r"\w+")
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_NAMED: Final = re.compile(r"""\b(vars|env)\b(?:\s*\.\s*(\w+)|\s*\[\s*(?P<quote>['"])(\w+)(?P=quote)\s*\])?""")
_READS: Final = re.compile(r"\bfile\s*\(|\{%[-+]?\s*(?:include|import|from)\b")
_TEXT_NAMES: Final = re.compile(
    r"""(?:\bfile\s*\(|\b(?:include|import|from)\s)\s*(?P<quote>['"])(?P<name>(?:(?!(?P=quote)).)*)(?P=quote)"""
)
"""What a template names by a constant: texts that it reads, includes or imports."""
_WHOLE_NAMES: Final = re.compile(_TEXT_NAMES.pattern + r"\s*(?:[),]|[-+]?%\}|(?:as|import|ignore|with|without)\b)")
"""The same, where the constant is all of the name."""

_Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What the tasks that are kept open are rendered with, as far as it may be kept."""

    words: frozenset[str]
    """All that may be a name in their templates."""
    shown: frozenset[str]
    """What they name where no secret belongs: `vars.x`, `env.X`."""
    used: frozenset[str]
    """All that may be a name in their templates where no secret belongs."""
    hidden: frozenset[str]
    """All that may be a name where secrets belong, in any task."""
    hides_all: frozenset[str]
    """Of which kind, `vars` or `env`, some secret has a name that is computed: any of that kind may be one."""
    is_open: bool
    """They may use more than they name."""
    texts: Mapping[str, str]
    """The files that they read, include or import, by path."""
    digests: Mapping[str, str]
    """The SHA-256 of each of these files."""

    def uses(self, name: str) -> bool:
        """Tell whether a value may be needed to render them."""
        return self.is_open or name in self.words

    def may_hold(self, kind: str, name: str) -> bool:
        """Tell whether the value of a name of `vars` or `env` is no secret by where it stands."""
        return f"{kind}.{name}" in self.shown or (kind not in self.hides_all and name not in self.hidden)


def kept(desired: Desired, opened: Collection[Address]) -> Kept:
    """Return what may be kept for some tasks; raise ManifestError where a file has changed since they were rendered."""
    cells = [desired.cells[address] for address in opened]
    read = ProjectTexts(Path(desired.project.folder))
    texts = _texts(desired, cells, read)
    shown = [text for cell in cells for _, text in _templates(cell, secret=False)] + list(texts.values())
    secret = [text for cell in cells for _, text in _templates(cell, secret=True)]
    named = [found for text in shown for found in _named(text)]
    everywhere = [text for cell in desired.cells.values() for _, text in _templates(cell, secret=True)]
    return Kept(
        words=_words([*shown, *secret]),
        shown=frozenset(named),
        used=_words(tag for text in shown for tag in _TAG.findall(text)),
        hidden=_words(everywhere),
        hides_all=_computed(everywhere),
        is_open=bool(_computed([*shown, *secret])),
        texts=texts,
        digests={path: read.read[path] for path in texts},
    )


def _words(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in _WORD.findall(text))


def _named(text: str) -> Iterator[str]:
    """Yield what a text names of `vars` and `env`; the bare word where it names nothing of it."""
    for tag in _TAG.findall(text):
        for found in _NAMED.finditer(tag):
            name = found[2] or found[4]
            yield f"{found[1]}.{name}" if name else found[1]


def _computed(texts: Iterable[str]) -> frozenset[str]:
    """Return which of `vars` and `env` templates may use more of than they name."""
    return frozenset(name for text in texts for name in _named(text) if "." not in name)


def _templates(cell: Cell, *, secret: bool) -> Iterator[tuple[_Path, str]]:
    """Yield the templates of what is sent of a task: those where secrets belong, or all others."""
    spec = {name: cell.task.spec[name] for name in SENT if name in cell.task.spec}
    for path, text in _within(spec, ()):
        if is_secret_place(path) is secret:
            yield path, text


def _within(value: Any, path: _Path) -> Iterator[tuple[_Path, str]]:
    if isinstance(value, str):
        if is_template(value):
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _within(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _within(item, (*path, index))


def _texts(desired: Desired, opened: Collection[Cell], texts: ProjectTexts) -> dict[str, str]:
    """Return the texts that open tasks use, or may use once results are known, by path; none that is a secret."""
    found = _reached(texts, (text for cell in opened for _, text in _templates(cell, secret=False)))
    everywhere = [text for cell in desired.cells.values() for _, text in _templates(cell, secret=True)]
    if opened and not any(map(_is_computed, everywhere)):
        secret = _reached(texts, everywhere)
        known = _followed(texts, list(desired.texts))
        found |= {path: text for path, text in known.items() if path not in secret}
    _require_unchanged(desired, texts, found)
    return dict(sorted(found.items()))


def _is_computed(text: str) -> bool:
    """Tell whether a template reads a text whose name is not written in it."""
    return len(_READS.findall(text)) > len(_WHOLE_NAMES.findall(text))


def _reached(texts: ProjectTexts, templates: Iterable[str]) -> dict[str, str]:
    """Return the texts that templates name, and those that these name, by path."""
    return _followed(texts, [found["name"] for text in templates for found in _TEXT_NAMES.finditer(text)])


def _followed(texts: ProjectTexts, waiting: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        for read in (texts.text, texts.macros):
            try:
                text = read(name)
            except WrongTemplateError:
                continue
            if text.path not in found:
                found[text.path] = text.text
                waiting += [one["name"] for one in _TEXT_NAMES.finditer(text.text)]
    return found


def _require_unchanged(desired: Desired, texts: ProjectTexts, found: Mapping[str, str]) -> None:
    changed = [path for path, digest in desired.texts.items() if path in found and texts.read[path] != digest]
    if changed:
        raise ManifestError(
            [
                Diagnostic(
                    summary=SUMMARY,
                    detail=f"`{path}` has changed while the plan was made.",
                    hint="Plan again.",
                    position=Position(file=path),
                )
                for path in changed
            ]
        )
