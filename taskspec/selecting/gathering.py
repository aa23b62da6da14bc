"""Gathering: what is declared and what is recorded → the candidates of a selection. Renders nothing, opens nothing."""

from collections.abc import Iterable, Iterator, Mapping

from taskspec.address import Address
from taskspec.desired.model import DeferredTask, Desired, DesiredTask
from taskspec.selecting.model import Candidate, Comparison
from taskspec.state.model import Record, Sending, Verdict
from taskspec.taskapi.records import AgentExecutionStatus as Status


def gather(desired: Desired, records: Mapping[Address, Record], here: str) -> Iterator[Candidate]:
    """Yield every declared and every recorded address; `here` is the folder that relative paths of files begin in."""
    folder = desired.project.folder.rstrip("/") + "/"
    for address, task in desired.tasks.items():
        record = records.get(address)
        yield Candidate(
            address=address,
            labels=task.labels,
            files=_paths(task.source.document.file, folder, here),
            upstream=task.upstream,
            comparison=compare(task, record),
            verdict=last_verdict(record) if record else None,
        )
    for address, record in records.items():
        if address not in desired.tasks:
            yield Candidate(address=address, comparison=Comparison.REMOVED, verdict=last_verdict(record))


def gather_recorded(records: Mapping[Address, Record], declared: Iterable[Address] = ()) -> Iterator[Candidate]:
    """Yield every recorded address, and of the declared ones no more than their names: documents may be wrong."""
    for address, record in records.items():
        yield Candidate(address=address, verdict=last_verdict(record))
    for address in declared:
        if address not in records:
            yield Candidate(address=address)


def compare(task: DesiredTask | DeferredTask, record: Record | None) -> Comparison:
    """Tell how a declared task compares with its record; what is not known yet may change, and counts as changed."""
    if record is None:
        return Comparison.NEW
    if isinstance(task, DesiredTask) and task.fingerprint == record.generation.fingerprint:
        return Comparison.UNCHANGED
    return Comparison.CHANGED


def last_verdict(record: Record) -> Verdict:
    """Return the verdict on a record's last attempt, as far as it is recorded: nobody looks whether its run goes on."""
    last = record.generation.last
    if last is None or last.sending is Sending.INTENDED:
        return Verdict.UNKNOWN
    if last.verdict is not None or not last.counts:
        return last.verdict or Verdict.ERROR
    return Verdict.WAITING if last.status == Status.Paused else Verdict.ACTIVE


def _paths(file: str, folder: str, here: str) -> tuple[str, ...]:
    """Return a file's path within the project, how it is shown, and its absolute path."""
    absolute = file if file.startswith("/") else f"{here.rstrip('/')}/{file}"
    return tuple(dict.fromkeys((absolute.removeprefix(folder), file, absolute)))
