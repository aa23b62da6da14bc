"""The embedded engine as a project declares it: agents, folders, and what a command needs of it. Starts nothing."""

from pathlib import Path

from taskspec.documents.model import Project
from taskspec.engine.model import AgentCommand, EngineConfig, Mode
from taskspec.runner.model import Need
from taskspec.settings import DEFAULT_ENVIRONMENT, Settings


def engine_config(project: Project, settings: Settings, parallelism: int) -> EngineConfig:
    """Return the engine's configuration for a project."""
    return EngineConfig(
        folder=engine_folder(project),
        project_folder=Path(project.folder),
        agents={
            name: AgentCommand(command=agent.command, timeout=agent.timeout, env_allow=agent.env_allow)
            for name, agent in project.agents.items()
        },
        environ=settings.environ,
        parallelism=parallelism,
    )


def engine_folder(project: Project) -> Path:
    """Return where the engine keeps its things: one for each environment, as each may have agents of its own."""
    home = Path(project.data_folder)
    return home / "engine" if project.environment == DEFAULT_ENVIRONMENT else home / project.environment / "engine"


def mode(need: Need) -> Mode:
    """Return the engine's mode that serves a need."""
    match need:
        case Need.LOOK:
            return Mode.READ
        case Need.HOLD:
            return Mode.RECOVER
        case Need.RUN:
            return Mode.DISPATCH
