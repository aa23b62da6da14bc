"""The engine's values: what it is told, and what a run can be. Performs no I/O."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

FORBIDDEN_PORT = 8085
"""The platform's client sends the events of a server on this loopback port to another port (protocol, 1.2).

Up to SDK 2.0.350 it does so wherever these digits stand in the URL.
"""
ORGANIZATION = "local"
RUN_ID_VARIABLE = "TASKSPEC_RUN_ID"


class Mode(StrEnum):
    """How much an engine does."""

    READ = "read"
    """Serves what is stored; holds no lock, starts nothing, recovers nothing."""
    RECOVER = "recover"
    """Holds the data folder, recovers what a dead engine left, stops runs; starts none."""
    DISPATCH = "dispatch"
    """Holds the data folder, recovers, and runs agents."""


CLOSING = "closing"
"""The mode that a holder names which starts nothing more: it is about to end, or has failed."""


class Status(StrEnum):
    """The seven statuses that the task API knows."""

    PENDING = "pending"
    EXECUTING = "executing"
    PAUSED = "paused"
    ERROR = "error"
    FAILED = "failed"
    COMPLETED = "completed"
    STOPPED = "stopped"


ENDED = frozenset({Status.ERROR, Status.FAILED, Status.COMPLETED, Status.STOPPED})


class Turn(StrEnum):
    """Where a run stands with the engine, which starts each run at most once but where its worker died."""

    WAITING = "waiting"
    HELD = "held"
    LENT = "lent"
    """A worker has it."""
    CUT = "cut"
    """The engine ended it while a worker had it, who does not know and whose later words do not count."""
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentCommand:
    """What is run for an agent id; `timeout` in seconds, `env_allow` names what it inherits beyond the minimum.

    Without a command the runs wait for a worker.
    """

    command: tuple[str, ...] = ()
    timeout: float | None = None
    env_allow: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """What an engine is told by the command that starts it."""

    folder: Path
    project_folder: Path
    agents: Mapping[str, AgentCommand]
    environ: Mapping[str, str] = field(repr=False)
    parallelism: int = 16
    host: str = "127.0.0.1"
    port: int = 0
    api_key: str | None = field(default=None, repr=False)


class RefusalError(Exception):
    """A request is answered with "no": an HTTP status and the detail that says why."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def agents_digest(config: EngineConfig) -> str:
    """Return the digest of everything that decides what an agent id means."""
    agents = {name: [a.command, a.timeout, a.env_allow] for name, a in config.agents.items()}
    text = json.dumps([str(config.project_folder.absolute()), agents], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
