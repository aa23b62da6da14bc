"""What is started for a run: the command, its environment, its files. Starts nothing itself."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taskspec.engine.model import RUN_ID_VARIABLE, AgentCommand, EngineConfig
from taskspec.engine.uploads import UploadFolder

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "USER", "SHELL")
"""What every agent gets of the environment; anything more is named by the project."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """One agent process to be: what it runs, where, and what it is given."""

    argv: tuple[str, ...]
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    prompt: bytes = field(repr=False)
    timeout: float | None


def prepare(
    task: Mapping[str, Any], thread: Sequence[Mapping[str, str]], config: EngineConfig, uploads: UploadFolder
) -> Launch:
    """Write what the agent reads, the messages of earlier turns included, and return how it is started."""
    agent = config.agents[task["agent_id"]]
    folder = (config.folder / "runs" / task["id"]).absolute()
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    files = uploads.place(task["input"]["files"], folder / "files")
    task_file = folder / "task.json"
    _write_private(
        task_file, json.dumps({**task, "input": {**task["input"], "files": files}, "thread": thread}, indent=1)
    )
    return Launch(
        argv=argv(agent, config.project_folder),
        folder=config.project_folder.absolute(),
        environ={
            **{name: config.environ[name] for name in (*INHERITED, *agent.env_allow) if name in config.environ},
            "TASKSPEC_TASK_FILE": str(task_file),
            RUN_ID_VARIABLE: task["id"],
            "TASKSPEC_AGENT_ID": task["agent_id"],
        },
        prompt=task["input"]["text"].encode(errors="replace"),
        timeout=agent.timeout,
    )


def clear(run: str, config: EngineConfig) -> None:
    """Remove what a run's agent was given to read; its events stay."""
    folder = config.folder / "runs" / run
    (folder / "task.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "files", ignore_errors=True)


def argv(agent: AgentCommand, project_folder: Path) -> tuple[str, ...]:
    """Return an agent's command as it is executed: this interpreter for `python`, paths against the project."""
    program, *arguments = agent.command
    if program in {"python", "python3"}:
        program = sys.executable
    elif "/" in program:
        program = str(project_folder.absolute() / program)
    return (program, *arguments)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
