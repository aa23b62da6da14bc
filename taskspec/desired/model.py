"""What the documents ask for, with nothing left to look up. Renders nothing, opens nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from taskspec.address import Address
from taskspec.diagnostics import Position
from taskspec.documents.model import Policies, Project, Source, TaskDocument
from taskspec.inputs import Input

if TYPE_CHECKING:
    from taskspec.desired.making import Making


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A file that goes with a run: one of the project, `path` relative to its folder; or a result with its content."""

    path: str
    sha256: str
    size: int
    content: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class DesiredTask:
    """One declared task, rendered.

    `spec` holds the run-relevant fields by their manifest names, normalised (absent equal to default), secrets masked:
    it is what the fingerprint covers, what plan and state show. `request` holds the same fields with the real values
    (and `eventsStreaming`, `source`): it goes nowhere but into the request.
    """

    address: Address
    agent: str
    title: str
    spec: Mapping[str, Any]
    fingerprint: str
    request: Mapping[str, Any] = field(repr=False)
    files: tuple[LocalFile | str, ...] = ()
    """Local files, and URLs as they are."""
    labels: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    assertions: tuple[Mapping[str, Any], ...] = ()
    """What must hold of the answer, as it is written: not sent, and not in the fingerprint."""
    source: Source = field(repr=False)
    upstream: tuple[Address, ...] = ()
    """The tasks that have to be accepted before: those of `dependsOn`, and those whose results it uses."""
    passes_for: str | None = None
    """The fingerprint of what was asked for last, where that differs only in what `rerun` ignores."""
    file: str = ""
    """The file that declares it, relative to the project folder."""
    making: "Making | None" = field(default=None, repr=False, compare=False)
    """How it was made, for whoever asks why; None where nobody can tell."""

    noted: Mapping[str, Input] | None = field(default=None, repr=False, compare=False)
    """What its rendering depended on, where that was found out when a plan was saved."""

    @property
    def secrets(self) -> frozenset[str]:
        """Return the secrets that may stand in its request, besides those that are secret by their field."""
        return self.making.maker.renderer.secrets if self.making is not None else frozenset()

    @property
    def inputs(self) -> Mapping[str, Input] | None:
        """Return what its rendering depended on, by name; None where nobody can tell."""
        if self.noted is not None:
            return self.noted
        return self.making.inputs() if self.making is not None else None

    def asks_for(self, fingerprint: str) -> bool:
        """Tell whether a fingerprint is that of what is declared, or passes for it."""
        return fingerprint in {self.fingerprint, self.passes_for}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeferredTask:
    """One declared task that uses results of others: only with them is it known what is asked for.

    `spec` is for people: as in a DesiredTask, with words in the place of what is not known yet. It has no fingerprint.
    """

    address: Address
    agent: str
    title: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    policies: Policies = field(default_factory=Policies)
    assertions: tuple[Mapping[str, Any], ...] = ()
    source: Source = field(repr=False)
    upstream: tuple[Address, ...]
    """As in a DesiredTask."""
    uses: frozenset[Address]
    """Those of `upstream` whose results it uses."""
    finish: "Finish" = field(repr=False)
    """Makes the task out of the accepted results (texts by address, of all in `uses`); raises ManifestError."""
    file: str = ""
    """As in a DesiredTask."""
    making: "Making | None" = field(default=None, repr=False, compare=False)
    """As in a DesiredTask, ahead of the results."""


Finish = Callable[[Mapping[Address, str]], DesiredTask]


class Giver(NamedTuple):
    """Who gave a variable its value (`default`, `environment prod`, `--var` …), and where; a text is to be read yet."""

    name: str
    position: Position
    value: Any
    is_text: bool = False
    value_position: Position | None = None
    """Where the value itself stands, if not where its giver does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One task of those that a document declares, and the names that only its templates see."""

    task: TaskDocument
    address: Address
    names: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Desired:
    """Every declared task of a project, by address: each behind its upstream, else in the order of the documents."""

    project: Project
    tasks: Mapping[Address, DesiredTask | DeferredTask]
    cells: Mapping[Address, Cell] = field(default_factory=dict, repr=False)
    """What each task was made of; nothing where nobody is going to ask."""
    former: Mapping[Address, Address] = field(default_factory=dict)
    """The address that a task had before, where it says so with `moved`: no two say the same."""
    givers: Mapping[str, Giver] = field(default_factory=dict, repr=False)
    """Who gave each variable its value."""
    variables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The values of the variables, secrets masked."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables of the process environment that templates see."""
    files: Mapping[str, str] | None = None
    """The SHA-256 of every file of the project that was read for them besides the documents, by path in the project.

    None: not accounted for.
    """
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Those of `files` whose texts templates use, other than for secrets alone."""
    sought: frozenset[str] = frozenset()
    """All of `files`, and every other that was looked for and not found."""


def result_suffix(output_format: str) -> str:
    """Return the ending of the name of a file that holds a result of a format."""
    return {"markdown": ".md", "json": ".json"}.get(output_format, ".txt")
