"""Originating: which revision of the project is checked out, and which CI job asks, as git and the job tell it.

Changes nothing anywhere. Where nobody can tell, nothing is told, and that is no error.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Final

from taskspec.ci import CiJob, Revision
from taskspec.documents.model import Project
from taskspec.runner.asking_git import Git, OutOfTimeError, git_of
from taskspec.settings import DEFAULT_ENVIRONMENT, Settings

_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")
LONGEST: Final = 3.0
"""Seconds for all of it."""
_LONGEST_NAME: Final = 250


def revision_of(project: Project | None, settings: Settings) -> Revision | None:
    """Return what is checked out in a project's folder, and which job asks; None where nobody can tell.

    Of a project that cannot be read, and whose folder nobody knows, the job alone tells.

    What the job tells wins: of a pull request a merge is checked out, and the commit that it is about is another one.
    """
    try:
        git = git_of(Path(project.folder), settings.environ, longest=LONGEST) if project is not None else None
        found = _checked_out(git, project) if git is not None and project is not None else None
    except OutOfTimeError:
        found = None
    job = settings.ci
    if job is None:
        return found
    told = _with_job(found or Revision(), job)
    return told if told != Revision() else None


def _checked_out(git: Git, project: Project) -> Revision | None:
    commit = (git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}") or "").strip()
    if not _COMMIT.fullmatch(commit):
        return None
    branch = (git.ask("symbolic-ref", "--quiet", "--short", "HEAD") or "").strip()[:_LONGEST_NAME]
    return Revision(commit=commit, is_dirty=_differs(git, project), branch=branch or None)


def _differs(git: Git, project: Project) -> bool:
    """Tell whether files of a project differ from the commit, or nobody can tell; what taskspec writes does not count.

    Of those that are not tracked only YAML counts, as manifests may be among it: a report is no change.
    """
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules=all")
    try:
        prefix, told = git.ask("rev-parse", "--show-prefix"), git.ask(*words, "--", ".")
    except OutOfTimeError:
        return True
    if prefix is None or told is None:
        return True
    written = prefix.rstrip("\n") + _written(project) + "/"
    return any(_counts(entry) and not entry[3:].startswith(written) for entry in told.split("\0"))


def _counts(entry: str) -> bool:
    return bool(entry) and (not entry.startswith("??") or entry.endswith((".yaml", ".yml")))


def _written(project: Project) -> str:
    """Return the folder of the results of all environments."""
    path = PurePosixPath(project.results_path)
    is_inner = project.environment != DEFAULT_ENVIRONMENT and path.name == project.environment
    return str(path.parent if is_inner else path)


def _with_job(found: Revision, job: CiJob) -> Revision:
    return Revision(
        commit=job.commit or found.commit,
        is_dirty=found.is_dirty,
        branch=job.branch or found.branch,
        author=job.author,
        request=job.request.number if job.request is not None else None,
        job=job.url,
    )
