"""What was found valid before, and is valid still, as nothing has changed that it rested on. Judges nothing itself.

An outcome rests on its question (the target, what was given, what the surroundings are), on the bytes of each manifest,
and on every other file that was read for it; on the program, and on what it stands on. All of it is in the basis, or is
compared. What cannot be written down exactly vouches for nothing, and neither does a project with secrets.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from taskspec import caching
from taskspec.desired.attaching import ProjectFiles
from taskspec.desired.confining import WrongFileError

_MOST_QUESTIONS: Final = 16
_MOST_TARGETS: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Valid:
    """What there is to say of documents that are right."""

    project: str
    tasks: int
    skipped: int


class Vouchers:
    """What was found of one target; `kind` is what kind of outcome."""

    def __init__(self, cache_folder: Path, target: str, kind: str) -> None:
        folder = caching.own_folder(cache_folder, kind)
        name = caching.digest(target.encode("utf-8", "surrogateescape")).hex()
        self._file = folder / name if folder is not None else None

    @property
    def nothing(self) -> bool:
        """Tell whether nothing at all was found yet."""
        return not self._kept()

    def get(self, basis: str, folder: Path) -> Valid | None:
        """Return what was found on the same basis, if the project's other files are still what they were."""
        kept = self._kept().get(basis)
        if kept is None:
            return None
        files = ProjectFiles(folder)
        try:
            same = all(files.attach(path).sha256 == digest for path, digest in kept["files"].items())
        except WrongFileError:
            return None
        return Valid(**kept["valid"]) if same else None

    def put(self, basis: str, valid: Valid, files: Mapping[str, str]) -> None:
        """Vouch for what was found; `files` are the digests of the other files, by their paths in the project."""
        if self._file is None:
            return
        kept = {key: value for key, value in self._kept().items() if key != basis}
        kept[basis] = {"valid": asdict(valid), "files": dict(files)}
        newest = dict(list(kept.items())[-_MOST_QUESTIONS:])
        caching.save(self._file, json.dumps(newest).encode())
        caching.thin_out(self._file.parent, _MOST_TARGETS)

    def _kept(self) -> dict[str, Any]:
        content = caching.load(self._file) if self._file is not None else None
        found: dict[str, Any] = json.loads(content) if content is not None else {}
        return found


def basis(question: Mapping[str, Any], manifests: Mapping[str, bytes | None]) -> str | None:
    """Return the digest of everything that an outcome rests on but for the project's other files."""
    files = [path.encode("utf-8", "surrogateescape") + (content or b"") for path, content in sorted(manifests.items())]
    try:
        written = json.dumps([_plain(question), [len(file) for file in files]], sort_keys=True)
    except TypeError:
        return None
    if None in manifests.values():
        return None
    return caching.digest(b"".join((caching.edition(), written.encode(), b"\0", *files))).hex()


def _plain(value: Any) -> Any:
    """Return a value as JSON that nothing but an equal value gives; TypeError where that cannot be promised."""
    if isinstance(value, Path):
        return {"path": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return {"of": type(value).__name__, **{one.name: _plain(getattr(value, one.name)) for one in fields(value)}}
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError
