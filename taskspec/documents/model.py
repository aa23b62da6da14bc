"""What an author wrote, as values: documents with positions, the project, its tasks. Opens no file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.documents.places import LOCAL_PLACE
from taskspec.settings import DEFAULT_ENVIRONMENT

LOCAL: Final = "local"
XPANDER: Final = "xpander"
UNREADABLE: Final = "YAML cannot be read"
"""The summary of every diagnostic on what is no YAML."""
NOT_A_DOCUMENT: Final = "Not a document"
"""The summary of every diagnostic on YAML that is no mapping of ours."""


_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})


class Marks(NamedTuple):
    """Where a node stands: its own place, the places of its keys, and the marks of what it holds."""

    line: int
    column: int
    keys: Mapping[str, tuple[int, int]] | None = None
    children: Mapping[str, "Marks"] | Sequence["Marks"] | None = None
    block_indent: int | None = None
    """For a block scalar (`|`, `>`): the column at which its text begins; its first line is `line` + 1."""
    quoted_from: int | None = None
    """For a text in quotes: the column at which the text begins, after the quote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """One YAML document: plain JSON values, and the place of every node."""

    file: str
    value: Mapping[str, Any]
    marks: Marks | Callable[[], Marks] = field(repr=False, compare=False)
    """The places, or what looks them up: most documents are never asked for one."""
    checked: bool = field(default=False, repr=False, compare=False)
    """That checking it by itself has found nothing, now or when it was read before."""

    @property
    def places(self) -> Marks:
        """Return the place of every node."""
        return self.marks if isinstance(self.marks, Marks) else self.marks()

    def without_values(self) -> "Document":
        """Return it for those who ask for places alone, and keep it for long: the values can go."""
        return Document(file=self.file, value=_NOTHING, marks=self.marks, checked=self.checked)

    @property
    def kind(self) -> str:
        """Return the document's `kind`."""
        return str(self.value.get("kind", ""))

    def position(self, path: Sequence[str | int] = (), *, key: bool = False) -> Position:
        """Return where the node at `path` stands, or its key; for a path that is not there, its nearest ancestor."""
        marks = self.places
        place = (marks.line, marks.column)
        for step in path:
            children = marks.children
            if isinstance(children, Mapping) and isinstance(step, str) and step in children:
                if marks.keys is not None and key:
                    place = marks.keys[step]
                marks = children[step]
            elif isinstance(children, Sequence) and isinstance(step, int) and step < len(children):
                marks = children[step]
                place = (marks.line, marks.column)
                continue
            else:
                break
            if not key:
                place = (marks.line, marks.column)
        return Position(file=self.file, line=place[0], column=place[1])

    def text_position(self, path: Sequence[str | int], line: int, column: int = 1) -> Position:
        """Return the place in the file of a line and column (from 1) of the string at `path`."""
        marks = self.places
        for step in path:
            marks = marks.children[step]  # type: ignore[index]  # the caller read the string at this path
        if marks.block_indent is not None:
            return Position(file=self.file, line=marks.line + line, column=marks.block_indent + column - 1)
        if line == 1:
            return Position(file=self.file, line=marks.line, column=(marks.quoted_from or marks.column) + column - 1)
        return Position(file=self.file, line=marks.line + line - 1, column=column)


class Origin(NamedTuple):
    """Where a value stands that was laid into a spec from elsewhere, and the name of what gave it (`default` …)."""

    document: Document
    path: tuple[str | int, ...]
    giver: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where the parts of an effective spec stand: in its own document, but for what was laid in from elsewhere.

    Every path is one within the spec.
    """

    document: Document
    given: Mapping[tuple[str | int, ...], Origin | None] = field(default_factory=lambda: _NOTHING)
    """Where what was laid in stands; None for what is the document's own within it."""

    def position(self, path: Sequence[str | int] = (), *, key: bool = False) -> Position:
        """Return where the node at `path` stands, or its key; for a path that is not there, its nearest ancestor."""
        document, whole = self._place(path)
        return document.position(whole, key=key)

    def text_position(self, path: Sequence[str | int], line: int, column: int = 1) -> Position:
        """Return the place in its file of a line and column (from 1) of the string at `path`."""
        document, whole = self._place(path)
        return document.text_position(whole, line, column)

    def origin(self, path: tuple[str | int, ...]) -> tuple[Origin | None, tuple[str | int, ...]]:
        """Return what laid in the node at `path`, and the path within it; None where it is the document's own."""
        for length in range(len(path), 0, -1) if self.given else ():
            if path[:length] in self.given:
                return self.given[path[:length]], path[length:]
        return None, path

    def _place(self, path: Sequence[str | int]) -> tuple[Document, tuple[str | int, ...]]:
        wanted = tuple(path)
        origin, rest = self.origin(wanted)
        if origin is not None:
            return origin.document, (*origin.path, *rest)
        return self.document, ("spec", *wanted)


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteSpec:
    """Which remote runs the tasks; None means that the environment or the remote's own default decides."""

    type: str = LOCAL
    base_url: str | None = None
    organization: str | None = None
    api_key_env: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentSpec:
    """A command that the embedded engine runs for an agent id, or workers (no command); `timeout` in seconds."""

    name: str
    command: tuple[str, ...] = ()
    worker: bool = False
    timeout: float | None = None
    env_allow: tuple[str, ...] = ()


class VariableType(StrEnum):
    """What a variable may hold."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, kw_only=True, slots=True)
class VariableSpec:
    """A declared variable. `default` means something only where `has_default` is true."""

    name: str
    type: VariableType
    has_default: bool = False
    default: Any = field(default=None, repr=False)
    enum: tuple[Any, ...] = ()
    pattern: str = ""
    """A regular expression, as JSON Schema has them, that a text must match; empty: any text."""
    sensitive: bool = False
    description: str = ""
    position: Position


class GivenValue(NamedTuple):
    """A value of a variable, and where its name and the value itself stand."""

    value: Any
    position: Position
    value_position: Position


class OnRemove(StrEnum):
    """What happens to an active run whose task is no longer declared."""

    STOP = "stop"
    FORGET = "forget"
    HOLD = "hold"


class OnChangeActive(StrEnum):
    """What a change does while a run of the text before it is active."""

    REPLACE = "replace"
    QUEUE = "queue"
    HOLD = "hold"


class When(StrEnum):
    """When a task that has its result runs again."""

    ON_CHANGE = "onChange"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rerun:
    """When a task runs again; `after` in seconds. `triggers` are part of what is asked for, and are not here."""

    when: When = When.ON_CHANGE
    after: float | None = None
    ignore: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """When a further attempt is granted; `backoff` in seconds."""

    max_attempts: int = 1
    statuses: tuple[str, ...] = ("error",)
    backoff: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How many older results are kept, and how old they may be, in seconds; None: any number, and any age."""

    generations: int | None = None
    age: float | None = None

    @property
    def is_declared(self) -> bool:
        """Tell whether anything is ever to be removed."""
        return self.generations is not None or self.age is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Policies:
    """How taskspec treats a task; `timeout` in seconds."""

    rerun: Rerun = Rerun()
    retry: Retry = Retry()
    on_change_active: OnChangeActive = OnChangeActive.REPLACE
    on_remove: OnRemove = OnRemove.STOP
    protect: bool = False
    side_effects: bool = False
    timeout: float | None = None
    retention: Retention = Retention()


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much one apply may do; None: any number."""

    max_create: int | None = None
    max_stop: int | None = None
    max_stop_percent: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How much all applies together may use; None: any number. `per` in seconds, back from now; None: since ever."""

    max_runs: int | None = None
    max_tokens: int | None = None
    per: float | None = None

    @property
    def is_declared(self) -> bool:
        """Tell whether it allows no more than some number of anything."""
        return self.max_runs is not None or self.max_tokens is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanPolicy:
    """What no plan may do: a condition in the language of expressions, and the path at which it stands."""

    name: str
    deny: str
    message: str = ""
    path: tuple[str | int, ...] = ()
    """Within the project's document."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """What is common to all tasks. `folder` and `data_folder` are absolute paths."""

    name: str
    folder: str
    data_folder: str
    """Where state and engine keep their files: `.taskspec`, ignored by git."""
    environment: str = DEFAULT_ENVIRONMENT
    remote: RemoteSpec = RemoteSpec()
    state: str = LOCAL_PLACE
    """Where the state is kept, as the manifests say it (`documents.places`)."""
    results_path: str = "results"
    agents: Mapping[str, AgentSpec] = field(default_factory=dict)
    variables: Mapping[str, VariableSpec] = field(default_factory=dict)
    values: Mapping[str, GivenValue] = field(default_factory=dict, repr=False)
    """What the environment gives the variables."""
    limits: Limits = Limits()
    budget: Budget = Budget()
    policies: tuple[PlanPolicy, ...] = ()
    """What no plan may do in the environment."""
    env_allow: tuple[str, ...] = ()
    """The variables of the process environment that templates may read."""
    document: Document | None = None
    """The `kind: Project` document; None where there is none and every default holds."""
    source: Source | None = field(default=None, repr=False)
    """Where the parts of the spec stand that holds in the environment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskDocument:
    """A declared task before rendering: `spec` is what the author wrote, over what the project's defaults give."""

    address: Address
    document: Document
    spec: Mapping[str, Any]
    source: Source
    labels: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = Policies()
    """The task's own policies over the project's defaults."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifests:
    """A project and its tasks, checked."""

    project: Project
    tasks: tuple[TaskDocument, ...]
    skipped: int = 0
    """How many YAML files were left out because they are plainly not ours."""
    flawed: tuple[TaskDocument, ...] = ()
    """Tasks that are wrong, with what is right of their specs: only to find what else is wrong."""
    broken: frozenset[str] = frozenset()
    """The names of tasks that are wrong, and of which no more can be told."""
    is_whole: bool = True
    """Every file could be read: a name that is not here is nowhere."""
    knows_project: bool = True
    """Nothing is wrong with the form of the project's document: what it does not declare is not declared."""
