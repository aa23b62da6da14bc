"""Which remote `taskspec tasks` talks to: the project's, or the one that the environment names. Asks it nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taskspec.cli.wiring import Reach, Wiring
from taskspec.documents.locating import PROJECT_FILES
from taskspec.documents.model import Project
from taskspec.errors import MissingSecretError, OutcomeUnknownError, RunInterruptedError, UsageError
from taskspec.runner.model import Invocation, Need
from taskspec.settings import Settings, from_environ


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
def reached_to_create(folder: Path | None, *, follow: bool) -> Iterator[Reach]:
    """Reach a remote that runs what is created; UsageError where nobody would be there to see the end of it."""
    if not follow:
        with reached(folder, Need.LOOK) as reach:
            _require_outliving(reach)
    with reached(folder, Need.RUN) as reach:
        if not follow:
            _require_outliving(reach)
        yield reach


@contextmanager
def told_when_cut(reach: Reach, task: str) -> Iterator[None]:
    """Say what becomes of a task when a signal ends the command that follows it."""
    from taskspec.cli.printing import note
    from taskspec.report.text import visible

    shown = visible(task)
    try:
        yield
    except (KeyboardInterrupt, RunInterruptedError):
        if reach.owned:
            note(f"\nTask {shown} ends with this command: its engine records it as `error` (interrupted).")
        else:
            note(f"\nTask {shown} goes on: `taskspec tasks events {shown} -f` follows it.")
        raise


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


def _project(folder: Path | None, settings: Settings) -> Project | None:
    if folder is None and not any(Path(name).is_file() for name in PROJECT_FILES):
        return None
    from taskspec.runner.locating import project_of

    return project_of(Invocation(target=folder or Path(), settings=settings))


def _of_environment(settings: Settings) -> Reach:
    from taskspec.taskapi.tasks.configuration import Configuration

    if not settings.xpander_api_key:
        raise MissingSecretError(
            "there is no project in this folder, and the environment variable XPANDER_API_KEY is not set",
            hint="Name a project with -C, or set XPANDER_API_KEY (and XPANDER_ORGANIZATION_ID).",
        )
    return Reach(configuration=Configuration())


def _require_outliving(reach: Reach) -> None:
    if reach.owned:
        raise UsageError(
            "No engine of this project is running: one of this command would end with it, and the task too.",
            hint="Follow the task with -f, or keep an engine running in another terminal with `taskspec serve`.",
        )
