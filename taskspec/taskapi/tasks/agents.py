"""Agents: whom a task can be given to. Reads them only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from taskspec.errors import UsageError
from taskspec.taskapi import endpoints
from taskspec.taskapi.messages import Call
from taskspec.taskapi.pairing import paired
from taskspec.taskapi.records import AgentRecord
from taskspec.taskapi.tasks import checking
from taskspec.taskapi.tasks.clients import Client


@dataclass(frozen=True, kw_only=True, slots=True)
class Agent:
    """An agent of the remote."""

    id: str
    name: str
    status: str
    """The remote's word (`ACTIVE`, `DRAFT` …), or empty."""
    description: str
    version: str | None
    """The version that was read; None where the remote does not say."""
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The answer as it came."""


Found = list[Agent]


class Agents(Client):
    """The agents that the key may use, in both colours. Every call may raise the errors under RemoteError."""

    def _get(self, agent_id: str | None = None, version: str | int | None = None) -> Call[Agent]:
        """Read one agent: the configuration's where none is named, the deployed version where none is given."""
        named = self.configuration.agent_id if agent_id is None else agent_id
        if named is None:
            raise UsageError(
                "No agent is named: neither `agent_id` nor the configuration's.",
                hint="Name it: Agents().get(agent_id), Configuration(agent_id=…), or set XPANDER_AGENT_ID.",
            )
        is_number = isinstance(version, int) and not isinstance(version, bool)
        number = str(checking.count("version", version)) if is_number else version
        wanted = None if number is None else checking.header("version", number)
        return _agent((yield from endpoints.get_agent(checking.identifier("agent_id", named), version=wanted)))

    def _list(self) -> Call[Found]:
        """List all agents."""
        return [_agent(record) for record in (yield from endpoints.list_agents())]

    get, aget = paired(_get)
    list, alist = paired(_list)


def _agent(record: AgentRecord) -> Agent:
    return Agent(
        id=record.id,
        name=record.name,
        status=record.status,
        description=record.description,
        version=record.version,
        raw=record.raw,
    )
