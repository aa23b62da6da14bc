"""doctor: what may keep a project from working, one thing after the other. Changes nothing, and takes no lock."""

import platform
from collections.abc import AsyncIterator, Callable, Iterable

from taskspec import __version__
from taskspec.documents.model import Project
from taskspec.errors import TaskspecError
from taskspec.report.checkups import Checkup, fine
from taskspec.runner.checking_history import checked_history
from taskspec.runner.checking_project import checked_ignore, checked_key, checked_manifests, checked_variables
from taskspec.runner.checking_remote import checked_remote
from taskspec.runner.checking_state import checked_state
from taskspec.runner.locating import project_of
from taskspec.runner.model import Invocation, Ports
from taskspec.state.database import sqlite_version

More = Callable[[Project], Iterable[Checkup]]
"""Checks what the stories know nothing of: the embedded engine."""


async def diagnose(invocation: Invocation, ports: Ports, more: More, *, offline: bool) -> AsyncIterator[Checkup]:
    """Yield what was checked; without a project that can be read there is no more to check than the manifests."""
    yield fine("versions", f"taskspec {__version__}, Python {platform.python_version()}, SQLite {sqlite_version()}")
    checkup, prepared = checked_manifests(invocation, ports)
    yield checkup
    try:
        project = project_of(invocation)
    except TaskspecError:
        return  # where the state and the remote are is not known
    yield checked_variables(project, invocation)
    yield checked_key(project, invocation)
    for one in checked_ignore(project, invocation.settings.environ):
        yield one
    told: set[str] = set()
    for one in checked_state(project, ports):
        told.add(one.text)
        yield one
    history = checked_history(invocation, ports)
    if history.text not in told:  # a state that cannot be read is told once
        yield history
    for one in more(project):
        yield one
    if offline:
        return
    tasks = prepared.desired.tasks if prepared is not None else {}
    async for one in checked_remote(project, tasks, ports):
        yield one
