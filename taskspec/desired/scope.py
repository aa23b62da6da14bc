"""What a template sees, and the words for a name that it does not see. Renders nothing."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from taskspec.diagnostics import nearest
from taskspec.documents.model import VariableSpec

ONLY_IN_CELLS: Final[Mapping[str, str]] = {"matrix": "matrix", "each": "forEach"}
"""Names that only the templates of a task with that field see."""


WRONG_VALUES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    MemoryError,
)
"""What an expression raises whose values do not fit."""


class WrongTemplateError(Exception):
    """What is wrong in a template; `line` counts from 1 within its text."""

    def __init__(self, detail: str, *, hint: str = "", line: int = 1, name: str = "") -> None:
        super().__init__(detail)
        self.detail = _writable(detail)
        self.hint = _writable(hint)
        self.line = line
        self.file = ""
        """The included or imported file whose line it is, relative to the project; nothing for the text itself."""
        self.entry_line = line
        """The line within the text itself: that which includes the file, or `line`."""
        self.name = name
        """The name that the fault is about, as the template writes it, where there is one."""
        self.offset: int | None = None
        """Where it is, in the text or the file, where that is known better than by its line."""
        self.entry_offset: int | None = None
        """The same for the text itself: of what includes the file, or the same."""
        self.is_open = False
        """A block has no end."""
        self.is_certain = False
        """It is a mistake, also where it is tested for."""
        self.is_of_import = False
        """What is named is where it is imported, and shows where it is used."""
        self.unset: VariableSpec | None = None
        """The declared variable that has no value, where that is the fault."""
        self.reported = False
        """The cause has its own diagnostic already (a variable whose given value was refused)."""

    def shift(self, lines: int) -> None:
        """Take note that the text begins so many lines into a longer one."""
        self.entry_line += lines
        if not self.file:
            self.line += lines


_SHOWN: Final = 12
_UNKNOWN: Final = "Values of your own are `vars.NAME`; a text stands in quotes."
_MARK: Final = "(sensitive: "


class Names(dict[str, Any]):
    """The map behind a top-level name, which can say why something is not in it."""

    __slots__ = ("absent", "broken", "is_open", "path", "unset")

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        path: str,
        unset: Mapping[str, VariableSpec] | None = None,
        broken: Iterable[str] = (),
        absent: Iterable[str] = (),
        is_open: bool = False,
    ) -> None:
        super().__init__(values)
        self.path = path
        self.unset = unset or {}
        self.broken = frozenset(broken)
        self.absent = frozenset(absent)
        """Names that might be there, and are not: they can be tested for."""
        self.is_open = is_open
        """What should be in it is not known, because something is wrong with that: this is told already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The names of a template: with the real values, and with a placeholder for each sensitive one."""

    real: Mapping[str, Any] = field(repr=False)
    masked: Mapping[str, Any]

    @property
    def has_secrets(self) -> bool:
        """Tell whether any value is sensitive: then both renderings are wanted."""
        return self.masked is not self.real


def placeholder(path: str) -> str:
    """Return what stands for a secret wherever it is shown, compared or recorded."""
    return f"{_MARK}{path})"


def mask(value: Any, path: str) -> Any:
    """Return a value with the same maps and lists, and a placeholder for everything that is in them."""
    if isinstance(value, dict):
        return {k: mask(v, f"{path}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        return [mask(v, f"{path}[{i}]") for i, v in enumerate(value)]
    return placeholder(path)


def placeholders(real: Any, masked: Any) -> dict[str, Any]:
    """Return the secret behind each placeholder, given the same names with and without their secrets."""
    if isinstance(masked, dict) and isinstance(real, dict):
        found: dict[str, Any] = {}
        for key in masked:
            found |= placeholders(real[key], masked[key])
        return found
    if isinstance(masked, list) and isinstance(real, list):
        found = {}
        for shown, kept in zip(masked, real, strict=True):
            found |= placeholders(kept, shown)
        return found
    return {masked: real} if isinstance(masked, str) and masked is not real else {}


def names_a_secret(masked: Any) -> bool:
    """Tell whether a placeholder, or what looks like one, stands anywhere in a value."""
    waiting = [masked]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if _MARK in item:
                return True
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            waiting += item
    return False


def revealed(masked: Any, secrets: Mapping[str, Any]) -> Any:
    """Return a masked rendering with every placeholder replaced by its secret, and nothing else changed."""
    if isinstance(masked, str):
        if _MARK not in masked:
            return masked
        if masked in secrets:
            return secrets[masked]
        longest_first = sorted(secrets, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda found: str(secrets[found[0]]), masked)
    if isinstance(masked, dict):
        return {key: revealed(item, secrets) for key, item in masked.items()}
    if isinstance(masked, list):
        return [revealed(item, secrets) for item in masked]
    if isinstance(masked, tuple):
        return tuple(revealed(item, secrets) for item in masked)
    return masked


def _writable(words: str) -> str:
    """Return words with half characters, which an escape in a template can make, spelled out."""
    return words.encode("utf-8", "backslashreplace").decode()


def unknown_name(name: str, seen: Mapping[str, Any]) -> WrongTemplateError:
    """Explain a top-level name that no template sees."""
    if name == "tasks":
        detail = "The result of another task cannot be used here: which tasks there are is known before any runs."
        return WrongTemplateError(detail, hint="Use `vars`, or a file with `forEach: {file: …}`.", name=name)
    if name in ONLY_IN_CELLS:
        detail = f"This task has no `{ONLY_IN_CELLS[name]}`, so `{name}` is not known."
        return WrongTemplateError(detail, hint=f"Give the task a `{ONLY_IN_CELLS[name]}`, or use `vars`.", name=name)
    if name in seen.get("vars", ()):
        return WrongTemplateError(f"`{name}` is not known here.", hint=f"Write `vars.{name}`.", name=name)
    said = "A template sees `vars`, `env`, `tasks`, `matrix`, `each`, `project.name`, `environment` and `file()`."
    return WrongTemplateError(f"`{name}` is not known here. {said}", hint=nearest(name, seen) or _UNKNOWN, name=name)


def unknown_member(name: Any, holder: Any) -> WrongTemplateError:
    """Explain a name that the thing before the dot does not have."""
    if isinstance(holder, Names):
        return _unknown_in_names(str(name), holder)
    if isinstance(holder, dict):
        hint = nearest(str(name), map(str, holder)) or _holds(holder)
        return WrongTemplateError(f"The map has no key `{name}`.", hint=hint, name=str(name))
    if isinstance(holder, list | tuple) and isinstance(name, int):
        way = f"The first item is 0, the last {len(holder) - 1}." if holder else "Test first whether there are any."
        return WrongTemplateError(f"The list has no item {name}: it has {len(holder)}.", hint=way)
    detail = f"A {_word(holder)} has no `{name}` that a template may use."
    return WrongTemplateError(detail, hint="Filters are written with a `|`, as in `name | upper`.", name=str(name))


def _unknown_in_names(name: str, holder: Names) -> WrongTemplateError:
    written = f"{holder.path}.{name}"
    if name in holder.unset:
        ways = f"Give it with `--var {name}=…` or `TASKSPEC_VAR_{name}`, or declare a default."
        fault = WrongTemplateError(f"`{written}` is declared, but has no value.", hint=ways, name=written)
        fault.unset = holder.unset[name]
        return fault
    if name in holder.absent and holder.path != "env":
        hint = f"Write `{written} | default('…')`."
        return WrongTemplateError(f"This cell has no `{written}`; others have.", hint=hint, name=written)
    if name in holder.absent:
        detail = f"The environment variable `{name}` is not set."
        return WrongTemplateError(detail, hint=f"Set it, or write `env.{name} | default('…')`.", name=written)
    if holder.is_open:
        fault = WrongTemplateError(f"`{written}` may be declared.", name=written)
        fault.reported = True
        return fault
    if holder.path == "env":
        detail = f"The project allows no environment variable `{name}`."
        hint = nearest(name, [*holder, *holder.absent]) or f"Allow it in the project: `env: {{allow: [{name}]}}`."
        return WrongTemplateError(detail, hint=hint, name=written)
    hint = nearest(name, [*holder, *holder.unset, *holder.broken]) or _declared(name, holder)
    fault = WrongTemplateError(f"`{written}` is not declared.", hint=hint, name=written)
    fault.reported = name in holder.broken
    return fault


def _holds(holder: Mapping[Any, Any]) -> str:
    if not holder:
        return "It has none."
    return f"It has {', '.join(f'`{key}`' for key in list(holder)[:_SHOWN])}{' …' if len(holder) > _SHOWN else ''}."


def _declared(name: str, holder: Names) -> str:
    if holder.path == "vars":
        return f"Declare it in the project: `variables: {{{name}: {{type: string}}}}`."
    return f"There are: {', '.join(f'`{holder.path}.{one}`' for one in holder)}."


def _word(value: Any) -> str:
    words = ((bool, "boolean"), (str, "text"), (int | float, "number"), (list | tuple, "list"), (dict, "map"))
    return next((word for kind, word in words if isinstance(value, kind)), "value")
