"""Which remote `taskspec tasks` talks to: the project's, or the one that the environment names. Asks it nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from taskspec.cli.wiring import Reach, Wiring
from taskspec.documents.model import LOCAL, Project
from taskspec.documents.project_files import PROJECT_FILES
from taskspec.errors import (
    MissingSecretError,
    NotFoundError,
    OutcomeUnknownError,
    RunInterruptedError,
    TaskspecError,
    UsageError,
)
from taskspec.runner.model import Invocation, Need
from taskspec.settings import Settings, from_environ
from taskspec.taskapi.records import AgentExecutionStatus as Status

if TYPE_CHECKING:
    from taskspec.taskapi.tasks.module import Tasks


@contextmanager
def reached(folder: Path | None, need: Need) -> Iterator[Reach]:
    """Reach the remote of a project: of the one named, else of the current folder's, else that of the environment."""
    settings = from_environ()
    project = _project(folder, settings)
    if project is None:
        yield _of_environment(settings)
        return
    with Wiring(settings).reach(project, need) as reach:
        yield reach


@contextmanager
def reached_to_create(folder: Path | None, agent: str, *, follow: bool) -> Iterator[Reach]:
    """Reach a remote that runs what is created; UsageError where nobody would be there to see the end of it."""
    waits = _waits_for_worker(agent, _project(folder, from_environ()))
    if waits or not follow:
        with reached(folder, Need.LOOK) as reach:
            _require_outliving(reach, agent, waits=waits)
    with reached(folder, Need.RUN) as reach:
        if waits or not follow:
            _require_outliving(reach, agent, waits=waits)
        yield reach


@contextmanager
def told_when_cut(reach: Reach, tasks: "Tasks", task: str) -> Iterator[None]:
    """Say what becomes of a task when a signal ends the command that follows it."""
    from taskspec.cli.printing import note
    from taskspec.report.text import visible

    shown = visible(task)
    try:
        yield
    except (KeyboardInterrupt, RunInterruptedError):
        if reach.owned:
            note(f"\n{_ended_with_engine(reach, tasks, task)}")
        else:
            note(f"\nTask {shown} goes on: `taskspec tasks events {shown} -f` follows it.")
        raise


@contextmanager
def told_when_absent() -> Iterator[None]:
    """Say where ids are found wherever the remote does not know the task asked for."""
    try:
        yield
    except NotFoundError as error:
        hint = error.hint or "`taskspec tasks list AGENT` shows the tasks of an agent with their ids."
        raise NotFoundError(error.message, hint=hint, status=error.status, detail=error.detail) from error


@contextmanager
def told_when_unknown(look: str) -> Iterator[None]:
    """Say how to look wherever nobody knows whether the change that was asked for is made."""
    from taskspec.cli.printing import note

    try:
        yield
    except OutcomeUnknownError as error:
        raise OutcomeUnknownError(error.message, hint=look, status=error.status, detail=error.detail) from error
    except (KeyboardInterrupt, RunInterruptedError):
        note(f"\nWhether the remote has done it is not known. {look}")
        raise


@contextmanager
def told_of(task: str) -> Iterator[None]:
    """Say how to look at a task that was to be changed, or where to find it where the remote does not know it."""
    from taskspec.report.text import visible

    with told_when_absent(), told_when_unknown(f"`taskspec tasks get {visible(task)}` shows how it is."):
        yield


def _project(folder: Path | None, settings: Settings) -> Project | None:
    if folder is None and not any(Path(name).is_file() for name in PROJECT_FILES):
        return None
    from taskspec.cli.options import environment_of
    from taskspec.runner.locating import project_of

    return project_of(Invocation(target=folder or Path(), environment=environment_of(settings), settings=settings))


def _of_environment(settings: Settings) -> Reach:
    from taskspec.taskapi.tasks.configuration import Configuration

    if not settings.xpander_api_key:
        raise MissingSecretError(
            "there is no project in this folder, and the environment variable XPANDER_API_KEY is not set",
            hint="Name a project with -C, or set XPANDER_API_KEY (and XPANDER_ORGANIZATION_ID).",
        )
    return Reach(configuration=Configuration())


def _waits_for_worker(agent: str, project: Project | None) -> bool:
    if project is None or project.remote.type != LOCAL:
        return False
    declared = project.agents.get(agent)
    return declared is not None and not declared.command


def _require_outliving(reach: Reach, agent: str, *, waits: bool) -> None:
    if not reach.owned:
        return
    if waits:
        raise UsageError(
            f"A task for the agent `{agent}` waits for a worker, and no engine is running that a worker can connect "
            "to.",
            hint="Keep one running in another terminal with `taskspec serve`, and connect a worker to it.",
        )
    raise UsageError(
        "No engine of this project is running: one of this command would end with it, and the task too.",
        hint="Follow the task with -f, or keep an engine running in another terminal with `taskspec serve`.",
    )


def _ended_with_engine(reach: Reach, tasks: "Tasks", task: str) -> str:
    """End what runs on this command's engine, and return what became of a task there; one not begun is stopped."""
    from taskspec.report.text import visible

    shown = visible(task)
    try:
        reach.end_runs()
        status = tasks.get(task).status
        if status == Status.Pending:
            status = tasks.stop(task).status
            return f"Task {shown} had not begun. It does not wait for another engine: it is {visible(status)}."
    except TaskspecError:
        return f"The engine of this command ends. `taskspec tasks get {shown}` shows what became of task {shown}."
    if status == Status.Error:
        return f"Task {shown} ended with this command: its engine recorded it as `error` (interrupted)."
    return f"Task {shown} is {visible(status)}."
