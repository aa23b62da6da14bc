"""The first words with a remote: who it is, and what it can. Takes nothing for granted that it does not say."""

from dataclasses import replace

from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.endpoints import greet


async def handshake(connection: Connection) -> Connection:
    """Ask the remote once, and return the same connection with its instance and traits as the remote tells them."""
    greeting = await connection.run(greet())
    connection.identity = replace(connection.identity, instance=greeting.instance)
    connection.traits = connection.traits.announced(greeting.capabilities)
    return connection
