"""What a doctor checks of a project: its manifests, its variables, its key, and what git would take of it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from taskspec.desired.assigning import assign
from taskspec.diagnostics import Diagnostic, ManifestError, Severity
from taskspec.documents.model import LOCAL, Project
from taskspec.documents.remembering import Memory
from taskspec.documents.supplying import read_values
from taskspec.errors import TaskspecError
from taskspec.report.checkups import Checkup, doubtful, fine, wrong
from taskspec.report.text import place_of, plural, some
from taskspec.runner.asking_git import SAFE
from taskspec.runner.model import Invocation, Ports
from taskspec.runner.preparing import Prepared, examine, given_by

KEY: Final = "XPANDER_API_KEY"
"""Which variable holds the key where the project names no other."""
_PATIENCE: Final = 5.0
"""Seconds that git may take."""
_IGNORED, _NOT_IGNORED = 0, 1  # what `git check-ignore` exits with


def checked_manifests(invocation: Invocation, ports: Ports) -> tuple[Checkup, Prepared | None]:
    """Return whether the manifests are right, and what they ask for; None where that cannot be told."""
    try:
        found = examine(invocation, ports, Memory(None, invocation.target))
    except ManifestError as error:
        return _mistaken(list(error.diagnostics)), None
    except TaskspecError as error:
        return wrong("project", error.message, error.hint), None
    mistakes = [one for one in found.warnings if one.severity is Severity.ERROR]
    if mistakes:
        return _mistaken(mistakes), found
    desired = found.desired
    where = place_of(desired.project.name, desired.project.environment)
    agents = {task.agent for task in desired.tasks.values()}
    text = f"{where}: {plural(len(desired.tasks), 'task')} of {plural(len(agents), 'agent')}, valid"
    if not desired.tasks:
        return doubtful("project", text, "A project without tasks does nothing: `taskspec init` begins one."), found
    return fine("project", text), found


def checked_variables(project: Project, invocation: Invocation) -> Checkup:
    """Return which declared variables have no value: only a template that names one is kept from rendering."""
    try:
        files = [file for file, _ in map(read_values, invocation.variable_files)]
        assigned, _ = assign(project, given_by(invocation, files, project))
    except TaskspecError as error:
        return wrong("variables", error.message, error.hint)
    unset = [name for name in project.variables if name not in assigned.givers]
    if unset:
        text = f"{plural(len(unset), 'variable')} without a value: {some(unset)}"
        return doubtful("variables", text, f"Give it with `--var {unset[0]}=…` or `TASKSPEC_VAR_{unset[0]}`.")
    if not project.variables:
        return fine("variables", "none are declared")
    return fine("variables", f"{len(project.variables)} declared, each with a value")


def checked_key(project: Project, invocation: Invocation) -> Checkup:
    """Return whether the key of the remote is there; never what it is."""
    if project.remote.type == LOCAL:
        return fine("key", "the embedded engine needs none")
    name = project.remote.api_key_env or KEY
    if invocation.settings.environ.get(name):
        return fine("key", f"there, in {name}")
    return wrong("key", f"{name} is not set", f"Set {name}, or name another variable in `remote.apiKey.env`.")


def checked_ignore(project: Project, environ: Mapping[str, str]) -> Iterator[Checkup]:
    """Yield whether git leaves the data folder alone: what it holds is no secret, but large and of this machine."""
    folder = Path(project.data_folder)
    if not folder.is_dir() or not any(os.path.exists(above / ".git") for above in folder.parents):  # noqa: PTH110  # it may not be ours to look at
        return
    untold = f"whether git leaves {folder.name} alone is not known"
    try:
        done = subprocess.run(
            ["git", *SAFE, "check-ignore", "-q", str(folder / project.environment)],  # noqa: S607  # the user's own git
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            env={**environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield doubtful("git", f"{untold}: {_said(error)}", f"Make sure that `{folder.name}/` is in .gitignore.")
        return
    if done.returncode == _IGNORED:
        yield fine("git", f"{folder.name} is ignored")
    elif done.returncode == _NOT_IGNORED:
        yield doubtful("git", f"git would take {folder.name} into a commit", f"Add `{folder.name}/` to .gitignore.")
    else:
        said = done.stderr.decode(errors="replace").strip() or f"it ends with {done.returncode}"
        yield doubtful("git", f"{untold}: {said}", f"Make sure that `{folder.name}/` is in .gitignore.")


def _said(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"git has not answered in {_PATIENCE:.0f} s"
    return "git is not installed" if isinstance(error, FileNotFoundError) else f"git cannot be run ({error.strerror})"


def _mistaken(mistakes: list[Diagnostic]) -> Checkup:
    first = mistakes[0]
    text = f"{plural(len(mistakes), 'mistake')}, the first at {first.position}: {first.summary}"
    return wrong("project", text, "`taskspec validate` tells all of them, and what to write.")
