"""taskspec: declare the work of AI agents, plan it, apply it, keep every result.

The names below are the Tasks library, the client that all of it stands on; each is loaded at its first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskspec.errors import (
        AuthenticationError,
        ConflictError,
        InvalidError,
        MissingSecretError,
        NotFoundError,
        OutcomeUnknownError,
        ProtocolError,
        RateLimitedError,
        RefusedError,
        RemoteError,
        TaskspecError,
        UnreachableError,
        UsageError,
    )
    from taskspec.taskapi.records import AgentExecutionStatus
    from taskspec.taskapi.tasks.agents import Agent, Agents
    from taskspec.taskapi.tasks.configuration import Configuration
    from taskspec.taskapi.tasks.events import TaskEvent
    from taskspec.taskapi.tasks.listing import TasksListItem
    from taskspec.taskapi.tasks.module import Tasks
    from taskspec.taskapi.tasks.task import Task
    from taskspec.taskapi.tasks.values import ActivityLog, TaskInput, Tokens, User

__version__ = "0.1.0"

__all__ = [
    "ActivityLog",
    "Agent",
    "AgentExecutionStatus",
    "Agents",
    "AuthenticationError",
    "Configuration",
    "ConflictError",
    "InvalidError",
    "MissingSecretError",
    "NotFoundError",
    "OutcomeUnknownError",
    "ProtocolError",
    "RateLimitedError",
    "RefusedError",
    "RemoteError",
    "Task",
    "TaskEvent",
    "TaskInput",
    "Tasks",
    "TasksListItem",
    "TaskspecError",
    "Tokens",
    "UnreachableError",
    "UsageError",
    "User",
]

_HOMES = {
    "ActivityLog": "taskapi.tasks.values",
    "Agent": "taskapi.tasks.agents",
    "AgentExecutionStatus": "taskapi.records",
    "Agents": "taskapi.tasks.agents",
    "Configuration": "taskapi.tasks.configuration",
    "Task": "taskapi.tasks.task",
    "TaskEvent": "taskapi.tasks.events",
    "TaskInput": "taskapi.tasks.values",
    "Tasks": "taskapi.tasks.module",
    "TasksListItem": "taskapi.tasks.listing",
    "Tokens": "taskapi.tasks.values",
    "User": "taskapi.tasks.values",
}


def __getattr__(name: str) -> object:
    """Load a public name from the module where it lives."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"taskspec.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
