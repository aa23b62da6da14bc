"""fmt: the manifests that are found or named → each in the usual form. Prints nothing."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from taskspec.diagnostics import Diagnostic, Position
from taskspec.documents.formatting import Formatted, format_manifest
from taskspec.documents.loading import gather
from taskspec.documents.locating import locate, shown
from taskspec.documents.reading import read
from taskspec.documents.remembering import Memory
from taskspec.documents.replacing import glimpse, replace_content
from taskspec.documents.sifting import Sifted, is_ours, sift


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewrite:
    """A file that is not in the usual form: its path as shown, its text, and the text in the usual form."""

    file: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of the files: those that change, how many stay as they are, and what is wrong with others."""

    changed: tuple[str, ...]
    unchanged: int
    skipped: int
    diagnostics: tuple[Diagnostic, ...] = ()


def format_files(paths: Sequence[Path], show: Callable[[Rewrite], None], *, write: bool) -> Outcome:
    """Format the manifests of files and folders; `show` is given what changes, and nothing is written without `write`.

    UsageError where a path does not exist; then nothing has been written.
    """
    for path in paths:
        locate(path)
    sifted = sum((_found(path) for path in paths), Sifted())
    findings = dict.fromkeys(sifted.diagnostics)
    changed: list[str] = []
    unchanged = 0
    for file in dict.fromkeys(document.file for document in sifted.documents):
        done = _format_file(Path(file).absolute(), file, write=write)
        if isinstance(done, Rewrite):
            show(done)
            changed.append(file)
        elif done:
            findings |= dict.fromkeys(done)
        else:
            unchanged += 1
    return Outcome(changed=tuple(changed), unchanged=unchanged, skipped=sifted.skipped, diagnostics=tuple(findings))


def format_stream(content: bytes, name: str) -> Formatted:
    """Format a text that is in no file; one that is sound and not taskspec's stays as it is."""
    formatted = format_manifest(content, name)
    if formatted.diagnostics or any(map(is_ours, formatted.documents)):
        return formatted
    return Formatted(content=content)


def _format_file(path: Path, file: str, *, write: bool) -> Rewrite | tuple[Diagnostic, ...]:
    """Return what changes; nothing, or what is wrong, where the file stays as it is."""
    seen = glimpse(path)
    content = read(path)
    if isinstance(content, Diagnostic):
        return (content,)
    formatted = format_manifest(content, file)
    if formatted.diagnostics or formatted.content == content:
        return formatted.diagnostics
    if write and (trouble := replace_content(path, formatted.content, seen)) is not None:
        return (trouble,)
    return Rewrite(file=file, before=content.decode(), after=formatted.content.decode())


def _found(path: Path) -> Sifted:
    if path.is_dir():
        gathered = gather(path)
        return gathered if gathered.documents or gathered.diagnostics else gathered + Sifted(diagnostics=(_none(path),))
    real = Path(os.path.realpath(path))
    if path.is_symlink() and not real.is_relative_to(_project_folder(path)):
        return Sifted(diagnostics=(_outside(path),))
    return sift([str(real)], named=False, memory=Memory())


def _project_folder(path: Path) -> Path:
    """Return the folder of the project that a file's own place belongs to."""
    folder = Path(os.path.realpath(path.parent))
    places: Iterator[Path] = (above for above in (folder, *folder.parents) if locate(above).project_file)
    return next(places, folder)


def _none(folder: Path) -> Diagnostic:
    return Diagnostic(
        summary="No manifest",
        detail=f"`{folder}` holds no YAML file of taskspec's.",
        hint="Name a project folder, or its files.",
        position=Position(file=shown(os.path.realpath(folder))),
    )


def _outside(path: Path) -> Diagnostic:
    return Diagnostic(
        summary="Link out of the project",
        detail=f"`{path}` is a link to a file outside of the project, so it is left as it is.",
        hint="Name the file itself.",
        position=Position(file=shown(path)),
    )
