"""An engine in threads of its own, and configurations that lead to it."""

import os
from contextlib import contextmanager

from taskspec import Configuration
from taskspec.engine.hosting import AgentCommand, EngineConfig, Mode, open_engine

AGENTS = {
    "agent123": ("cat",),
    "endless": ("sleep", "600"),
    "failing": ("sh", "-c", "exit 3"),
}


@contextmanager
def serving(folder):
    """Yield the configuration of a client of a new engine."""
    config = EngineConfig(
        folder=folder / ".taskspec" / "engine",
        project_folder=folder,
        agents={name: AgentCommand(command=command) for name, command in AGENTS.items()},
        environ=dict(os.environ),
    )
    with open_engine(config, Mode.DISPATCH) as handle:
        yield Configuration(api_key=handle.api_key, base_url=handle.url, organization_id="local")
