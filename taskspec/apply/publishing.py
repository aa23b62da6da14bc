"""Publishing: accepted results as plain files with their provenance. Reads no state: the files can be made again."""

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from taskspec import __version__
from taskspec.address import Address, file_stem
from taskspec.ci import Revision
from taskspec.desired.model import result_suffix
from taskspec.documents.project_files import is_within
from taskspec.errors import StateError
from taskspec.events import ResultNotWritten, ResultWithdrawn, ResultWritten
from taskspec.moments import iso
from taskspec.state.model import Accepted, ResultRef

FORMAT = 1
"""The number of the format of a provenance: schemas/provenance.v1.json."""
_PROVENANCE = ".provenance.json"
_OF_OTHERS = (
    "there is a file that taskspec has not written in the place of {} or of its provenance; it stays as it is. Move it "
    "away, or change `results.path` of the project: the state keeps the result, and the next apply writes it"
)


class ResultsFolder:
    """The folder of result files: `<address>.md|json|txt`, and `<address>.provenance.json` beside it.

    A project may share it with other files: what no provenance names is somebody's own, and stays as it is.
    """

    def __init__(self, folder: Path, shown_as: str) -> None:
        self.folder = folder
        self._shown_as = shown_as

    def check(self) -> None:
        """Raise StateError unless this is within the project and files can be written here; makes the folder."""
        project = self.folder.parents[len(Path(self._shown_as).parts) - 1].resolve()
        if not is_within(self.folder, project):
            raise StateError(
                f"the results folder {self._shown_as} is a link out of the project, to {self.folder.resolve()}",
                hint="Nothing was started. Change `results.path` of the project, or put a folder in the link's place.",
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, probe = tempfile.mkstemp(dir=self.folder, prefix=".taskspec-")
            os.close(handle)
            Path(probe).unlink()
        except OSError as error:
            raise StateError(
                f"the results folder {self._shown_as} cannot be written: {error.strerror}",
                hint="Nothing was started. Change `results.path` of the project, or the folder's permissions.",
            ) from error

    def path(self, address: Address, ref: ResultRef) -> Path:
        """Return where the result of an address stands."""
        return self.folder / f"{file_stem(address)}{result_suffix(ref.format)}"

    def shown(self, address: Address, ref: ResultRef) -> str:
        """Return the path of a result as the user knows it, relative to the project folder."""
        return f"{self._shown_as}/{self.path(address, ref).name}"

    def is_there(self, address: Address, accepted: Accepted) -> bool:
        """Tell whether the file of a result is there, as long as recorded, and its provenance names this very run."""
        try:
            size = self.path(address, accepted.result).stat().st_size
            told = _told(self._provenance(address))
        except OSError:
            return False
        return size == accepted.result.size and told is not None and _names(told, address, accepted)

    def publish(self, address: Address, accepted: Accepted, content: str) -> ResultWritten | ResultNotWritten:
        """Write an accepted result and its provenance, and tell it; each file is there as a whole or not at all.

        The files are derived from the state: one that cannot be written is told too, and keeps nothing else from going
        on.
        """
        path = self.path(address, accepted.result)
        shown = self.shown(address, accepted.result)
        provenance = self._provenance(address)
        try:
            before = _published(provenance, address)
            if (before is None and os.path.lexists(provenance)) or (
                before != path.suffix and not _may_take(path, content)
            ):
                return ResultNotWritten(address=address, detail=_OF_OTHERS.format(shown))
            _replace(path, content)
            if before is not None and before != path.suffix:
                with suppress(OSError):
                    path.with_name(path.name.removesuffix(path.suffix) + before).unlink()
            _replace(provenance, _as_json(_provenance(address, accepted)))
        except OSError as error:
            detail = f"{shown} cannot be written: {error.strerror}; the state keeps it, and the next apply tries again"
            return ResultNotWritten(address=address, detail=detail)
        return ResultWritten(address=address, path=shown)

    def withdraw(
        self, address: Address, ref: ResultRef, why: str = "is no longer accepted"
    ) -> ResultWithdrawn | ResultNotWritten | None:
        """Remove the files of a result that is accepted no longer, and tell it; None where they are not there.

        Only what a provenance of ours names is removed; the provenance goes last, so that a cut leaves the proof.
        """
        provenance = self._provenance(address)
        shown = self.shown(address, ref)
        try:
            if _published(provenance, address, ref.digest) is None and not self._was_cut(address, ref):
                return None
            self.path(address, ref).unlink(missing_ok=True)
            provenance.unlink()
        except OSError as error:
            detail = f"{shown} {why}, and cannot be removed: {error.strerror}; the next apply tries again"
            return ResultNotWritten(address=address, detail=detail)
        return ResultWithdrawn(address=address, path=shown)

    def elsewhere(self, addresses: Collection[Address]) -> Iterator[tuple[Address, str, str]]:
        """Yield what each provenance of another address than these names: the address, the run, and the digest."""
        known = {self._provenance(address).name for address in addresses}
        for provenance in sorted(self.folder.glob(f"*{_PROVENANCE}")):
            told = _told(provenance) if provenance.name not in known else None
            result = told.get("result") if told else None
            if told is None or not isinstance(result, dict):
                continue
            match told.get("address"), told.get("run"), result.get("sha256"):
                case str(address), str(run), str(digest) if self._provenance(Address(address)) == provenance:
                    yield Address(address), run, digest

    def _was_cut(self, address: Address, ref: ResultRef) -> bool:
        """Tell whether the file holds a result, and the provenance is still that of the one before."""
        path = self.path(address, ref)
        if _published(self._provenance(address), address) != path.suffix or not path.is_file():
            return False
        return path.stat().st_size == ref.size and hashlib.sha256(path.read_bytes()).hexdigest() == ref.digest

    def _provenance(self, address: Address) -> Path:
        return self.folder / f"{file_stem(address)}{_PROVENANCE}"


def _provenance(address: Address, accepted: Accepted) -> Mapping[str, Any]:
    attempt, tokens = accepted.attempt, accepted.attempt.tokens
    return {
        "format": FORMAT,
        "taskspec": __version__,
        "address": address,
        "generation": accepted.generation,
        "attempt": attempt.number,
        "fingerprint": accepted.fingerprint or None,
        "agent": accepted.agent,
        "agentVersion": accepted.agent_version,
        "remote": {k: v for k, v in asdict(attempt.remote).items() if v is not None},
        "run": accepted.run,
        "plan": accepted.plan,
        "acceptedByHandFrom": None if accepted.by_hand is None else f"g{accepted.by_hand}",
        "acceptedAgainFrom": None if accepted.again is None else f"g{accepted.again}",
        "revision": None if attempt.revision is None else _revision(attempt.revision),
        "verdict": attempt.verdict,
        "startedAt": _timestamp(attempt.started_at),
        "finishedAt": _timestamp(attempt.finished_at),
        "seconds": attempt.seconds,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion} if tokens else None,
        "result": {"sha256": accepted.result.digest, "bytes": accepted.result.size, "format": accepted.result.format},
    }


