"""What a story is told with: the invocation, and the ports that the composition root fills in. Does nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from taskspec.errors import TaskspecError
from taskspec.settings import DEFAULT_ENVIRONMENT, Settings
from taskspec.taskapi.remotes import RemoteIdentity, Traits

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from taskspec.chance import Chance
    from taskspec.documents.model import Project
    from taskspec.documents.places import Place
    from taskspec.documents.trusting import Base
    from taskspec.errors import LockHeldError
    from taskspec.selecting.model import Selection
    from taskspec.state.model import Holder
    from taskspec.state.store import StateStore
    from taskspec.taskapi.drivers.asynchronous import Connection


class Refresh(Enum):
    """Which runs a plan looks at: none, those that are not settled, or every one that is current."""

    NONE = "none"
    ACTIVE = "active"
    FULL = "full"


class Need(Enum):
    """What a story needs of the remote; only the embedded engine makes a difference of it."""

    LOOK = "look"  # read what is stored; start and recover nothing
    HOLD = "hold"  # stop runs, and see runs whose process is gone as what they are
    RUN = "run"  # start runs


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A remote that is connected. `end_runs` ends the runs that cannot outlive this command, where there are such."""

    connection: "Connection"
    end_runs: Callable[[], Awaitable[None]] | None = None
    failure: Callable[[], TaskspecError | None] = lambda: None
    """Says why a remote that lives in this process will answer nothing any more; None as long as it does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offline:
    """What is known of a remote before anybody connects."""

    identity: RemoteIdentity
    traits: Traits
    declares_agents: bool = False
    """The project itself declares the remote's agents, so that they are checked with the documents."""


class Ports(Protocol):
    """What the composition root gives."""

    chance: "Chance"

    def offline(self, project: "Project") -> Offline:
        """Return what is known of the project's remote without asking it."""

    def connect(self, project: "Project", need: Need) -> "AbstractAsyncContextManager[Link]":
        """Connect to the project's remote."""

    def open_state(self, project: "Project", *, read_only: bool, at: "Place | None" = None) -> "StateStore":
        """Open the project's state: where it is kept, or at another place."""

    def holder(self) -> "Holder":
        """Describe this process to those who wait for its lock."""

    def waiting(self, error: "LockHeldError", seconds: float) -> None:
        """Tell that a lock is waited for, so many seconds at most, and who has it."""

    def begins(self, place: str) -> None:
        """Tell that nothing is kept yet at a place that others share: it may be the wrong one, or another's name."""


def _everything() -> "Selection":
    from taskspec.selecting.model import Selection

    return Selection()


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """What the command line asked for."""

    target: Path
    selection: "Selection" = field(default_factory=_everything)
    """Which tasks are meant."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """`--var k=v`."""
    variable_files: tuple[Path, ...] = ()
    """`--var-file FILE`."""
    environment: str = DEFAULT_ENVIRONMENT
    settings: Settings
    refresh: Refresh = Refresh.ACTIVE
    overridden: frozenset[str] = frozenset()
    """The limits and policies that are not to be kept this time."""
    fail_on: frozenset[str] = frozenset()
    """The categories of risk on which a plan is refused."""
    lock_timeout: float = 0.0
    """How many seconds to wait for the lock of the state."""
    rerun: "Selection | None" = None
    """The tasks whose accepted results are to be made anew; None where there are none."""
    base: "Base | None" = None
    """Whose trust settings hold in the place of those of the documents; None where the documents are trusted."""
    since: str | None = None
    """The git revision since which something has to have changed of what is selected; None where nothing has to."""
    offline: bool = False
    """Nothing is to be known but the documents: what only the environment gives has a value that stands for it."""
    follow: "Selection | None" = None
    """The tasks whose runs are to be heard while they work; None where nobody has asked for it."""
