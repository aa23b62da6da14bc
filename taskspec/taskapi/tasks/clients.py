"""What the clients of the library have in common: a configuration, a session, and their end. Asks nothing."""

from typing import Self

from taskspec.taskapi.tasks.configuration import Configuration
from taskspec.taskapi.tasks.sessions import Session


class Client:
    """A client with connections of its own; `with` or `async with` closes them.

    One client serves any number of threads and event loops. Without a configuration, the environment's is used.
    """

    def __init__(self, configuration: Configuration | None = None) -> None:
        """Check the configuration; nothing is connected before the first call."""
        self._session = Session(Configuration() if configuration is None else configuration)

    @property
    def configuration(self) -> Configuration:
        """Return the configuration that the client uses."""
        return self._session.configuration

    def close(self) -> None:
        """Close the connections; a later call raises UsageError."""
        self._session.close()

    async def aclose(self) -> None:
        """Close the connections; a later call raises UsageError."""
        await self._session.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
