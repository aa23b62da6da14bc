"""The syntax tree of a template → the results of other tasks that it uses. Renders nothing but their names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from jinja2 import Template, nodes

from taskspec.desired.references import TASKS, Reference, checked_address, may_refer
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError
from taskspec.desired.syntax import given, is_printed, is_target, names_in, unseen, used, walked

_OF_THE_ENGINE: Final = frozenset({"loop", "caller", "varargs", "kwargs", "self"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """A text that a template gives: a constant, or an expression to be computed, with the names that it needs."""

    constant: str | None
    expression: Template | None = None
    needs: frozenset[str] = frozenset()
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Use:
    key: _Words
    path: tuple[str | int, ...]
    is_printed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    name: _Words
    is_macros: bool


@dataclass(kw_only=True, slots=True)
class _Analysis:
    """What one text uses, whatever the names."""

    uses: list[_Use] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    """The names that the text itself gives values to."""


class Analyst:
    """Analyses texts; each once."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._known: dict[tuple[str, str], _Analysis] = {}

    def references(self, text: str, names: Mapping[str, Any]) -> tuple[Reference, ...]:
        """Return the uses of a text, in order, each once; `names` are those known before any result is."""
        asked = _Asked(self, {name: value for name, value in names.items() if name != TASKS})
        asked.follow(text, "", frozenset())
        return tuple(dict.fromkeys(asked.found))

    def computed(self, words: _Words, names: Mapping[str, Any]) -> Any:
        """Return the text that is meant."""
        return words.constant if words.expression is None else self._renderer.compute(words.expression, names)

    def analysis(self, text: str, file: str) -> _Analysis:
        """Return what a text uses."""
        found = self._known.get((file, text))
        if found is None:
            try:
                found = self._known[file, text] = self._analysed(text, file)
            except RecursionError as error:
                raise WrongTemplateError("The template is nested too deeply.") from error
        return found

    def text(self, name: Any, *, is_macros: bool) -> tuple[str, str]:
        """Return path and text of a file that is included or imported."""
        return self._renderer.part(name, is_macros=is_macros)

    def _analysed(self, text: str, file: str) -> _Analysis:
        tree = self._renderer.parsed(text, file)
        found = _Analysis()
        own = set(_OF_THE_ENGINE)
        strange: list[tuple[str, nodes.Expr, str]] = []
        reused: set[str] = set()
        for node, holders in walked(tree):
            own.update(given(node))
            if TASKS in own:
                raise WrongTemplateError(
                    "`tasks` stands for the results of other tasks, and cannot be given another value.",
                    hint="Take another name.",
                    line=node.lineno,
                    name=TASKS,
                )
            if isinstance(node, nodes.Name) and node.name == TASKS:
                key, path = used(node, holders)
                words = self._words(key, text, file, len(found.uses))
                found.uses.append(_Use(key=words, path=path, is_printed=is_printed(holders)))
            elif isinstance(node, nodes.Name) and node.ctx == "load" and (step := unseen(node, holders)):
                strange.append((node.name, *step))
            elif isinstance(node, nodes.Name) and node.ctx != "load" and not is_target(holders):
                reused.add(node.name)
            elif isinstance(node, nodes.Include | nodes.Import | nodes.FromImport):
                is_macros = not isinstance(node, nodes.Include)
                name = self._words(node.template, text, file, -1 - len(found.steps))
                found.steps.append(_Step(name=name, is_macros=is_macros))
        for owner, key, member in strange:
            if owner not in reused:
                words = self._words(key, text, file, len(found.uses))
                found.uses.append(_Use(key=words, path=(0, member), is_printed=False))
        found.own = frozenset(own)
        return found

    def _words(self, node: nodes.Expr, text: str, file: str, place: int) -> _Words:
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            return _Words(constant=node.value, line=node.lineno)
        needs = frozenset(name.name for name in names_in(node))
        compiled = self._renderer.expression(node, f"{place}\0{file}\0{text}")
        return _Words(constant=None, expression=compiled, needs=needs, line=node.lineno)


class _Asked:
    """One question: the uses of a text and of all that it includes, with certain names."""

    def __init__(self, analyst: Analyst, names: Mapping[str, Any]) -> None:
        self.found: list[Reference] = []
        self._analyst = analyst
        self._names = names
        self._seen: set[str] = set()
        self._entry: int | None = None

    def follow(self, text: str, file: str, outer: frozenset[str]) -> None:
        if not may_refer(text):
            return
        try:
            analysis = self._analyst.analysis(text, file)
        except WrongTemplateError as fault:
            self._raise(fault, file)
        own = analysis.own | outer
        for use in analysis.uses:
            line = use.key.line
            try:
                address = checked_address(self._computed(use.key, own, file), line)
            except WrongTemplateError as fault:
                self._raise(fault, file)
            entry = line if self._entry is None else self._entry
            self.found.append(
                Reference(
                    address=address,
                    path=use.path,
                    line=line,
                    file=file,
                    entry_line=entry,
                    is_printed=use.is_printed,
                )
            )
        for step in analysis.steps:
            self._enter(step, own, file)

    def _enter(self, step: _Step, own: frozenset[str], file: str) -> None:
        name = self._computed(step.name, own, file)
        try:
            path, text = self._analyst.text(name, is_macros=step.is_macros)
        except WrongTemplateError as fault:
            fault.line = step.name.line
            self._raise(fault, file)
        if path in self._seen:
            return
        self._seen.add(path)
        outermost = self._entry is None
        if outermost:
            self._entry = step.name.line
        self.follow(text, path, own)
        if outermost:
            self._entry = None

    def _computed(self, words: _Words, own: frozenset[str], file: str) -> Any:
        try:
            _check_needs(words.needs & (own | {TASKS}))
            return self._analyst.computed(words, self._names)
        except WrongTemplateError as fault:
            fault.line = words.line
            self._raise(fault, file)

    def _raise(self, fault: WrongTemplateError, file: str) -> NoReturn:
        fault.file = fault.file or file
        fault.entry_line = fault.line if self._entry is None else self._entry
        raise fault


def _check_needs(names: frozenset[str]) -> None:
    for name in sorted(names):
        what = "the result of another task" if name == TASKS else f"`{name}`, which the template itself sets"
        raise WrongTemplateError(
            f"Which result is used cannot be told before rendering: the name depends on {what}.",
            hint="Name it by a constant, by `vars`, `matrix` or `each`, or all cells with `tasks['NAME[*]']`.",
            name=name,
        )
