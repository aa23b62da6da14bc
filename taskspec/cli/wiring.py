"""The composition root: which remote, state and clock; the one room that knows client and engine. Decides no story."""

import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from taskspec.chance import Chance
from taskspec.cli.clock import steady_clock
from taskspec.cli.printing import note
from taskspec.cli.timing import hosted_traits, lease_seconds
from taskspec.documents.model import LOCAL, Project
from taskspec.documents.places import Place, PlaceKind, place_of, shown
from taskspec.errors import LockHeldError, MissingSecretError, UsageError
from taskspec.report.text import duration, plural, visible
from taskspec.runner.model import Link, Need, Offline
from taskspec.settings import Settings
from taskspec.state.model import Holder
from taskspec.state.opening import Wanted, open_store
from taskspec.state.processes import started_at
from taskspec.state.store import StateStore
from taskspec.taskapi.remotes import Endpoint, RemoteIdentity, Traits
from taskspec.taskapi.roots import roots

if TYPE_CHECKING:
    from taskspec.taskapi.tasks.configuration import Configuration

ORGANIZATION = "local"
"""The organization of the embedded engine, which has only one."""
_EMBEDDED = Traits(
    takes_local_files=True,
    quiet_period=5.0,
    create_timeout=20.0,
    keeps_titles=True,
    poll_interval=0.02,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """Where a remote is, for a client that connects by itself; what an engine of this command runs ends with it."""

    configuration: "Configuration"
    owned: bool = False
    end_runs: Callable[[], None] = lambda: None
    """Starts nothing more and ends what runs, where the engine is this command's own; tasks can be read after it."""


class Wiring:
    """The ports of the stories, filled in for this machine."""

    def __init__(self, settings: Settings, *, parallelism: int = 16) -> None:
        self.chance = Chance(now=steady_clock(), nonce=lambda: secrets.token_hex(8))
        self._settings = settings
        self._parallelism = parallelism

    def offline(self, project: Project) -> Offline:
        """Return what is known of the project's remote without asking it."""
        if project.remote.type == LOCAL:
            identity = RemoteIdentity(type=LOCAL, organization=ORGANIZATION)
            return Offline(identity=identity, traits=_EMBEDDED, declares_agents=True)
        rest_root, _ = self._roots(project)
        organization = project.remote.organization or self._settings.xpander_organization
        identity = RemoteIdentity(type=project.remote.type, url=rest_root, organization=organization)
        return Offline(identity=identity, traits=hosted_traits(self._settings))

    @asynccontextmanager
    async def connect(self, project: Project, need: Need) -> AsyncIterator[Link]:
        """Connect to the project's remote: over HTTP, wherever it is."""
        from taskspec.taskapi.drivers.asynchronous import Connection

        if project.remote.type == LOCAL:
            async with self._embedded(project, need) as link:
                yield link
            return
        offline = self.offline(project)
        async with Connection(self._endpoint(project), offline.identity, offline.traits) as connection:
            yield Link(connection=connection)

    @contextmanager
    def reach(self, project: Project, need: Need) -> Iterator[Reach]:
        """Say where the project's remote is; an engine that is started for that lives as long as the context."""
        from taskspec.taskapi.tasks.configuration import Configuration

        if project.remote.type == LOCAL:
            with self._reach_engine(project, need) as reach:
                yield reach
            return
        base_url = project.remote.base_url or self._settings.xpander_base_url
        organization = project.remote.organization or self._settings.xpander_organization
        key = self._key(project)
        yield Reach(configuration=Configuration(api_key=key, base_url=base_url, organization_id=organization))

    def open_state(self, project: Project, *, read_only: bool, at: Place | None = None) -> StateStore:
        """Open the project's state, where the environment or else its manifests say that it is kept, or elsewhere."""
        place = at or self._place(project)
        wanted = Wanted(
            folder=Path(project.data_folder),
            project=project.name,
            environment=project.environment,
            read_only=read_only,
            ttl=lease_seconds(self._settings),
            environ=self._settings.environ,
        )
        return open_store(place, wanted)

    def _place(self, project: Project) -> Place:
        text = self._settings.state or project.state
        try:
            place = place_of(text)
        except ValueError as error:
            where = "TASKSPEC_STATE" if self._settings.state else "spec.state"
            raise UsageError(f"The place of the state, {shown(text)} (of {where}), {error}.") from error
        if self._settings.needs_shared_state and place.kind is PlaceKind.LOCAL:
            raise UsageError(
                f"The state of environment `{project.environment}` stays on this machine, and "
                "TASKSPEC_REQUIRE_SHARED_STATE is set: the next job would know nothing of what was paid for.",
                hint="Say where all jobs find it: `spec.state`, or TASKSPEC_STATE (docs/shared-state.md).",
            )
        return place

    def holder(self) -> Holder:
        """Describe this process: never its arguments, which may hold values of variables."""
        import getpass
        import socket

        name = "unknown"
        with suppress(OSError, KeyError):
            name = getpass.getuser()
        command = f"taskspec {sys.argv[1]}" if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "taskspec"
        return Holder(
            user=name,
            host=socket.gethostname(),
            pid=os.getpid(),
            command=command,
            since=time.time(),
            started=started_at(os.getpid()),
            job=self._settings.ci.url if self._settings.ci else None,
        )

    def waiting(self, error: LockHeldError, seconds: float) -> None:
        """Tell that a lock is waited for, so many seconds at most, and who has it."""
        note(f"{visible(error.message)} Waiting up to {duration(seconds)}.")

    def begins(self, place: str) -> None:
        """Tell that nothing is kept yet at a place that others share."""
        note(f"Nothing is kept yet at {visible(place)}: a state begins there, and every task runs.")

    @asynccontextmanager
    async def _embedded(self, project: Project, need: Need) -> AsyncIterator[Link]:
        import asyncio

        from taskspec.cli.embedding import engine_config, mode
        from taskspec.cli.entering import entered
        from taskspec.engine.hosting import open_engine
        from taskspec.taskapi.drivers.asynchronous import Connection
        from taskspec.taskapi.handshaking import handshake

        offline = self.offline(project)
        async with entered(
            open_engine(engine_config(project, self._settings, self._parallelism), mode(need))
        ) as engine:
            rest_root, events_root = roots(engine.url, ORGANIZATION)
            endpoint = Endpoint(rest_root=rest_root, events_root=events_root, api_key=engine.api_key)
            ended = False

            async def end_runs() -> None:
                nonlocal ended
                ended = True
                await asyncio.to_thread(engine.interrupt)

            async with Connection(endpoint, offline.identity, offline.traits) as connection:
                yield Link(
                    connection=await handshake(connection),
                    end_runs=end_runs if engine.owned else None,
                    failure=engine.failure,
                )
            if need is Need.RUN and engine.owned and not ended:
                await _drained(engine.active)

    @contextmanager
    def _reach_engine(self, project: Project, need: Need) -> Iterator[Reach]:
        import asyncio

        from taskspec.cli.embedding import engine_config, mode
        from taskspec.engine.hosting import open_engine
        from taskspec.taskapi.tasks.configuration import Configuration

        with open_engine(engine_config(project, self._settings, self._parallelism), mode(need)) as engine:
            configuration = Configuration(api_key=engine.api_key, base_url=engine.url, organization_id=ORGANIZATION)
            yield Reach(configuration=configuration, owned=engine.owned, end_runs=engine.interrupt)
            if need is Need.RUN and engine.owned:
                asyncio.run(_drained(engine.active))

    def _endpoint(self, project: Project) -> Endpoint:
        rest_root, events_root = self._roots(project)
        return Endpoint(rest_root=rest_root, events_root=events_root, api_key=self._key(project))

    def _key(self, project: Project) -> str:
        name = project.remote.api_key_env or "XPANDER_API_KEY"
        key = self._settings.environ.get(name)
        if not key:
            raise MissingSecretError(
                f"the key of the remote is missing: the environment variable {name} is not set",
                hint=f"Set {name}, or name another variable in `remote.apiKey.env`.",
            )
        return key

    def _roots(self, project: Project) -> tuple[str, str]:
        return roots(
            project.remote.base_url or self._settings.xpander_base_url,
            project.remote.organization or self._settings.xpander_organization,
        )


async def _drained(active: Callable[[], int]) -> None:
    """Wait for runs that another command has started on this command's engine: they would end with it."""
    import asyncio

    told = False
    while left := await asyncio.to_thread(active):
        if not told:
            note(f"{plural(left, 'run')} of another command on this engine; waiting for the end (Ctrl-C ends them).")
            told = True
        await asyncio.sleep(0.2)
