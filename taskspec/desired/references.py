"""Which results of other tasks a text uses, found before anything is rendered. Renders nothing itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from taskspec.address import is_glob, is_pattern
from taskspec.desired.dotted import is_template, split
from taskspec.desired.scope import WrongTemplateError

TASKS: Final = "tasks"
MEMBERS: Final = ("result", "json", "address", "matrix", "each")
"""What a template sees of another task."""
WAY: Final = "Write `tasks.NAME.result`, or `tasks['NAME[…]'].result`."

if TYPE_CHECKING:
    from taskspec.desired.referring import Analyst
    from taskspec.desired.rendering import Renderer


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """One use of `tasks` in a text: of a task, of a part of its result, or of all cells that a pattern names."""

    address: str
    """An address, or a pattern such as `report[*]`, as the template gives it: perhaps of no task."""
    path: tuple[str | int, ...] = ()
    """What is used of it, as far as the template says so by constants: `("json", "total")`. Nothing: all of it."""
    line: int = 1
    """The line within the text, or within the file."""
    file: str = ""
    """The included file that uses it, relative to the project folder; nothing for the text itself."""
    entry_line: int = 1
    """The line within the text itself: that which includes the file, or the same."""
    is_printed: bool = False
    """All that is known of the task, a map, or a list of such, is written out as it is."""

    @property
    def member(self) -> str | None:
        """Return the first step into the task: `result`, `json` …; None where all of it is used."""
        return str(self.path[0]) if self.path else None

    @property
    def is_pattern(self) -> bool:
        """Tell whether it may name several tasks."""
        return is_glob(self.address)

    @property
    def expression(self) -> str:
        """Return it as a template writes it."""
        return self._task + "".join(_step(step) for step in self.path)

    def fault(self, detail: str, hint: str = "") -> WrongTemplateError:
        """Return what is wrong with this use as a fault at its place."""
        fault = WrongTemplateError(detail, hint=hint, line=self.line, name=self._task)
        fault.file, fault.entry_line = self.file, self.entry_line
        return fault

    @property
    def _task(self) -> str:
        return f"tasks.{self.address}" if self.address.isidentifier() else f"tasks[{self.address!r}]"


class ReferenceFinder:
    """Finds the references of texts; each text is analysed once, however often it is asked about.

    `thorough` analyses the syntax even of texts with nothing but dotted names, for whom its places matter.
    """

    def __init__(self, engine: "Callable[[], Renderer]", *, thorough: bool = False) -> None:
        self._engine = engine
        self._thorough = thorough
        self._analyst: Analyst | None = None

    def references(self, text: str, names: Mapping[str, Any]) -> tuple[Reference, ...]:
        """Return every use of `tasks` in a text and in what it includes and imports.

        `names` are those that are known before any result is: keys such as `tasks['report[' ~ matrix.region ~ ']']`
        are computed with them. Raises WrongTemplateError for a use of which it cannot be told what it uses.
        """
        if not may_refer(text):
            return ()
        parts = None if self._thorough else split(text)
        if parts is not None:
            return tuple(dict.fromkeys(_dotted(parts)))
        if self._analyst is None:
            from taskspec.desired.referring import Analyst

            self._analyst = Analyst(self._engine())
        return self._analyst.references(text, names)


def may_refer(text: str) -> bool:
    """Tell, at no cost, whether a text may use a result: False is certain."""
    return is_template(text) and ("tasks" in text or "include" in text or "import" in text)


def alone(line: int) -> WrongTemplateError:
    """Return what is wrong with `tasks` where it names no task."""
    return WrongTemplateError("`tasks` alone names no result.", hint=WAY, line=line, name=TASKS)


def checked_address(found: Any, line: int) -> str:
    """Return what stands in the place of an address, if it has the form of one or of a pattern."""
    if not isinstance(found, str) or not is_pattern(found):
        raise WrongTemplateError(f"`{found}` is not the address of a task.", hint=WAY, line=line)
    return found


def _dotted(parts: Sequence[str]) -> Iterator[Reference]:
    """Yield the uses in a text with nothing but dotted names, as the analysis of its syntax would find them."""
    line = 1
    for index, part in enumerate(parts):
        root, *steps = part.split(".") if index % 2 else ("",)
        if root == TASKS:
            if not steps:
                raise alone(line)
            address, path = checked_address(steps[0], line), tuple(steps[1:])
            yield Reference(address=address, path=path, line=line, entry_line=line, is_printed=not path)
        line += part.count("\n")


def _step(step: str | int) -> str:
    return f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]"
