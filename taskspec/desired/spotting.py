"""Where exactly a template is wrong: what failed is tried once more on the spread text. Reports nothing itself."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from taskspec.desired.deriving import Secrets
from taskspec.desired.including import ProjectTexts
from taskspec.desired.references import TASKS, Reference, ReferenceFinder
from taskspec.desired.rendering import Renderer
from taskspec.desired.scope import WrongTemplateError
from taskspec.desired.spreading import Lexed, Spread, spread

_UNCLOSED: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}


class Spotter:
    """Tries texts of one project again."""

    def __init__(self, texts: ProjectTexts) -> None:
        self._texts = texts
        self._spreads: dict[str, Spread] = {}
        self._lexed: Lexed = lambda _: ()

    def rendering(
        self, fault: WrongTemplateError, text: str, names: Mapping[str, Any], secrets: Secrets | None
    ) -> None:
        """Give a fault of the rendering of a text its exact place."""
        self._spot(fault, lambda renderer: renderer.render(text, names, secrets))

    def further(self, text: str, names: Mapping[str, Any]) -> list[WrongTemplateError]:
        """Return what is not known in a text, each with its exact place; nothing where it is no template."""
        from taskspec.desired.surveying import survey

        try:
            found = list(survey(self._renderer().parsed(text), names))
        except WrongTemplateError:
            return []
        for fault in found:
            self._place(fault, fault)
        return found

    def referring(self, fault: WrongTemplateError, text: str, names: Mapping[str, Any]) -> None:
        """Give a fault of the search for references its exact place."""
        self._spot(fault, lambda renderer: ReferenceFinder(lambda: renderer, thorough=True).references(text, names))

    def reference(self, reference: Reference, text: str, names: Mapping[str, Any]) -> int | None:
        """Return where, in its text or in the included file, a reference is; None where it is not found again."""
        renderer = self._renderer()
        try:
            found = ReferenceFinder(lambda: renderer, thorough=True).references(text, names)
        except WrongTemplateError:
            return None
        wanted = (reference.address, reference.path, reference.file, reference.line)
        for one in found:
            own = self._spreads[one.file]
            place = own.before(TASKS, own.offset(one.line))
            line = own.line(place)
            if (one.address, one.path, one.file, line) == wanted:
                return place
        return None

    def _renderer(self) -> Renderer:
        self._spreads = {}
        renderer = Renderer(None, self._texts, self._spread)
        self._lexed = renderer.lexed
        return renderer

    def _spread(self, text: str, file: str) -> str:
        found = self._spreads[file] = spread(text, self._lexed)
        return found.text

    def _spot(self, fault: WrongTemplateError, again: Callable[[Renderer], object]) -> None:
        try:
            again(self._renderer())
        except WrongTemplateError as found:
            self._take(fault, found)

    def _take(self, fault: WrongTemplateError, found: WrongTemplateError) -> None:
        if (found.detail, found.file) == (fault.detail, fault.file):
            self._place(fault, found)

    def _place(self, fault: WrongTemplateError, found: WrongTemplateError) -> None:
        entry, own = self._spreads.get(""), self._spreads.get(found.file)
        if entry is None or own is None:
            return
        fault.entry_offset = entry.offset(found.entry_line)
        fault.offset = own.offset(found.line)
        if own.unclosed is not None:
            begin = own.unclosed.text[:2]
            fault.offset = own.unclosed.offset
            fault.detail = f"This `{own.unclosed.text.strip()}` is not closed."
            fault.hint = f"Write `{'{% endraw %}' if 'raw' in own.unclosed.text else _UNCLOSED[begin]}` where it ends."
        elif own.nested is not None and not fault.name:
            fault.offset = own.nested.offset
            fault.detail, fault.hint = "A `{{` stands within a tag.", "Write the name alone there, without braces."
        elif fault.is_open and own.open_blocks:
            fault.offset = own.open_blocks[-1].offset
        elif fault.name:
            named = own.first(fault.name) if fault.is_of_import else own.named(fault.name, fault.offset)
            fault.offset = fault.offset if named is None else named
        if not fault.file:
            fault.entry_offset = fault.offset
