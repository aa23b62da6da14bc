"""Where `results export` writes to, and in which form. Reads no state itself."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from taskspec.cli.printing import note, say_pieces
from taskspec.errors import TaskspecError, UsageError

if TYPE_CHECKING:
    from taskspec.runner.exporting import Exports
    from taskspec.runner.model import Invocation, Ports

_STDOUT: Final = "-"
_BEGINNINGS: Final = {"json": b'{\n  "format": ', "csv": b"address,task,"}
"""By what an export of ours is known again: anything else in its place is somebody's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A folder, a file, or stdout (`path` is None), and the form of what is written there."""

    path: Path | None
    form: str
    raw: bool

    @classmethod
    def of(cls, out: Path, form: str | None, *, raw: bool) -> "Target":
        """Return where to write; raise UsageError for what does not go together."""
        is_stdout = str(out) == _STDOUT
        usual = {".json": "json", ".csv": "csv"}.get(out.suffix.lower(), "json" if is_stdout else "files")
        form = form or usual
        if is_stdout and form == "files":
            raise UsageError("Files go to a folder, not to stdout.", hint="Write --format json or --format csv.")
        if raw and form != "csv":
            raise UsageError("--raw is about the cells of a table.", hint="Write it with --format csv.")
        return cls(path=None if is_stdout else out, form=form, raw=raw)

    def write(self, invocation: "Invocation", ports: "Ports", *, all_generations: bool) -> int:
        """Write what is selected there; return the exit code."""
        from taskspec.report.exiting import ExitCode
        from taskspec.runner import exporting
        from taskspec.runner.choosing import nothing_chosen

        self._require_own()
        with exporting.exports(invocation, ports, all_generations=all_generations) as found:
            if not found.selected and not invocation.selection.everything:
                note(nothing_chosen(invocation.selection))
            if self.path is None:
                say_pieces(self._pieces(found))
                return ExitCode.OK
            if self.form != "files":
                self._write_whole(self.path, self._pieces(found))
                note(f"{self.path} written.")
                return ExitCode.OK
            return self._files(self.path, found, all_generations=all_generations)

    def _files(self, folder: Path, found: "Exports", *, all_generations: bool) -> int:
        from taskspec.events import Event, ResultNotWritten
        from taskspec.report.exiting import ExitCode
        from taskspec.report.text import in_line, plural
        from taskspec.runner import exporting

        count = 0

        def tell(event: "Event") -> None:
            nonlocal count
            if isinstance(event, ResultNotWritten):
                note(f"  ! {event.address}: {in_line(event.detail)}")
            else:
                count += 1

        is_whole = exporting.write_files(found, folder, tell, all_generations=all_generations)
        note(f"{plural(count, 'result')} written to {folder}, each with its provenance.")
        return ExitCode.OK if is_whole else ExitCode.ERROR

    def _pieces(self, found: "Exports") -> Iterator[str]:
        from taskspec.report.exporting import csv_pieces, json_pieces
        from taskspec.report.text import visible

        if self.form == "json":
            return json_pieces(found.head, found.results)
        pieces = csv_pieces(found.axes, found.results, raw=self.raw)
        if self.path is None and sys.stdout.isatty():
            return (visible(piece.replace("\r\n", "\n")) for piece in pieces)
        return pieces

    def _require_own(self) -> None:
        """Raise TaskspecError for a file that is no export of this form, and would be lost."""
        if self.path is None or self.form == "files" or not self.path.is_file():
            return
        beginning = _BEGINNINGS[self.form]
        try:
            with self.path.open("rb") as file:
                there = file.read(len(beginning))
        except OSError as trouble:
            raise TaskspecError(f"`{self.path}` cannot be read: {trouble.strerror}.") from trouble
        if there and there != beginning:
            raise TaskspecError(
                f"`{self.path}` is there already, and is no {self.form.upper()} that taskspec has exported.",
                hint="Name another file, or remove it.",
            )

    def _write_whole(self, path: Path, pieces: Iterator[str]) -> None:
        from taskspec.documents.replacing import write_whole

        try:
            write_whole(path, pieces)
        except OSError as trouble:
            raise TaskspecError(f"`{path}` cannot be written: {trouble.strerror}.") from trouble
