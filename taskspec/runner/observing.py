"""Observing: what a plan needs to see of the remote, and nothing else. Decides nothing and changes nothing.

A run that is recorded as lost is looked at in full only, or where a further attempt is asked for: it may be back.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from taskspec.address import Address
from taskspec.observed.model import Observed
from taskspec.plan.accounting import Past, duplicates, owners, strays
from taskspec.runner.model import Refresh
from taskspec.state.model import Attempt, Record, Sending, Snapshot, Verdict
from taskspec.taskapi.remotes import RemoteIdentity

if TYPE_CHECKING:
    from taskspec.taskapi.drivers.asynchronous import Connection


NO_REQUESTS: Final[Collection[Address]] = frozenset()


def asks(
    declared: Mapping[Address, str],
    snapshot: Snapshot,
    refresh: Refresh,
    remote: RemoteIdentity,
    requested: Collection[Address] = NO_REQUESTS,
) -> bool:
    """Tell whether the remote has to be looked at, given the agents of what is declared.

    In full it always is where something is declared, for runs that nobody has recorded.
    """
    records = snapshot.records.values()
    if refresh is Refresh.FULL and declared:
        return True
    return bool(wanted(records, refresh, requested) or _marks(records, refresh, remote))


async def see(
    connection: "Connection",
    declared: Mapping[Address, str],
    snapshot: Snapshot,
    refresh: Refresh,
    past: Past,
    requested: Collection[Address] = NO_REQUESTS,
) -> Observed:
    """Look at the runs of a state on the remote that is connected; in full, at every run with a marker of ours too."""
    from taskspec.observed.refreshing import observe

    records = snapshot.records
    here = {
        run: agent
        for run, (agent, remote) in wanted(records.values(), refresh, requested).items()
        if remote == connection.identity
    }
    if refresh is not Refresh.FULL:
        return Observed(runs=await observe(connection, here))
    return await _see_all(connection, declared, snapshot, here, past)


async def _see_all(
    connection: "Connection", declared: Mapping[Address, str], snapshot: Snapshot, here: Mapping[str, str], past: Past
) -> Observed:
    from taskspec.observed.finding import found_in, sightings, twins
    from taskspec.observed.listing import Unlisted, survey
    from taskspec.observed.refreshing import observe_all

    records = snapshot.records
    marks = _marks(records.values(), Refresh.FULL, connection.identity)
    agents = [*here.values(), *(agent for agent, _ in marks.values()), *declared.values()]
    lists = await survey(connection, agents)
    found, known = sightings(lists, snapshot.lineage), owners([*declared, *records])
    return Observed(
        runs=await observe_all(connection, here, lists),
        marked={nonce: those.runs for nonce, those in found_in(lists, marks).items()},
        strays=strays(found, records, known, past),
        duplicates=duplicates(twins(found), known, records),
        unlisted={agent: rows.reason for agent, rows in lists.items() if isinstance(rows, Unlisted)},
    )


def wanted(
    records: Iterable[Record], refresh: Refresh, requested: Collection[Address] = NO_REQUESTS
) -> dict[str, tuple[str, RemoteIdentity]]:
    """Return the runs to look at: run id → agent id and the remote that it is on."""
    if refresh is Refresh.NONE:
        return {}
    found: dict[str, tuple[str, RemoteIdentity]] = {}
    for record in records:
        last = record.generation.last
        if last is None or last.run is None:
            continue
        may_be_back = last.verdict is Verdict.LOST and record.address in requested
        if refresh is Refresh.FULL or is_open(last) or may_be_back:
            found[last.run] = (record.agent, last.remote)
    return found


def is_open(attempt: Attempt) -> bool:
    """Tell whether an attempt has a run that was not seen to its end and judged."""
    return attempt.sending is Sending.BOUND and attempt.verdict is None


def _marks(records: Iterable[Record], refresh: Refresh, remote: RemoteIdentity) -> dict[str, tuple[str, str]]:
    """Return the intents of unknown outcome that a full refresh looks for on a remote: nonce → agent id and marker."""
    if refresh is not Refresh.FULL:
        return {}
    lasts = [(record.agent, record.generation.last) for record in records]
    return {
        last.nonce: (agent, last.marker)
        for agent, last in lasts
        if last is not None and last.sending is Sending.INTENDED and last.remote.same_remote(remote)
    }
