"""What a doctor checks of a remote: whether it answers, how fast, on which way, its clock, and its agents."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, DesiredTask
from taskspec.documents.model import LOCAL, Project
from taskspec.errors import AuthenticationError, TaskspecError, UsageError
from taskspec.report.checkups import Checkup, doubtful, fine, wrong
from taskspec.report.text import duration, plural, some
from taskspec.runner.model import Need, Ports
from taskspec.taskapi import endpoints
from taskspec.taskapi.drivers.asynchronous import Connection
from taskspec.taskapi.drivers.routing import proxy_of

SKEW: Final = 30.0
"""Seconds that two clocks may differ: the quiet period, by which a remote's lists are believed, rests on that."""
SLOW: Final = 5.0
"""Seconds after which an answer is slow."""
_OURS: Final = frozenset({"127.0.0.1", "::1", "localhost"})

Tasks = Mapping[Address, DesiredTask | DeferredTask]


async def checked_remote(project: Project, tasks: Tasks, ports: Ports) -> AsyncIterator[Checkup]:
    """Yield how it stands with the project's remote; nothing is changed on it."""
    try:
        for one in _way(ports.offline(project).identity.url):
            yield one
        async with ports.connect(project, Need.LOOK) as link:
            async for one in _asked(link.connection, project, tasks):
                yield one
    except AuthenticationError as error:
        yield wrong("key", error.message, error.hint or "Check the key, and the organization that it belongs to.")
    except TaskspecError as error:
        yield wrong("remote", error.message, error.hint)


async def _asked(connection: Connection, project: Project, tasks: Tasks) -> AsyncIterator[Checkup]:
    began = time.monotonic()
    greeting = await connection.run(endpoints.greet())
    took = time.monotonic() - began
    where = connection.identity.url or "the embedded engine"
    text = f"{where} answers in {took * 1000:.0f} ms"
    yield doubtful("remote", f"{text}: that is slow", "Check the connection.") if took > SLOW else fine("remote", text)
    if project.remote.type != LOCAL:
        yield fine("key", "accepted by the remote")
        yield _clock(greeting, took)
    agents = {agent.id for agent in await connection.run(endpoints.list_agents())}
    yield _agents(agents, tasks)


def _clock(greeting: endpoints.Greeting, took: float) -> Checkup:
    """Compare the remote's clock with ours; its header tells whole seconds."""
    if not greeting.date:
        return doubtful("clock", "the remote tells no time of its own, so that the clocks cannot be compared")
    try:
        theirs = parsedate_to_datetime(greeting.date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return doubtful("clock", "the time that the remote tells cannot be read, so that the clocks cannot be compared")
    apart = greeting.at - took / 2 - theirs
    apart = apart - min(max(apart, 0.0), 1.0)  # within the second that the header tells they agree
    if abs(apart) <= SKEW:
        return fine("clock", f"within {abs(apart):.0f} s of the remote's")
    text = f"{duration(abs(apart))} {'ahead of' if apart > 0 else 'behind'} the remote's"
    return wrong("clock", text, "Set the clock of this machine: the quiet period of unknown outcomes rests on it.")


def _agents(known: set[str], tasks: Tasks) -> Checkup:
    named = {task.agent for task in tasks.values()}
    lacking = sorted(named - known)
    if not lacking:
        return fine("agents", f"{plural(len(named), 'agent')} of the tasks, each there")
    text = f"the remote does not have {some(lacking)}"
    return wrong("agents", text, "`taskspec agents list` shows those that it has; correct `agent` of the tasks.")


def _way(url: str | None) -> Iterator[Checkup]:
    """Yield on which way a hosted remote is reached; never a password that a proxy's address may hold."""
    if url is None:
        return
    parts = urlsplit(url)
    try:
        proxy = urlsplit(proxy_of(url) or "")
    except UsageError as error:
        yield wrong("way", error.message, error.hint)
        return
    through = f", through the proxy {proxy.hostname}:{proxy.port or '-'}" if proxy.hostname else ", without a proxy"
    if parts.scheme == "https":
        yield fine("way", f"TLS{through}")
    elif parts.hostname in _OURS:
        yield fine("way", f"no TLS, within this machine{through}")
    else:
        text = f"no TLS{through}: the key can be read on the way"
        yield wrong("way", text, "Write `https://` in `remote.baseUrl`, or in XPANDER_BASE_URL.")