def _revision(revision: Revision) -> Mapping[str, Any]:
    return {
        "commit": revision.commit,
        "dirty": revision.is_dirty,
        "branch": revision.branch,
        "author": revision.author,
        "request": revision.request,
        "job": revision.job,
    }


def _published(provenance: Path, address: Address, digest: str | None = None) -> str | None:
    """Return the file name ending of the result that a provenance of ours names; None where there is none of ours.

    With a digest, it must be that of the result.
    """
    told = _told(provenance)
    try:
        if told is None or told["address"] != address or digest not in {None, told["result"]["sha256"]}:
            return None
        return result_suffix(told["result"]["format"])
    except (ValueError, KeyError, TypeError):
        return None


def _told(provenance: Path) -> Mapping[str, Any] | None:
    """Return what a provenance says; None where none is there, or another file in its place."""
    try:
        told = json.loads(provenance.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _names(told: Mapping[str, Any], address: Address, accepted: Accepted) -> bool:
    """Tell whether a provenance is that of an accepted result: one of the result before does not count."""
    result = told.get("result")
    digest = result.get("sha256") if isinstance(result, dict) else None
    said = (told.get("address"), told.get("generation"), told.get("run"), digest)
    return said == (address, accepted.generation, accepted.run, accepted.result.digest)


def _may_take(path: Path, content: str) -> bool:
    """Tell whether nobody's file is lost by writing: none is there, or the very same (its provenance was cut off)."""
    if not os.path.lexists(path):
        return True
    encoded = content.encode()
    return path.is_file() and path.stat().st_size == len(encoded) and path.read_bytes() == encoded


def _timestamp(at: float | None) -> str | None:
    """Return a moment as text; None where a remote tells none, or one that no calendar has."""
    return None if at is None else iso(at)


def _as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".taskspec-{secrets.token_hex(8)}")
    try:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
