"""Where exactly a template is wrong: what failed is tried once more on the spread text. Reports nothing itself."""

from collections.abc import Callable, Hashable, Mapping
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
        self._finder: ReferenceFinder | None = None
        self._referring: _Referring | None = None

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
        """Return where, in its text or in the included file, a reference is; None where it is not found again.

        A text has all of its references found at once: the last one is remembered, for each of them is asked about.
        """
        if self._referring is None or self._referring.text != text:
            self._referring = _Referring(text=text, spotter=Spotter(self._texts))
        return self._referring.place(reference, names)

    def places(self, text: str, names: Mapping[str, Any]) -> dict[Hashable, int]:
        """Return where the references of a text are, by `_identity`; nothing where they are not found again."""
        if self._finder is None:
            renderer = self._renderer()
            self._finder = ReferenceFinder(lambda: renderer, thorough=True)
        found: dict[Hashable, int] = {}
        try:
            references = self._finder.references(text, names)
        except WrongTemplateError:
            return found
        for one in references:
            own = self._spreads[one.file]
            place = own.before(TASKS, own.offset(one.line))
            found.setdefault(_identity(one, own.line(place)), place)
        return found

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


class _Referring:
    """Where the references of one text are, by the names that were known; it is analysed once."""

    def __init__(self, *, text: str, spotter: Spotter) -> None:
        self.text = text
        self._spotter = spotter
        self._names: Mapping[str, Any] | None = None
        self._places: dict[Hashable, int] = {}

    def place(self, reference: Reference, names: Mapping[str, Any]) -> int | None:
        if self._names != names:
            self._names, self._places = names, self._spotter.places(self.text, names)
        return self._places.get(_identity(reference, reference.line))


def _identity(reference: Reference, line: int) -> Hashable:
    return (reference.address, reference.path, reference.file, line)
