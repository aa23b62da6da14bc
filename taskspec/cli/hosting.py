"""The embedded engine of a command that outlives its rounds: kept running between them. Joins one that is served."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from taskspec.cli.embedding import engine_config
from taskspec.cli.printing import note
from taskspec.documents.model import LOCAL, Project
from taskspec.errors import EngineError
from taskspec.report.text import plural
from taskspec.settings import Settings

if TYPE_CHECKING:
    from taskspec.engine.hosting import EngineHandle
    from taskspec.engine.model import EngineConfig


class EngineHost:
    """At most one engine of this process, for the project as it was when nothing ran on it the last time."""

    def __init__(self, settings: Settings, parallelism: int) -> None:
        self._settings = settings
        self._parallelism = parallelism
        self._entered = AsyncExitStack()
        self._handle: EngineHandle | None = None
        self._config: EngineConfig | None = None

    @property
    def owned(self) -> bool:
        """Tell whether the engine is this process's own."""
        return self._handle is not None

    async def keep(self, project: Project) -> None:
        """See to it that an engine runs that serves a project; raises EngineError.

        One whose agents are no longer those of the project goes on until its runs have ended.
        """
        if project.remote.type != LOCAL:
            return
        from taskspec.engine.model import agents_digest

        config = engine_config(project, self._settings, self._parallelism)
        if self._handle is not None and self._config is not None:
            if await self._serves(self._handle):
                same = config.folder == self._config.folder and agents_digest(config) == agents_digest(self._config)
                if same:
                    return
                await _require_idle(self._handle)
            await self.close()
        await self._open(config)

    async def end_runs(self) -> None:
        """End the active runs, and record them as interrupted."""
        if self._handle is not None:
            await asyncio.to_thread(self._handle.interrupt)

    async def close(self) -> None:
        """End the engine, where it is this process's own."""
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                active = await asyncio.to_thread(handle.active)
            except EngineError:
                active = 0
            if active:
                runs = plural(active, "active or waiting run")
                note(f"Ending {runs}: they are recorded, and those not started stay pending.")
        await self._entered.aclose()

    async def _open(self, config: "EngineConfig") -> None:
        from taskspec.cli.entering import entered
        from taskspec.engine.hosting import Mode, open_engine

        handle = await self._entered.enter_async_context(entered(open_engine(config, Mode.DISPATCH)))
        if handle.owned:
            self._handle, self._config = handle, replace(config)
        else:
            await self._entered.aclose()

    async def _serves(self, handle: "EngineHandle") -> bool:
        """Tell whether our engine is still at work; a full disk, say, may have ended it."""
        try:
            handle.check()
        except EngineError as error:
            note(f"{error.message}; another is started in its place. {error.hint}")
            return False
        return True


async def _require_idle(handle: "EngineHandle") -> None:
    active = await asyncio.to_thread(handle.active)
    if active:
        raise EngineError(
            f"the project declares other agents now, and {plural(active, 'run')} of the former ones "
            f"{'goes' if active == 1 else 'go'} on",
            hint="The new ones are taken over when they have ended; `taskspec stop` ends them.",
        )
