"""The wire's records as values (`status` and unknown fields are kept as they came). Performs no I/O.

Field facts: the published SDK's request and answer shapes; see docs/protocol.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from taskspec.taskapi.redacting import texts_in


class AgentExecutionStatus(StrEnum):
    """The statuses that are known; a task's status may be any other string."""

    Pending = "pending"
    Executing = "executing"
    Paused = "paused"
    Error = "error"
    Failed = "failed"
    Completed = "completed"
    Stopped = "stopped"


ACTIVE = frozenset({AgentExecutionStatus.Pending, AgentExecutionStatus.Executing, AgentExecutionStatus.Paused})
BEGUN = frozenset({AgentExecutionStatus.Executing, AgentExecutionStatus.Paused})
"""Active, and work was done: stopping such a run throws that away."""
ENDED = frozenset(
    {
        AgentExecutionStatus.Error,
        AgentExecutionStatus.Failed,
        AgentExecutionStatus.Completed,
        AgentExecutionStatus.Stopped,
    }
)


_PLAIN_OF_SERVER: Final = frozenset({"id", "name", "type", "transport", "url", "auth_type", "allowed_tools"})
"""What of an MCP server is no secret."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """How many tokens a run used."""

    prompt: int = 0
    completion: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskRecord:
    """A task of the remote (a run of ours), from a single read or from a row of a list.

    Times are seconds since the epoch. A list's row lacks most fields: they are None then.
    """

    id: str
    agent_id: str
    status: str
    title: str | None = None
    result: str | None = None
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    is_manually_stopped: bool | None = None
    tokens: Tokens | None = None
    events_streaming: bool | None = None
    waits_for: str | None = None
    """What a paused task waits for: a person's answer, or the URL of an authorization."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The answer as it came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTask:
    """Everything that a create call carries and a user would set. None leaves a field at the remote's default."""

    prompt: str
    files: tuple[str, ...] = ()
    title: str | None = None
    agent_version: str | None = None
    output_format: str | None = None
    output_schema: Mapping[str, Any] | None = None
    additional_context: str | None = None
    expected_output: str | None = None
    instructions_override: str | None = None
    source: str | None = None
    payload_extension: Mapping[str, Any] | None = None
    user: Mapping[str, Any] | None = None
    """Wire names: `email`, `id`, `first_name`, `last_name`, `additional_attributes`, `timezone`."""
    events_streaming: bool = False
    think_mode: str = "default"
    tool_call_limit: int | None = None
    mcp_servers: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    disable_attachment_injection: bool = False
    harness_cli: str | None = None
    permission_mode: str | None = None
    llm_model_provider: str | None = None
    llm_model_name: str | None = None
    llm_reasoning_effort: str | None = None
    user_tokens: Mapping[str, Any] | None = field(default=None, repr=False)
    user_oidc_token: str | None = field(default=None, repr=False)
    existing_task_id: str | None = None
    """The ended task that this one continues, under the same id."""
    triggering_agent_id: str | None = None
    worker_id: str | None = None
    run_locally: bool = False
    test_run_node_id: str | None = None
    return_metrics: bool = False
    principal: Mapping[str, Any] | None = None
    """Wire names: `kind`, `id`, `email`, `display_name`."""
    attachments: tuple[Mapping[str, Any], ...] = ()
    """Wire names: `url` and what is known of the file (`name`, `mime`, `size`, `kind` …)."""
    hidden: frozenset[str] = field(default=frozenset(), repr=False)
    """Further secrets in it: no error repeats one."""

    @property
    def secrets(self) -> frozenset[str]:
        """Return all secrets in it: what is hidden, its tokens, and what its servers are given."""
        tokens = texts_in([self.user_tokens, self.user_oidc_token])
        given = [value for server in self.mcp_servers for key, value in server.items() if key not in _PLAIN_OF_SERVER]
        return self.hidden.union(tokens, texts_in(given))


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentRecord:
    """An agent of the remote."""

    id: str
    name: str
    status: str = ""
    description: str = ""
    version: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The answer as it came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskEvent:
    """One event of a task's stream; an unknown type is kept."""

    type: str
    task_id: str
    time: float | None
    data: Any
