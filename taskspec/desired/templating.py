"""A task's spec → the same spec with its templates rendered, once with real values and once masked. Opens no file."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from taskspec.desired.budgeting import Budget
from taskspec.desired.deriving import COMPUTED, COMPUTED_HINT, Secrets, SecretUseError
from taskspec.desired.dotted import NOTHING, fill, is_template, split
from taskspec.desired.findings import Findings
from taskspec.desired.including import ProjectTexts
from taskspec.desired.later import LaterError
from taskspec.desired.metering import MAX_TEXT, TooMuchError
from taskspec.desired.model import Cell
from taskspec.desired.normalising import is_secret_place
from taskspec.desired.references import Reference, ReferenceFinder, may_refer
from taskspec.desired.scope import Scope, WrongTemplateError, placeholders, revealed
from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.model import Source
from taskspec.documents.violating import SECRET

if TYPE_CHECKING:
    from taskspec.desired.complaining import Complainer
    from taskspec.desired.rendering import Renderer

_Path = tuple[str | int, ...]

_TEXTS: Final = frozenset(
    {
        ("agent",),
        ("agentVersion",),
        ("title",),
        ("prompt",),
        ("outputFormat",),
        ("additionalContext",),
        ("expectedOutput",),
        ("instructionsOverride",),
        ("source",),
        ("thinkMode",),
        ("userOidcToken",),
        ("user", "email"),
        ("user", "id"),
        ("user", "firstName"),
        ("user", "lastName"),
        ("user", "timezone"),
        ("harness", "cli"),
        ("harness", "permissionMode"),
        ("llm", "provider"),
        ("llm", "name"),
        ("llm", "reasoningEffort"),
    }
)
"""The fields that are texts by schema: there a number becomes its text."""
_OWN: Final = re.compile(r"\b(?:matrix|each|tasks|include|import)\b")
"""What a text must mention to depend on the names that only one cell has."""
_WRONG: Final = "Wrong template"


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderedSpec:
    """The rendered fields of a task; `masked` is `real` itself where no secret occurs."""

    real: Mapping[str, Any] = field(repr=False)
    masked: Mapping[str, Any]
    templates: tuple[tuple[_Path, str], ...] = ()
    """The texts that were rendered, as they are written: then the values are to be checked again."""

    def without(self, fields: Collection[str]) -> "RenderedSpec":
        """Return it without some of its fields."""
        real = {name: value for name, value in self.real.items() if name not in fields}
        masked = {name: value for name, value in self.masked.items() if name not in fields}
        return replace(self, real=real, masked=real if self.masked is self.real else masked)


class SpecRenderer:
    """Renders the specs of one project, and notes what is wrong with their templates."""

    def __init__(self, scope: Scope, cache_folder: Path | None, texts: ProjectTexts) -> None:
        self.findings = Findings()
        self._scope = scope
        self._cache_folder = cache_folder
        self._texts = texts
        self._complainer: Complainer | None = None
        self._engine: Renderer | None = None
        self._done: dict[str, tuple[Any, Any]] = {}
        self._secrets = placeholders(scope.real["vars"], scope.masked["vars"]) if scope.has_secrets else {}
        self._derived: set[str] = set()
        self._keeps = True
        self._budget = Budget()
        self._finder = ReferenceFinder(self._jinja)
        self._source: Source | None = None
        self._real: Mapping[str, Any] = scope.real
        self._masked: Mapping[str, Any] = scope.masked
        self._has_own = False
        self._ahead = False
        self._sound = True
        self._templates: list[tuple[_Path, str]] = []

    def render(
        self, cell: Cell, fields: tuple[str, ...], tasks: Mapping[str, Any] | None = None, *, ahead: bool = False
    ) -> RenderedSpec | None:
        """Return the named fields of a cell, rendered; None where a template is wrong.

        `tasks` is what stands behind that name. `ahead` of the results, a text that needs them stays as it is written.
        """
        if tasks is not None and not ahead:
            self._budget.renew()
        self._begin(cell, tasks, ahead=ahead)
        spec = cell.task.spec
        real: dict[str, Any] = {}
        masked: dict[str, Any] = {}
        for name in fields:
            if name in spec:
                real[name], masked[name] = self._walk(spec[name], (name,))
        if not self._sound:
            return None
        same = all(real[name] is masked[name] for name in real)
        return RenderedSpec(real=real, masked=real if same else masked, templates=tuple(self._templates))

    def value(self, cell: Cell, value: Any, path: _Path) -> tuple[Any, Any]:
        """Return one value of a cell's spec rendered, as it is and masked; None twice where a template is wrong."""
        self._begin(cell, None, ahead=False)
        return self._walk(value, path)

    def references(self, cell: Cell, text: str, path: _Path) -> tuple[Reference, ...]:
        """Return the uses of other tasks' results in one text; what cannot be told is reported."""
        if not may_refer(text):
            return ()
        self._begin(cell, None, ahead=False)
        try:
            return self._finder.references(text, self._masked)
        except WrongTemplateError as fault:
            self._sound = False
            self._complaints().referring(fault, self._known_source(), path, text, self._masked)
            return ()

    def reference_position(self, cell: Cell, reference: Reference, text: str, path: _Path) -> Position:
        """Return where a use of a result stands, that is in the text at a path."""
        self._begin(cell, None, ahead=False)
        return self._complaints().reference(reference, self._known_source(), path, text, self._masked)

    def names(self, own: Mapping[str, Any], tasks: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return what the templates of a cell see, masked."""
        return {**self._scope.masked, **own, **({"tasks": tasks} if tasks is not None else {})}

    def again(self, text: str, names: Mapping[str, Any]) -> Any:
        """Return what a text that was rendered before gives, masked, with the same names; raises WrongTemplateError."""
        self._keeps = False
        return self._found(text, names, dict(self._secrets) if self._scope.has_secrets else None)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the texts that stand behind placeholders: of sensitive variables, and what filters made of them."""
        return frozenset(str(value) for value in self._secrets.values() if _may_be_told(value)) | self._derived

    def uses(self, text: str, names: Mapping[str, Any]) -> tuple[Reference, ...]:
        """Return the uses of other tasks' results in a text that was found sound."""
        return self._finder.references(text, names)

    def _begin(self, cell: Cell, tasks: Mapping[str, Any] | None, *, ahead: bool) -> None:
        self.findings.cell = cell.address
        self._source, self._sound, self._templates, self._ahead = cell.task.source, True, [], ahead
        self._has_own = bool(cell.names) or tasks is not None
        if self._has_own:
            own = {**cell.names, "tasks": tasks} if tasks is not None else cell.names
            self._real = {**self._scope.real, **own}
            self._masked = {**self._scope.masked, **own} if self._scope.has_secrets else self._real
        else:
            self._real, self._masked = self._scope.real, self._scope.masked

    def close(self) -> None:
        """Keep what was compiled for the next time, and forget what was rendered."""
        self._done.clear()
        if self._engine is not None:
            self._engine.close()

    def _walk(self, value: Any, path: _Path) -> tuple[Any, Any]:
        if isinstance(value, str):
            return self._text(value, path) if is_template(value) else (value, value)
        if isinstance(value, Mapping):
            pairs = {key: self._walk(item, (*path, key)) for key, item in value.items() if self._plain_key(key, path)}
            real: Any = {key: pair[0] for key, pair in pairs.items()}
            same = all(pair[0] is pair[1] for pair in pairs.values())
            return real, real if same else {key: pair[1] for key, pair in pairs.items()}
        if isinstance(value, list):
            items = [self._walk(item, (*path, index)) for index, item in enumerate(value)]
            real = [pair[0] for pair in items]
            return real, real if all(pair[0] is pair[1] for pair in items) else [pair[1] for pair in items]
        return value, value

    def _plain_key(self, key: str, path: _Path) -> bool:
        if not is_template(key):
            return True
        self._sound = False
        self.findings.note(
            [
                Diagnostic(
                    summary=_WRONG,
                    detail="The name of a field is not rendered.",
                    hint="Write the name itself; templates belong into values.",
                    position=self._known_source().position((*path, key), key=True),
                )
            ]
        )
        return False

    def _text(self, text: str, path: _Path) -> tuple[Any, Any]:
        self._templates.append((path, text))
        self._keeps = path[0] not in SECRET  # what is written out there is not kept outside of the project
        self._texts.is_shown = not is_secret_place(path)
        wants_text = _wants_text(path)
        try:
            real, masked = self._rendered(text if wants_text else text.strip())
            if not wants_text:
                return real, masked
            shown = _as_text(masked)
            return shown if real is masked else _as_text(real), shown
        except WrongTemplateError as fault:
            if self._ahead and isinstance(fault, LaterError):
                return text, text
            if not wants_text:
                fault.shift(text[: len(text) - len(text.lstrip())].count("\n"))
            self._sound = False
            secrets = dict(self._secrets) if self._scope.has_secrets else None
            exactly = fault.detail != COMPUTED
            source, names = self._known_source(), self._masked
            self._complaints().rendering(fault, source, path, text, names, secrets, exactly=exactly)
        return None, None

    def _rendered(self, text: str) -> tuple[Any, Any]:
        if self._has_own and _OWN.search(text):
            return self._both(text) if self._scope.has_secrets else self._once(text)
        found = self._done.get(text)
        if found is None:
            found = self._done[text] = self._both(text) if self._scope.has_secrets else self._once(text)
        return found

    def _once(self, text: str) -> tuple[Any, Any]:
        real = self._evaluated(text, self._real)
        return real, real

    def _both(self, text: str) -> tuple[Any, Any]:
        """Render masked first: so no message of the engine can hold a secret.

        What is sent must be what is shown but for the secrets: a template that looks into one is refused.
        """
        secrets = dict(self._secrets)
        try:
            masked = self._evaluated(text, self._masked, secrets)
        except WrongTemplateError as fault:
            if not isinstance(fault, LaterError | SecretUseError) and self._renders(text):
                raise WrongTemplateError(COMPUTED, hint=COMPUTED_HINT, line=fault.line) from None
            raise
        try:
            real = self._evaluated(text, self._real)
        except WrongTemplateError as fault:
            raise WrongTemplateError(COMPUTED, hint=COMPUTED_HINT, line=fault.line) from None
        if real == masked and type(real) is type(masked):
            return real, real
        if revealed(masked, secrets) != real:
            raise WrongTemplateError(COMPUTED, hint=COMPUTED_HINT)
        self._derived.update(str(secrets[name]) for name in secrets.keys() - self._secrets.keys())
        return real, masked

    def _renders(self, text: str) -> bool:
        try:
            self._evaluated(text, self._real)
        except WrongTemplateError:
            return False
        return True

    def _evaluated(self, text: str, names: Mapping[str, Any], secrets: Secrets | None = None) -> Any:
        if self.findings.are_many:
            fault = WrongTemplateError("There are too many findings.")
            fault.reported = True
            raise fault
        self._budget.require()
        before = self._engine.work if self._engine is not None else 0
        try:
            found = self._found(text, names, secrets)
        finally:
            self._budget.work((self._engine.work if self._engine is not None else 0) - before)
        self._budget.make(found)
        return found

    def _found(self, text: str, names: Mapping[str, Any], secrets: Secrets | None) -> Any:
        parts = split(text)
        found = NOTHING if parts is None else fill(parts, names)
        if found is NOTHING:
            return self._jinja().render(text, names, secrets, keep=self._keeps)
        if isinstance(found, str) and len(found) > MAX_TEXT:
            raise TooMuchError(f"The text is longer than {MAX_TEXT:,} characters.")
        return found

    def _jinja(self) -> "Renderer":
        if self._engine is None:
            from taskspec.desired.rendering import Renderer

            self._engine = Renderer(self._cache_folder, self._texts)
        return self._engine

    def _complaints(self) -> "Complainer":
        if self._complainer is None:
            from taskspec.desired.complaining import Complainer

            self._complainer = Complainer(self.findings, self._texts)
        return self._complainer

    def _known_source(self) -> Source:
        assert self._source is not None
        return self._source


def as_rendered(text: str, path: _Path) -> tuple[int, str]:
    """Return the text that is rendered of one at a path, and how many characters into it that begins."""
    return (0, text) if _wants_text(path) else (len(text) - len(text.lstrip()), text.strip())


def _may_be_told(value: Any) -> bool:
    """Tell whether somebody could show that a value is the secret one: true, false and nothing stand everywhere."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _wants_text(path: _Path) -> bool:
    return path in _TEXTS or (path[0] == "files" and len(path) > 1)


def _as_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        kind = "map" if isinstance(value, dict) else "list"
        raise WrongTemplateError(
            f"The expression gives a {kind}, but here a text is wanted.",
            hint="Write a list with `| join(', ')`, anything with `| tojson`.",
        )
    return str(value)
