"""What the `files` of a task names → what goes with its run: URLs, local files, results of others. Renders nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from taskspec.address import Address
from taskspec.desired.attaching import ProjectFiles, checked_url, is_url
from taskspec.desired.confining import WrongFileError
from taskspec.desired.depending import Dependencies
from taskspec.desired.model import Cell, LocalFile
from taskspec.desired.results import result_file, words
from taskspec.diagnostics import Diagnostic


class Encloser:
    """Finds what the tasks of one project enclose; `formats` are those of the results, as far as they are known."""

    def __init__(self, files: ProjectFiles, formats: Mapping[Address, str], *, takes_local_files: bool) -> None:
        self._files = files
        self._formats = formats
        self._takes_local_files = takes_local_files

    def enclosed(
        self, cell: Cell, entries: Iterable[Any], waits: Dependencies, results: Mapping[Address, str] | None
    ) -> tuple[tuple[LocalFile | str, ...], list[Diagnostic]]:
        """Return what rendered entries stand for, and what is wrong with them; without results, words for these."""
        found: list[LocalFile | str] = []
        wrong: list[Diagnostic] = []
        for index, entry in enumerate(entries):
            try:
                found.append(self._file(entry, waits, results))
            except WrongFileError as fault:
                position = cell.task.source.position(("files", index))
                wrong.append(Diagnostic(summary="Wrong file", detail=fault.detail, hint=fault.hint, position=position))
        return tuple(found), wrong

    def _file(self, entry: Any, waits: Dependencies, results: Mapping[Address, str] | None) -> LocalFile | str:
        if isinstance(entry, str) and is_url(entry):
            return checked_url(entry)
        if not self._takes_local_files:
            what = f"`{entry}` is a local path" if isinstance(entry, str) else "A result is no URL"
            raise WrongFileError(
                f"{what}, but the remote takes only URLs.",
                "Give a URL that the agent can read, or put the text into the prompt instead.",
            )
        if isinstance(entry, str):
            return self._files.attach(entry)
        address = Address(entry["task"])
        if waits.sound and address not in waits.used:
            raise WrongFileError(
                f"A template gives the result of `{address}`, so nothing waits for it.",
                "Write `{task: …}` in the list itself.",
            )
        if results is None:
            return words([address])
        return result_file(address, results[address], self._formats.get(address, "text"))
