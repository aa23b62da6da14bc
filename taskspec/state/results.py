"""Results by their digest: small ones inline, larger ones as files beside the database. Judges none of them."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from taskspec.errors import StateError
from taskspec.state.folders import make_folder, write_file
from taskspec.state.model import INLINE_LIMIT, DropResult, PutResult, ResultRef, StateChange


class Blobs:
    """The folder of the large results, each in a file that its digest names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, change: PutResult) -> bytes | None:
        """Return the bytes to keep inline, or None after a large result is durable as a file."""
        content = checked(change)
        if len(content) <= INLINE_LIMIT:
            return content
        make_folder(self._folder)
        write_file(self._folder / change.ref.digest, content)
        return None

    def recall(self, ref: ResultRef, inline: bytes | None) -> str:
        """Return the result whose row holds `inline`; raise StateError where it is missing or was changed."""
        place = self._folder / ref.digest
        try:
            content = place.read_bytes() if inline is None else inline
        except FileNotFoundError as error:
            raise missing(ref, place) from error
        return fitting(content, ref)

    def remove(self, digests: Iterable[str]) -> None:
        """Remove the files of results that are kept no longer, once that is durable; one that stays does no harm."""
        for digest in digests:
            with suppress(OSError):
                (self._folder / digest).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed writer has left unfinished."""
        for draft in self._folder.glob(".*.new"):
            draft.unlink(missing_ok=True)


def dropped(changes: Iterable[StateChange]) -> tuple[str, ...]:
    """Return the digests of the results that are not kept any more after some changes: the last one of each counts."""
    kept: dict[str, bool] = {}
    for change in changes:
        match change:
            case PutResult(ref=ref):
                kept[ref.digest] = True
            case DropResult(digest=digest):
                kept[digest] = False
            case _:
                pass
    return tuple(digest for digest, is_kept in kept.items() if not is_kept)


def checked(change: PutResult) -> bytes:
    """Return what is to be kept; raise ValueError where it does not match its digest."""
    content = change.content.encode()
    if not _fits(content, change.ref):
        raise ValueError(f"the result does not match its digest {change.ref.digest}")
    return content


def fitting(content: bytes, ref: ResultRef) -> str:
    """Return a kept result as text; raise StateError where it does not match its digest."""
    if not _fits(content, ref):
        raise StateError(
            f"The kept result {ref.digest} does not match its digest: it was changed or is damaged.",
            hint="Restore the state from a backup, or run the task again.",
        )
    return content.decode()


def missing(ref: ResultRef, place: Path | str) -> StateError:
    """Return the error for a result that is not where it should be."""
    return StateError(
        f"The kept result {ref.digest} is not in {place}.",
        hint="Restore the state from a backup, or run the task again.",
    )


def _fits(content: bytes, ref: ResultRef) -> bool:
    return len(content) == ref.size and hashlib.sha256(content).hexdigest() == ref.digest
