"""What each cell waits for: the tasks of its `dependsOn`, and those whose results it uses. Renders no prompt."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final

from taskspec.address import Address, is_pattern, matches, task_name
from taskspec.desired.model import Cell
from taskspec.desired.normalising import SENT
from taskspec.desired.references import MEMBERS, Reference
from taskspec.diagnostics import Diagnostic, Position, nearest, path_text

Path = tuple[str | int, ...]

CARRYING: Final = frozenset(
    {"prompt", "files", "additionalContext", "expectedOutput", "instructionsOverride", "payloadExtension"}
)
"""The fields that may carry results of other tasks: none of them decides who works, and what that may do."""
_TEXTS: Final = CARRYING - {"files", "payloadExtension"}
_EACH: Final = "Go through them: `{% for one in tasks['NAME[*]'] %}{{ one.result }}{% endfor %}`."
MOST_COMPARED: Final = 20
"""So many different names that nothing has are compared with those that there are."""
MOST_CELLS: Final = 1000
MAX_LOOKED: Final = 5_000_000
"""How many addresses the names and patterns of all tasks together may stand for."""
MAX_FINDINGS: Final = 50
"""Of the dependencies of one cell."""
_SUMMARY: Final = "Wrong dependency"
_SECRET: Final = (
    "A sensitive variable is used in what names a task, which is shown everywhere.",
    "Use it in `userTokens`, `mcpServers` or the prompt.",
)
_KNOWN: Final = "`taskspec validate` counts the tasks, and `taskspec graph` shows them."


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One use of results: the text that names them, the tasks that it names, and which part of them is read."""

    written: str
    addresses: tuple[Address, ...]
    member: str | None
    """`result`, `json` …; None where all of it may be read."""
    many: bool
    """A pattern: the template sees a list."""
    place: Callable[[], Position]
    """Where it stands; told when it is wanted, as that costs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependencies:
    """What one cell waits for."""

    order: Mapping[Address, Position] = field(default_factory=dict)
    """Those of `dependsOn`, with the place of what names them."""
    uses: tuple[Use, ...] = ()
    sound: bool = True
    """Nothing is wrong with them, nor with the cells of a task that they name."""

    @property
    def used(self) -> frozenset[Address]:
        """Return the tasks whose results are used."""
        return frozenset(address for use in self.uses for address in use.addresses)

    def place(self, address: Address) -> Position:
        """Return where it stands that one of these is waited for."""
        found = next((use.place for use in self.uses if address in use.addresses), None)
        return found() if found is not None else self.order[address]

    @property
    def upstream(self) -> tuple[Address, ...]:
        """Return everything that has to be accepted before."""
        return tuple(dict.fromkeys([*self.order, *(address for use in self.uses for address in use.addresses)]))


NONE: Final = Dependencies()
"""What most tasks wait for."""


@dataclass(kw_only=True, slots=True)
class Declared:
    """All addresses of a project, to be looked up by address, name or pattern."""

    cells: Mapping[Address, Cell]
    broken: frozenset[str] = frozenset()
    """Names of tasks whose cells are not known, because something is wrong with them."""
    is_whole: bool = True
    """There is no task beside these: every file could be read."""
    _by_name: dict[str, list[Address]] = field(init=False)
    _found: dict[str, tuple[Address, ...]] = field(init=False, default_factory=dict)
    _looked: int = field(init=False, default=0)
    _nearest: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name = {}
        for address in self.cells:
            self._by_name.setdefault(task_name(address), []).append(address)

    def named(self, pattern: str) -> tuple[Address, ...]:
        """Return the addresses that an address, a name or a pattern names."""
        if pattern in self.cells:
            return (Address(pattern),)
        if pattern not in self._found:
            name = task_name(pattern)
            wild = "*" in name or "?" in name
            candidates: Iterable[Address] = self.cells if wild else self._by_name.get(name, ())
            if not self._take(len(self.cells) if wild else len(self._by_name.get(name, ()))):
                return ()
            self._found[pattern] = tuple(address for address in candidates if matches(pattern, address))
        return self._found[pattern] if self._take(len(self._found[pattern])) else ()

    def _take(self, count: int) -> bool:
        """Take note of so many addresses that were looked at or handed out; tell whether that is not too many."""
        self._looked += count
        return self._looked <= MAX_LOOKED

    def is_exhausted(self) -> bool:
        """Tell whether more was looked at than may be: then what patterns name is not known."""
        return self._looked > MAX_LOOKED

    def may_be(self, written: str) -> bool:
        """Tell whether a name or address may be declared where that cannot be told: what hides it is told already."""
        name = task_name(written)
        return self.is_exhausted() or name in self.broken or not (self.is_whole or name in self._by_name)

    def has_cells(self, name: str) -> bool:
        """Tell whether a name stands for several tasks, so that it is no address itself."""
        return name in self._by_name and name not in self.cells

    def nearest(self, written: str) -> str:
        """Return the known address or name that is meant, in words.

        Comparing with many takes long: so it is done for the first few mistakes, and with the first of the cells.
        """
        if written not in self._nearest and len(self._nearest) < MOST_COMPARED:
            self._nearest[written] = self._compared(written)
        return self._nearest.get(written, _KNOWN)

    def _compared(self, written: str) -> str:
        name = task_name(written)
        if name in self._by_name:
            close = nearest(written, self._by_name[name][:MOST_CELLS]) if written != name else ""
            return close or f"`{name}` has, for example, `{self._by_name[name][0]}`."
        return nearest(written, dict.fromkeys([*self._by_name, *islice(self.cells, MOST_CELLS)])) or _KNOWN


def depend(
    cell: Cell,
    declared: Declared,
    rendered: Callable[[Any, Path], tuple[Any, Any]],
    referred: Callable[[str, Path], Iterable[Reference]],
    placed: Callable[[Reference, str, Path], Position],
) -> tuple[Dependencies, list[Diagnostic]]:
    """Return what a cell waits for, and what is wrong with it.

    `referred` finds the references of one text, and `placed` tells where one of them stands.
    """
    found: list[Diagnostic | None] = []
    order: dict[Address, Position] = {}
    for address, place in _ordered(cell, declared, rendered, found):
        order.setdefault(address, place)
    uses = [*_used(cell, declared, (referred, placed), found), *_attached(cell, declared, rendered, found)]
    dependencies = Dependencies(order=order, uses=tuple(uses), sound=not found) if order or uses or found else NONE
    return dependencies, [finding for finding in found if finding is not None]


def _ordered(
    cell: Cell, declared: Declared, rendered: Callable[[Any, Path], tuple[Any, Any]], found: list[Diagnostic | None]
) -> Iterator[tuple[Address, Position]]:
    for index, written in enumerate(cell.task.spec.get("dependsOn", ())):
        path: Path = ("dependsOn", index)
        text, masked = rendered(written, path)
        if text is None:
            continue
        if text is not masked:
            found.append(_wrong(cell, path, *_SECRET))
            continue
        if not isinstance(text, str) or not is_pattern(text):
            found.append(
                _wrong(cell, path, f"`{text}` is no address.", "Write `extract`, `report[q1]` or `report[*]`.")
            )
            continue
        names = declared.named(text)
        if not names:
            wrong = _wrong(cell, path, f"No task `{text}` is declared.", declared.nearest(text))
            found.append(None if declared.may_be(text) else wrong)
        if names == (cell.address,):
            found.append(_wrong(cell, path, "A task cannot wait for itself.", "Remove it from `dependsOn`."))
        place = cell.task.source.position(path)
        yield from ((address, place) for address in names if address != cell.address)


def _used(
    cell: Cell,
    declared: Declared,
    ways: tuple[Callable[[str, Path], Iterable[Reference]], Callable[[Reference, str, Path], Position]],
    found: list[Diagnostic | None],
) -> Iterator[Use]:
    referred, placed = ways
    for name in SENT:
        if name not in cell.task.spec:
            continue
        value = cell.task.spec[name]
        for path, text in [((name,), value)] if isinstance(value, str) else _texts(value, (name,)):
            for reference in referred(text, path):
                if len(found) > MAX_FINDINGS:
                    return
                place = partial(placed, reference, text, path)
                if reference.is_printed and name in _TEXTS:
                    hint = _EACH if reference.is_pattern else f"Write `{reference.expression}.result` for its text."
                    detail = "This writes out all that is known of a task, and not its result."
                    found.append(Diagnostic(summary=_SUMMARY, detail=detail, hint=hint, position=place()))
                elif name in CARRYING:
                    yield from _use(cell, declared, reference, place, found)
                else:
                    detail = f"`{name}` cannot depend on the result of another task."
                    hint = f"Results can stand in {', '.join(f'`{field}`' for field in sorted(CARRYING))}."
                    found.append(Diagnostic(summary=_SUMMARY, detail=detail, hint=hint, position=place()))


def _use(
    cell: Cell,
    declared: Declared,
    reference: Reference,
    place: Callable[[], Position],
    found: list[Diagnostic | None],
) -> Iterator[Use]:
    written, member = reference.address, reference.member
    if reference.is_pattern:
        addresses = tuple(address for address in declared.named(written) if address != cell.address)
    else:
        addresses = (Address(written),) if written in declared.cells else ()
    if addresses and not _stranger(reference):
        part = None if reference.is_pattern else member
        yield Use(written=written, addresses=addresses, member=part, many=reference.is_pattern, place=place)
    elif declared.may_be(written):
        found.append(None)
    else:
        detail, hint = _unfit(reference, addresses, declared)
        found.append(Diagnostic(summary=_SUMMARY, detail=detail, hint=hint, position=place()))


def _stranger(reference: Reference) -> str:
    """Return the step into a task, or into the list that a pattern gives, which is not there; else nothing."""
    steps = iter(reference.path)
    step = next(steps, None)
    if reference.is_pattern:
        if not isinstance(step, int):
            return step or ""
        step = next(steps, None)
    return "" if step is None or step in MEMBERS else str(step)


def _unfit(reference: Reference, addresses: tuple[Address, ...], declared: Declared) -> tuple[str, str]:
    """Return why a reference names nothing that can be used, and the way out."""
    written, stranger = reference.address, _stranger(reference)
    if addresses and reference.is_pattern and reference.path[0] == stranger:
        member = stranger if stranger in MEMBERS else "result"
        hint = f"Go through them: `{{% for one in tasks['{written}'] %}}{{{{ one.{member} }}}}{{% endfor %}}`."
        return f"A pattern gives a list of tasks, which has no `{stranger}` itself.", hint
    if addresses:
        hint = nearest(stranger, MEMBERS) or "There are `result` (the text) and `json`."
        return f"A template sees no `{stranger}` of another task.", hint
    if declared.has_cells(written):
        first = declared.named(written)[0]
        hint = f"Write tasks['{first}'] for one of them, or tasks['{written}[*]'] for all, as a list."
        return f"`{written}` has several cells.", hint
    return f"No task `{written}` is declared.", declared.nearest(written)


def _attached(
    cell: Cell, declared: Declared, rendered: Callable[[Any, Path], tuple[Any, Any]], found: list[Diagnostic | None]
) -> Iterator[Use]:
    files = cell.task.spec.get("files")
    for index, entry in enumerate(files if isinstance(files, list) else ()):
        if not isinstance(entry, Mapping):
            continue
        path: Path = ("files", index, "task")
        text, masked = rendered(entry["task"], path)
        if text is not masked:
            found.append(_wrong(cell, path, *_SECRET))
        elif text is None or (text not in declared.cells and declared.may_be(str(text))):
            found.append(None)
        elif text in declared.cells:
            place = partial(cell.task.source.position, path)
            yield Use(written=text, addresses=(text,), member="result", many=False, place=place)
        else:
            found.append(_wrong(cell, path, f"`{text}` is not the address of one task.", declared.nearest(str(text))))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _wrong(cell: Cell, path: Path, detail: str, hint: str) -> Diagnostic:
    return Diagnostic(
        summary=_SUMMARY,
        detail=f"{detail} (`{path_text(path)}`)",
        hint=hint,
        position=cell.task.source.position(path),
    )
