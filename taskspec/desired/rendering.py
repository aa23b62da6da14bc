"""Rendering of texts, with what they include and import. Knows no manifest."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Template, Undefined, nodes

from taskspec.desired.callables import Function
from taskspec.desired.compiling import Compiler
from taskspec.desired.cutting import AS_TEXT, Piece, cut
from taskspec.desired.deriving import Secrets
from taskspec.desired.faults import FAULTS, fault_of
from taskspec.desired.including import ProjectText, ProjectTexts
from taskspec.desired.later import Later
from taskspec.desired.metering import MAX_TEXT, Meter, TooMuchError
from taskspec.desired.sandbox import VALUE, Sandbox
from taskspec.desired.scope import WrongTemplateError
from taskspec.documents.fitting import is_text

MAX_INCLUDES: Final = 20
"""Files that include each other, one within the other."""
_SEEN: Final = 8
"""Units of work of one value that a single expression gives."""


class Renderer:
    """Renders texts; `close` keeps what was compiled for the next time. Without texts there is no file to include.

    `written` is asked for what to render instead of a text, and instead of that of each file by its name.
    """

    def __init__(
        self,
        cache_folder: Path | None,
        texts: ProjectTexts | None = None,
        written: Callable[[str, str], str] = lambda text, _: text,
    ) -> None:
        self._written = written
        self._meter = Meter()
        self._texts = texts
        functions = {"file": Function("file", self._file)}
        self._environment = Sandbox(self._meter, self._part, functions)
        self._compiler = Compiler(self._environment, cache_folder)
        self._templates: dict[str, Template] = {}
        self._within: list[str] = []
        self._keeps = True
        self._part_templates: dict[str, Template] = {}

    @property
    def work(self) -> int:
        """Return the units of work that all templates together have taken."""
        return self._meter.work

    def close(self) -> None:
        """Write newly compiled code to the cache."""
        self._compiler.close()

    def render(self, text: str, names: Mapping[str, Any], secrets: Secrets | None = None, *, keep: bool = True) -> Any:
        """Return the rendered text, or the value itself where the text is one single expression.

        With `secrets`, the names are masked: a filter that meets a placeholder adds what stands behind its own.
        Without `keep` nothing of the text comes into the cache folder. Raises WrongTemplateError, with its place.
        """
        self._keeps = keep
        pieces = cut(text)
        if pieces is not None and (found := self._pieced(pieces, names, secrets)) is not None:
            return found
        return self.compute(self._known(text), names, secrets)

    def compute(self, template: Template, names: Mapping[str, Any], secrets: Secrets | None = None) -> Any:
        """Return what a compiled text or expression gives, as `render` does."""
        self._begin(secrets)
        try:
            return _run(template, self._environment.functions | dict(names), self._meter)
        except FAULTS as error:
            fault = fault_of(error, names)
            if fault is error:
                raise
            raise fault from error

    def _begin(self, secrets: Secrets | None) -> None:
        self._meter.restart()
        self._within = []
        self._environment.secrets = secrets

    def _pieced(self, pieces: Sequence[Piece], names: Mapping[str, Any], secrets: Secrets | None) -> str | None:
        """Return the pieces rendered, put together; None where one cannot be: the whole then tells why."""
        self._begin(secrets)
        seen = self._environment.functions | dict(names)
        parts: list[str] = []
        line = 0
        for piece in pieces:
            try:
                parts.append(self._run_piece(piece.text, seen) if piece.is_markup else piece.text)
            except TooMuchError as error:
                fault = fault_of(error, names)
                fault.entry_line += line
                fault.line += 0 if fault.file else line
                raise
            except FAULTS:
                return None
            line += piece.text.count("\n")
        return "".join(parts) if sum(map(len, parts)) <= MAX_TEXT else None

    def _run_piece(self, text: str, names: dict[str, Any]) -> Any:
        return _run(self._known(text + AS_TEXT), names, self._meter)

    def _known(self, text: str) -> Template:
        template = self._templates.get(text)
        if template is None:
            template = self._templates[text] = self._compiler.template(self._written(text, ""), keep=self._keeps)
        return template

    def parsed(self, text: str, file: str = "") -> nodes.Template:
        """Return the syntax tree of a text, or of the text of an included file; raises WrongTemplateError."""
        return self._compiler.parsed(self._written(text, file), file)

    def lexed(self, text: str) -> Iterable[tuple[int, str, str]]:
        """Yield line, kind and characters of the words of a text; raises the engine's own error."""
        return self._environment.lexer.tokeniter(text, None)

    def expression(self, expression: nodes.Expr, key: str) -> Template:
        """Return an expression compiled, for `compute`; `key` tells it from every other. Changes its syntax tree."""
        return self._compiler.expression(expression, key)

    def part(self, name: Any, *, is_macros: bool) -> tuple[str, str]:
        """Return path and text of what a template includes, or imports macros from; raises WrongTemplateError."""
        texts = self._known_texts()
        found = texts.macros(name) if is_macros else texts.text(name)
        return found.path, found.text

    def _known_texts(self) -> ProjectTexts:
        if self._texts is None:
            raise WrongTemplateError("There are no files to read here.")
        return self._texts

    def _file(self, path: Any) -> str:
        self._meter.weigh(path)
        found: ProjectText = self._known_texts().text(path)
        self._meter.weigh(found.text)
        return found.text

    def _part(self, name: Any, is_macros: bool) -> Template:
        self._meter.step()
        self._meter.weigh(name)
        path, text = self.part(name, is_macros=is_macros)
        if path in self._within:
            circle = " → ".join([*self._within[self._within.index(path) :], path])
            raise WrongTemplateError(f"A file includes itself: {circle}.", hint="Take one of these includes out.")
        if len(self._within) >= MAX_INCLUDES:
            raise WrongTemplateError(f"Files include each other more than {MAX_INCLUDES} deep.")
        if is_macros:
            return self._entered(path, text)  # a new one each time: the engine would keep what its macros saw
        if path not in self._part_templates:
            self._part_templates[path] = self._entered(path, text)
        return self._part_templates[path]

    def _entered(self, path: str, text: str) -> Template:
        template = self._compiler.template(self._written(text, path), path, keep=self._keeps)
        root = template.root_render_func

        def run(context: Any) -> Iterator[str]:
            within = self._within
            within.append(path)
            try:
                yield from root(context)
            finally:
                within.pop()

        template.root_render_func = run
        return template


def _run(template: Template, names: dict[str, Any], meter: Meter) -> Any:
    context = template.new_context(names, shared=True)
    length = 0
    parts = []
    for part in template.root_render_func(context):
        length += len(part)
        if length > MAX_TEXT:
            raise TooMuchError(f"The text is longer than {MAX_TEXT:,} characters.")
        parts.append(part)
    found = _plain(context.vars[VALUE], meter) if VALUE in context.vars else "".join(parts)
    if not is_text(found):
        raise WrongTemplateError("The template gives half of a character (an unpaired surrogate).")
    return found


def _plain(value: Any, meter: Meter) -> Any:
    meter.charge(_SEEN)  # what stands in a value many times is copied as often
    if type(value) is Undefined:
        return None
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item, meter) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, meter) for item in value]
    if isinstance(value, Later):
        return str(value)
    str(value)
    raise WrongTemplateError("The expression gives something that is not a text, a number, a list or a map.")
