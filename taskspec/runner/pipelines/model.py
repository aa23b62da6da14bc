"""What a pipeline is made for, as values. Reads and writes nothing."""

from dataclasses import dataclass
from enum import StrEnum


class Ci(StrEnum):
    """The CI services for which there is a pipeline."""

    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True, kw_only=True, slots=True)
class Surveyed:
    """A project as its pipeline sees it."""

    project: str
    folder: str = "."
    """The project's folder, relative to that of the repository."""
    branch: str = "main"
    """What is pushed there is applied."""
    environments: tuple[str, ...]
    forgetful: tuple[str, ...] = ()
    """The environments whose state stays on the machine: in CI, each run would forget it."""
    secrets: tuple[str, ...] = ()
    """The environment variables that open the remote and the state."""
    agent_secrets: tuple[str, ...] = ()
    """Those that the agents of an embedded engine may read, and that are keys by their names."""
    extras: tuple[str, ...] = ()
    """What of taskspec is needed beside the core, for the places of the states."""
