"""Faults of templates → findings at their exact places, each told once. Renders nothing but what is wrong already."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from taskspec.desired.deriving import Secrets
from taskspec.desired.findings import Findings
from taskspec.desired.including import ProjectTexts
from taskspec.desired.pinpointing import Pinpointer
from taskspec.desired.references import Reference
from taskspec.desired.scope import WrongTemplateError
from taskspec.desired.spotting import Spotter
from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.model import Source

WRONG: Final = "Wrong template"
MAX_TRIED: Final = 20
"""How many faults of one text are looked for exactly; a further one stands where one like it was found."""
_Path = tuple[str | int, ...]


class Complainer:
    """Tells what is wrong with the templates of one project."""

    def __init__(self, findings: Findings, texts: ProjectTexts) -> None:
        self._findings = findings
        self._texts = texts
        self._pinpointer = Pinpointer()
        self._spotter = Spotter(texts)
        self._told: dict[tuple[Position, str, str, str], list[Diagnostic]] = {}
        self._unsure: set[tuple[Position, str]] = set()
        """Texts of which it cannot be told what they use: what else is wrong with them may follow from that."""
        self._tried: dict[tuple[Position, str], dict[str, WrongTemplateError]] = {}
        """By text, the faults that were looked for once more."""
        self._within: dict[tuple[Position, str], Diagnostic] = {}
        self._unset: dict[str, Diagnostic] = {}

    def rendering(
        self,
        fault: WrongTemplateError,
        source: Source,
        path: _Path,
        text: str,
        names: Mapping[str, Any],
        secrets: Secrets | None,
        *,
        exactly: bool = True,
    ) -> None:
        """Tell why a text cannot be rendered, and what else in it is not known."""
        key = (source.position(path), text, fault.detail, fault.file)
        if key[:2] in self._unsure:
            return
        if key not in self._told:
            tried = self._tried.setdefault(key[:2], {})
            others: list[WrongTemplateError] = []
            if len(tried) < MAX_TRIED:
                if exactly:
                    self._spotter.rendering(fault, text, names, secrets)
                tried[fault.detail] = fault
                others = [] if fault.file else self._spotter.further(text, names)
            else:
                _take_place(fault, tried.values())
            faults = [fault, *(other for other in others if other.detail != fault.detail)]
            fault.hint = next((other.hint for other in others if other.detail == fault.detail), fault.hint)
            self._told[key] = [self._diagnostic(one, source, path, text) for one in faults if not one.reported]
        self._findings.note(self._told[key])

    def referring(
        self, fault: WrongTemplateError, source: Source, path: _Path, text: str, names: Mapping[str, Any]
    ) -> None:
        """Tell why it cannot be told which results a text uses."""
        key = (source.position(path), text, fault.detail, fault.file)
        if key not in self._told:
            self._spotter.referring(fault, text, names)
            self._unsure.add(key[:2])
            self._told[key] = [] if fault.reported else [self._diagnostic(fault, source, path, text)]
        self._findings.note(self._told[key])

    def reference(
        self, reference: Reference, source: Source, path: _Path, text: str, names: Mapping[str, Any]
    ) -> Position:
        """Return where a use of a result stands."""
        found = self._spotter.reference(reference, text, names)
        if reference.file:
            fault = reference.fault("")
            fault.offset = found
            return self._texts.position(fault)
        if found is None:
            return source.text_position(path, reference.entry_line, 1)
        return self._pinpointer.at(source, path, text, found)

    def _diagnostic(self, fault: WrongTemplateError, source: Source, path: _Path, text: str) -> Diagnostic:
        entry = self._pinpointer.position(source, path, text, fault)
        if fault.unset is not None:
            variable = fault.unset
            detail = f"`{fault.name}` is declared at {variable.position}, and has no value."
            wrong = Diagnostic(summary=WRONG, detail=detail, hint=fault.hint, position=entry)
            return self._unset.setdefault(variable.name, wrong)
        if not fault.file:
            return Diagnostic(summary=WRONG, detail=fault.detail, hint=fault.hint, position=entry)
        position = self._texts.position(fault)
        detail = f"{fault.detail} It is used at {entry}."
        wrong = Diagnostic(summary=WRONG, detail=detail, hint=fault.hint, position=position)
        return self._within.setdefault((position, fault.detail), wrong)


def _take_place(fault: WrongTemplateError, known: Iterable[WrongTemplateError]) -> None:
    """Give a fault the place of one that is in the same line, and about the same name."""
    here = (fault.file, fault.line, fault.name)
    like = next((one for one in known if (one.file, one.line, one.name) == here), None)
    if like is not None:
        fault.offset, fault.entry_offset = like.offset, like.entry_offset
