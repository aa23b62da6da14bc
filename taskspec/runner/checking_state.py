"""What a doctor checks of a state: its file, its lock, what is unknown in it, its history, and the results folder."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from taskspec.address import Address
from taskspec.apply.publishing import ResultsFolder
from taskspec.documents.model import Project
from taskspec.errors import StateError
from taskspec.report.checkups import Checkup, doubtful, fine, wrong
from taskspec.report.text import plural, some
from taskspec.runner.applying import results_folder
from taskspec.runner.checking_folders import unwritable
from taskspec.runner.model import Ports
from taskspec.state.holding import held, sign_of_life
from taskspec.state.migrating import departed, moved_words, way_there
from taskspec.state.model import Holding, ResultRef, Sending, Snapshot
from taskspec.state.store import Capabilities, StateReader

_DENIED: Final = "Check its owner and permissions, and whether the file system is mounted read-only."


def checked_state(project: Project, ports: Ports) -> Iterator[Checkup]:
    """Yield how it stands with everything that is recorded."""
    try:
        store = ports.open_state(project, read_only=True)
        try:
            where, found = store.capabilities, store.faults()
            snapshot = store.read()
            if found:
                text = f"{where.place} is damaged: {'; '.join(found)}"
                yield wrong("state", text, "Restore it from a backup; `taskspec status` shows what it still tells.")
            elif not snapshot.lineage:
                yield fine("state", f"nothing is recorded yet{_at(where)}")
            else:
                tasks = plural(len(snapshot.records), "task")
                yield fine("state", f"{tasks} at serial {snapshot.serial}, intact{_at(where)}")
            if (moved := departed(next(store.history(limit=1), None))) is not None:
                yield wrong("state", f"it {moved_words(moved)}", way_there(moved))
            if where.files and (why := unwritable(where.files[0], where.files[1:])):
                yield wrong("state", f"{why}, so that nothing can be applied", _DENIED)
            if where.notice:
                yield doubtful("state", where.notice, "docs/shared-state.md tells what that means.")
            yield from _lock(project, store.holding())
            yield from _unknown(snapshot)
            yield from _results(snapshot, store, results_folder(project))
        finally:
            store.close()
    except StateError as error:
        yield wrong("state", error.message, error.hint)


def _at(where: Capabilities) -> str:
    """Return where a state is that others share, and how long a lease of it lasts."""
    if not where.shared:
        return ""
    return f" ({where.place}{f'; a lease ends {where.ttl:.0f} s after its last heartbeat' if where.ttl else ''})"


def _lock(project: Project, holding: Holding | None) -> Iterator[Checkup]:
    if holding is None:
        yield fine("lock", "free")
        return
    error = held(project.environment, holding)
    if holding.is_alive:
        yield fine("lock", f"held: {error.message}")
    else:
        yield doubtful("lock", error.message or sign_of_life(holding), error.hint)


def _unknown(snapshot: Snapshot) -> Iterator[Checkup]:
    last = {address: record.generation.last for address, record in snapshot.records.items()}
    unknown = [a for a, attempt in last.items() if attempt is not None and attempt.sending is Sending.INTENDED]
    if unknown:
        text = f"nobody knows whether the remote has the run that was asked for: {some(unknown)}"
        yield doubtful(
            "unknown", text, "`taskspec apply` finds out; where it cannot, docs/recovery.md tells what to do."
        )
    else:
        yield fine("unknown", "no outcome is open")


def _results(snapshot: Snapshot, store: StateReader, folder: ResultsFolder) -> Iterator[Checkup]:
    """Yield whether the files of accepted results are there, and as they were accepted."""
    missing, edited, lost = [], [], []
    kept = {address: record.accepted for address, record in snapshot.records.items() if record.accepted is not None}
    for address, accepted in kept.items():
        digest = _digest(folder.path(address, accepted.result))
        if digest is not None and digest != accepted.result.digest:
            edited.append(address)
        elif digest is None or not folder.is_there(address, accepted):
            missing.append(address)
        if not _is_kept(store, accepted.result):
            lost.append(address)
    strays = _strays(folder, snapshot)
    if lost:
        text = f"the state cannot give the accepted result of {some(lost)}"
        yield wrong("results", text, "Restore the state folder from a backup, or run the task again with `--rerun`.")
    if why := unwritable(folder.folder):
        yield wrong("results", f"{why}, so that nothing can be applied", f"{_DENIED} Or change `results.path`.")
    elif missing:
        text = f"the file, or its provenance, is missing: {some(missing)}"
        yield doubtful("results", text, "The next `taskspec apply` writes it again.")
    if edited:
        text = f"the file is not as it was accepted: {some(edited)}"
        yield doubtful("results", text, "Delete it, and the next `taskspec apply` writes it as it was accepted.")
    if strays:
        text = f"files of tasks that are not recorded any more: {some(strays)}"
        yield doubtful("results", text, "They stay until you delete them.")
    if not (why or lost or missing or edited or strays):
        yield fine("results", f"{plural(len(kept), 'accepted result')}, each with its file")


def _strays(folder: ResultsFolder, snapshot: Snapshot) -> list[Address]:
    """Return the addresses of files that belong to nothing recorded; a folder that cannot be read tells of none."""
    try:
        return [address for address, _, _ in folder.elsewhere(snapshot.records)] if snapshot.records else []
    except OSError:
        return []


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _is_kept(store: StateReader, ref: ResultRef) -> bool:
    try:
        store.result(ref)
    except StateError:
        return False
    return True
