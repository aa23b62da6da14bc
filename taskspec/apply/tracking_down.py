"""Tracking down: which runs of the remote are those of which declared task, by their markers alone. Reads no run.

A task is found under its own name and under the one that it had before (`moved`); and, where nothing bears either, by
its text: a plan would have taken it for the task with another name that it is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from taskspec.address import Address, address_hash
from taskspec.desired.model import Desired, DesiredTask
from taskspec.markers import digest_of
from taskspec.observed.finding import age, twins
from taskspec.observed.model import Sighting
from taskspec.plan.rebuilding import Known, Lineage, Traces, Tracked


def lineages(found: Iterable[Sighting], desired: Desired, used: Mapping[str, str]) -> tuple[Lineage, ...]:
    """Return the lineages of some runs, those with the most declared tasks first; `used`: by name, the environment."""
    seen: defaultdict[str, list[Sighting]] = defaultdict(list)
    for one in found:
        seen[one.marker.lineage].append(one)
    made = (_lineage(name, runs, tracked(runs, desired).traces, used.get(name)) for name, runs in seen.items())
    return tuple(sorted(made, key=lambda one: (one.by_text, -len(one.addresses), -one.runs, one.name)))


def _lineage(name: str, runs: Sequence[Sighting], traces: Mapping[Address, Traces], used_by: str | None) -> Lineage:
    times = [one.run.created_at for one in runs if one.run.created_at is not None]
    return Lineage(
        name=name,
        runs=len(runs),
        addresses=tuple(traces),
        by_text=all(trace.known is Known.TEXT for trace in traces.values()),
        newest=max(times, default=None),
        used_by=used_by,
    )


def tracked(found: Sequence[Sighting], desired: Desired) -> Tracked:
    """Return the runs of one lineage by the tasks that asked for them."""
    again = twins(tuple(found))
    later = {one.run.id for group in again for one in group[1:]}
    names = _names(desired)
    ours: defaultdict[Address, list[Sighting]] = defaultdict(list)
    strange: defaultdict[str, list[Sighting]] = defaultdict(list)
    for one in sorted(found, key=lambda one: age(one.run)):
        if one.run.id not in later:
            address = names.get(one.marker.address)
            (strange[one.marker.address] if address is None else ours[address]).append(one)
    traces = {
        address: Traces(address=address, known=_known(address, runs), runs=tuple(runs))
        for address, runs in ours.items()
    }
    for address, hashed in _by_text(desired, ours.keys(), strange).items():
        traces[address] = Traces(address=address, known=Known.TEXT, runs=tuple(strange.pop(hashed)))
    others = tuple(one for runs in strange.values() for one in runs)
    return Tracked(traces=traces, others=others, again=again)


def _names(desired: Desired) -> dict[str, Address]:
    """Return the address of each declared task by the hashes that stand for it: its own, and that of its former name.

    A former name that another task has now is that task's.
    """
    former = {address_hash(old): new for new, old in desired.former.items() if old not in desired.tasks}
    return former | {address_hash(address): address for address in desired.tasks}


def _known(address: Address, runs: Iterable[Sighting]) -> Known:
    own = address_hash(address)
    return Known.NAME if any(one.marker.address == own for one in runs) else Known.FORMER


def _by_text(
    desired: Desired, found: Iterable[Address], strange: Mapping[str, Sequence[Sighting]]
) -> dict[Address, str]:
    """Return the hash of the unknown address whose newest run was asked the text of a task that has no run.

    Where several fit, none is taken.
    """
    missing: defaultdict[str, list[Address]] = defaultdict(list)
    for address in desired.tasks.keys() - set(found):
        task = desired.tasks[address]
        if isinstance(task, DesiredTask):
            missing[digest_of(task.fingerprint)].append(address)
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for hashed, runs in strange.items():
        texts[newest(runs).marker.digest].append(hashed)
    return {
        addresses[0]: texts[digest][0]
        for digest, addresses in missing.items()
        if len(addresses) == len(texts.get(digest, ())) == 1
    }


def newest(runs: Sequence[Sighting]) -> Sighting:
    """Return the newest run of some: of the highest generation, and of that the latest."""
    return max(runs, key=lambda one: (one.marker.generation, age(one.run)))
