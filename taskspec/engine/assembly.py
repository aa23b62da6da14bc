"""The parts of one engine, put together for a mode. Opens the database; starts no server."""

from dataclasses import dataclass, field

from taskspec.engine.database import Database, open_database, open_stored
from taskspec.engine.dispatching import Dispatcher
from taskspec.engine.model import EngineConfig, Mode, agents_digest
from taskspec.engine.runs import RunStore, utc_now
from taskspec.engine.streaming import EventLog
from taskspec.engine.uploads import UploadFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """Everything that answers a request."""

    config: EngineConfig
    mode: Mode
    api_key: str = field(repr=False)
    database: Database
    store: RunStore
    log: EventLog
    uploads: UploadFolder
    dispatcher: Dispatcher
    agents_digest: str
    since: str

    @property
    def instance(self) -> str:
        """Return the id that was made with the data folder."""
        return self.store.instance


def assemble(config: EngineConfig, mode: Mode, api_key: str) -> Engine:
    """Open what is stored and put an engine around it."""
    database = open_stored(config.folder) if mode is Mode.READ else open_database(config.folder)
    store = RunStore(database)
    log = EventLog(config.folder / "runs", live=mode is not Mode.READ)
    return Engine(
        config=config,
        mode=mode,
        api_key=api_key,
        database=database,
        store=store,
        log=log,
        uploads=UploadFolder(config.folder / "files"),
        dispatcher=Dispatcher(config, mode, store, log),
        agents_digest=agents_digest(config),
        since=utc_now(),
    )
