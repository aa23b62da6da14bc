"""Publishing: accepted results as plain files with their provenance. Reads no state: the files can be made again."""

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from taskspec import __version__
from taskspec.address import Address
from taskspec.errors import StateError
from taskspec.state.model import Accepted, ResultRef

SUFFIXES: Mapping[str, str] = {"markdown": ".md", "json": ".json"}
"""File name endings by output format; every other format is plain text."""


class ResultsFolder:
    """The folder of result files: `<address>.md|json|txt`, and `<address>.provenance.json` beside it."""

    def __init__(self, folder: Path, shown_as: str) -> None:
        self.folder = folder
        self._shown_as = shown_as

    def check(self) -> None:
        """Raise StateError unless files can be written here; makes the folder."""
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
        return self.folder / f"{address}{SUFFIXES.get(ref.format, '.txt')}"

    def shown(self, address: Address, ref: ResultRef) -> str:
        """Return the path of a result as the user knows it, relative to the project folder."""
        return f"{self._shown_as}/{self.path(address, ref).name}"

    def is_there(self, address: Address, ref: ResultRef) -> bool:
        """Tell whether the files of a result are there, and as long as recorded."""
        try:
            size = self.path(address, ref).stat().st_size
        except OSError:
            return False
        return size == ref.size and self._provenance(address).exists()

    def write(self, address: Address, accepted: Accepted, content: str) -> None:
        """Write an accepted result and its provenance; each file is there as a whole or not at all."""
        path = self.path(address, accepted.result)
        try:
            _replace(path, content)
            _replace(self._provenance(address), _as_json(_provenance(address, accepted)))
        except OSError as error:
            raise StateError(
                f"{path.name} cannot be written in the results folder {self._shown_as}: {error.strerror}",
                hint="The result is kept in the state; the next apply writes the file again.",
            ) from error
        for suffix in {*SUFFIXES.values(), ".txt"} - {path.suffix}:
            with suppress(OSError):
                path.with_suffix(suffix).unlink()

    def _provenance(self, address: Address) -> Path:
        return self.folder / f"{address}.provenance.json"


def _provenance(address: Address, accepted: Accepted) -> Mapping[str, Any]:
    attempt, tokens = accepted.attempt, accepted.attempt.tokens
    return {
        "taskspec": __version__,
        "address": address,
        "generation": accepted.generation,
        "attempt": attempt.number,
        "fingerprint": accepted.fingerprint,
        "agent": accepted.agent,
        "agentVersion": accepted.agent_version,
        "remote": {k: v for k, v in asdict(attempt.remote).items() if v is not None},
        "run": accepted.run,
        "plan": accepted.plan,
        "verdict": attempt.verdict,
        "startedAt": _timestamp(attempt.started_at),
        "finishedAt": _timestamp(attempt.finished_at),
        "seconds": attempt.seconds,
        "tokens": {"prompt": tokens.prompt, "completion": tokens.completion} if tokens else None,
        "result": {"sha256": accepted.result.digest, "bytes": accepted.result.size, "format": accepted.result.format},
    }


def _timestamp(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


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
